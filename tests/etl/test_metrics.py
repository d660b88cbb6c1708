"""A job's metrics: they carry the stage, and a run is never lost over them."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from etl.aws.metrics import Metrics
from tests.cloud import AT_ONCE, Cloud


def test_they_carry_the_stage(cloud: Cloud) -> None:
    watch, stage = cloud.client("cloudwatch"), f"s{uuid4().hex[:8]}"
    for _ in range(2):
        Metrics(watch, stage).tell({"RowsLoaded": 7, "RowsRejected": 0})
    now = datetime.now(UTC)
    asked = {"Namespace": "Lakegate", "MetricName": "RowsLoaded", "Statistics": ["Sum"], "Period": 3600}
    asked |= {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
    found = watch.get_metric_statistics(**asked, Dimensions=[{"Name": "stage", "Value": stage}])
    assert sum(one["Sum"] for one in found["Datapoints"]) == 14.0
    other = watch.get_metric_statistics(**asked, Dimensions=[{"Name": "stage", "Value": "other"}])
    assert other["Datapoints"] == []


def test_a_run_is_not_lost_when_it_cannot_be_counted(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing:
        def put_metric_data(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "PutMetricData")

    with caplog.at_level(logging.WARNING):
        Metrics(Refusing(), "test", AT_ONCE).tell({"RowsLoaded": 7})
    assert caplog.messages == ["The run is not counted: CloudWatch refuses its metrics (AccessDenied)."]
