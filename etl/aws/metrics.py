"""What a run of the job did, as CloudWatch's metrics of its stage, at which owners' alarms look."""

import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from athena.aws import Patience, error_code, persist
from athena.errors import LakegateError

NAMESPACE = "Lakegate"
log = logging.getLogger(__name__)


class Metrics:
    """Metrics with the dimension `stage`, by calls: what a Glue job writes to its log is cut into records by Glue, so
    that CloudWatch would not find metrics in it."""

    def __init__(self, client: Any, stage: str, patience: Patience | None = None) -> None:
        self._client = client
        self._stage = stage
        self._patience = patience or Patience()

    def tell(self, counts: Mapping[str, int]) -> None:
        """Add to them. What goes wrong is only logged: the rows are loaded, whether they are counted or not."""
        dimensions = [{"Name": "stage", "Value": self._stage}]
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Value": float(count), "Unit": "Count"}
            for name, count in counts.items()
        ]
        try:
            persist(lambda: self._client.put_metric_data(Namespace=NAMESPACE, MetricData=data), patience=self._patience)
        except ClientError as error:
            log.warning("The run is not counted: CloudWatch refuses its metrics (%s).", error_code(error))
        except LakegateError as error:
            log.warning("The run is not counted: %s", error.message)
