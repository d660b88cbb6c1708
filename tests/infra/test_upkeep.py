"""A stage in daily use: which letters go back, which version is meant, what comes back and what stays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from athena.errors import NotFound, Refused
from athena.s3 import Bucket
from etl.landing_event import Deferred, deferred_body
from etl.report import Report
from infra.deployment.again import letter_of
from infra.deployment.landing import Order, put_and_follow
from infra.deployment.pull import write
from infra.deployment.recover import Objects, _put_if_absent
from infra.deployment.versions import Version, wanted_version
from tests.cloud import Cloud

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MADE = {"source": "aws.s3", "detail-type": "Object Created"}


def test_letters_of_landing_go_back_and_others_are_told_by_their_text() -> None:
    landed = {**MADE, "detail": {"bucket": {"name": "b"}, "object": {"key": "landing/t/a.csv"}}}
    assert letter_of(json.dumps(landed)).what == "s3://b/landing/t/a.csv"
    assert letter_of(json.dumps(landed)).goes_back
    deferred = letter_of(deferred_body(Deferred("flights", "s3://w/manifests/1.json", 3)))
    assert (deferred.what, deferred.goes_back) == ("s3://w/manifests/1.json (flights)", True)
    for body in ("", "{}", '{"JobName": "lakegate-test"}', "no JSON at all"):
        assert not letter_of(body).goes_back
        assert letter_of(body).what


def version(number: int, *, live: bool = False) -> Version:
    return Version(number, f"release-{number}", "2026-05-01", live)


def test_way_back_is_the_version_before_the_live_one_not_the_newest() -> None:
    known = (version(4), version(3, live=True), version(2), version(1))
    assert wanted_version("test", known, None).number == 2
    assert wanted_version("test", known, 4).number == 4


@pytest.mark.parametrize("to", [None, 7])
def test_version_that_is_not_there_is_refused_with_where_to_look(to: int | None) -> None:
    with pytest.raises(NotFound) as refused:
        wanted_version("test", (version(2), version(1, live=True)), to)
    assert str(to or "before 1") in refused.value.message
    assert "--list" in refused.value.remedy


@dataclass
class Versions:
    """What S3 lists of a versioned bucket, in two pages."""

    pages: list[dict[str, Any]]

    def get_paginator(self, _: str) -> "Versions":
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        return iter(self.pages)


def listed(key: str, minutes: int, number: int, *, latest: bool = False) -> dict[str, Any]:
    at = NOON + timedelta(minutes=minutes)
    return {"Key": key, "VersionId": f"{key}{number}", "LastModified": at, "IsLatest": latest}


def test_objects_are_as_they_were_at_the_instant() -> None:
    pages = [
        {
            "Versions": [
                listed("changed", 5, 2, latest=True),
                listed("changed", -5, 1),
                listed("kept", -5, 1, latest=True),
            ]
        },
        {
            "Versions": [listed("deleted", -9, 1), listed("later", 1, 1, latest=True), listed("was-gone", -9, 1)],
            "DeleteMarkers": [listed("deleted", 3, 2, latest=True), listed("was-gone", -1, 2, latest=True)],
        },
    ]
    found = Objects(Versions(pages), "b", "").at(NOON)
    assert {key: (one.id, one.newest) for key, one in found.items()} == {
        "changed": ("changed1", False),
        "kept": ("kept1", True),
        "deleted": ("deleted1", False),
    }


def test_items_that_are_there_are_newer_and_stay(cloud: Cloud) -> None:
    table, dynamodb = cloud.table(), cloud.client("dynamodb")
    old = {"pk": {"S": "grant"}, "sk": {"S": "united"}, "content": {"S": "old"}}
    assert _put_if_absent(dynamodb, table.name, old)
    assert not _put_if_absent(dynamodb, table.name, {**old, "content": {"S": "older"}})
    key = {"pk": old["pk"], "sk": old["sk"]}
    assert dynamodb.get_item(TableName=table.name, Key=key)["Item"]["content"]["S"] == "old"


def test_pull_writes_over_nothing_that_says_something_else(tmp_path: Path) -> None:
    texts = {"datasets/a.toml": "a", "partners/p.toml": "p"}
    assert write(texts, tmp_path, overwrite=False).written == tuple(texts)
    (tmp_path / "partners/p.toml").write_text("mine")
    with pytest.raises(Refused, match=r"partners/p.toml in .* say something else") as refused:
        write({**texts, "datasets/new.toml": "new"}, tmp_path, overwrite=False)
    assert "--overwrite" in refused.value.remedy
    assert not (tmp_path / "datasets/new.toml").exists()
    done = write(texts, tmp_path, overwrite=True)
    assert (done.written, done.unchanged) == (("partners/p.toml",), 1)


@dataclass
class Job:
    """Writes a report while the reader sleeps."""

    reports: Bucket
    slept: int = 0

    def sleep(self, _: float) -> None:
        self.slept += 1
        told = Report("loaded", "flights", "default", "flights/may.csv", rows_in=1, rows_loaded=1, load_id="new")
        self.reports.put("flights/may.csv/new.json", json.dumps(told.as_json()).encode())


def test_load_waits_for_the_report_of_this_file_and_tells_the_same_bytes_apart(cloud: Cloud, tmp_path: Path) -> None:
    files, reports = cloud.bucket(), cloud.bucket()
    # Another file's, and an older one of this file.
    reports.put("flights/may.csv.gz/old.json", b"no report")
    reports.put("flights/may.csv/old.json", b"no report")
    file = tmp_path / "may.csv"
    file.write_text("a\n1\n")
    job = Job(reports)
    order = Order([file], "flights", "default", 60.0, sleep=job.sleep, clock=lambda: 0.0)
    done = put_and_follow(order, files, reports, lambda _: None)
    assert [one.load_id for one in done.reports] == ["new"]
    assert (done.waiting, job.slept) == ((), 1)
    again = put_and_follow(order, files, reports, lambda _: None)
    assert [one.status for one in again.reports] == ["unchanged"]
    assert job.slept == 1


def test_load_that_nobody_reports_on_in_time_is_named(cloud: Cloud, tmp_path: Path) -> None:
    file = tmp_path / "may.csv"
    file.write_text("a\n1\n")
    order = Order([file], "flights", "lufthansa", 0.0, clock=lambda: 0.0)
    done = put_and_follow(order, cloud.bucket(), cloud.bucket(), lambda _: None)
    assert (done.reports, done.waiting) == ((), ("flights/lufthansa/may.csv",))
