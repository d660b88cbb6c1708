"""What Glue's limits, its time-outs and its fence do to a commit."""

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from etl.ingest import reconcile
from tests.cloud import Cloud
from tests.disturbed import Application, Disturbance, between
from tests.home import reports_of

CONTRACT = """
description = "of numbers"
[columns]
n = {{ type = "long", description = "{}" }}
"""


def body_of(environ: dict[str, Any]) -> bytes:
    """The request's body, which stays there for whoever reads it next."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def refuse(start: Callable[..., Any], code: str) -> list[bytes]:
    start("400 Bad Request", [("Content-Type", "application/x-amz-json-1.1")])
    return [json.dumps({"__type": code, "message": "as documented"}).encode()]


@pytest.mark.parametrize("described", ["ä" * 200, r"one\ntwo\u0007", "d" * 600_000], ids=["long", "lines", "huge"])
def test_a_column_may_be_described_at_any_length(cloud: Cloud, described: str) -> None:
    settings = cloud.writing()
    cloud.intake(settings).contracts.save("t", CONTRACT.format(described))
    for key in ("t/a.csv", "t/b.csv"):
        cloud.drop(settings, key, f"n\n{ord(key[2])}\n")
        assert [one.status for one in reports_of(reconcile(cloud.intake(settings)))] == ["loaded"]
    head = cloud.intake(settings).heads.get("t")
    assert head is not None
    assert next(column.description for column in head.columns if column.name == "n") == json.loads(f'"{described}"')
    table = cloud.client("glue").get_table(DatabaseName=settings.name, Name="t")["Table"]
    assert table["StorageDescriptor"]["Columns"][0]["Comment"].startswith(described[:3])


def test_a_commit_that_ran_out_of_time_at_glue_is_fenced_off_before_its_files_are_removed(cloud: Cloud) -> None:
    """Glue says so with status 400, and may carry the update out all the same, as late as it likes."""
    settings = cloud.writing()
    cloud.drop(settings, "t/a.csv", "n\n1\n")
    reports_of(reconcile(cloud.intake(settings)))
    cloud.drop(settings, "t/b.csv", "n\n2\n")
    late: list[dict[str, Any]] = []

    def times_out(environ: dict[str, Any], start: Callable[..., Any], answer: Application) -> Iterable[bytes]:
        if str(environ.get("HTTP_X_AMZ_TARGET", "")).endswith(".UpdateTable") and not late:
            late.append(json.loads(body_of(environ)))
            return refuse(start, "OperationTimeoutException")
        return answer(environ, start)

    with between(cloud, times_out):
        reports_of(reconcile(cloud.intake(settings)))
    glue = cloud.client("glue")
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(**late[0])
    reports_of(reconcile(cloud.intake(settings)))
    assert Counter(cloud.rows(settings, "t")["n"].to_pylist()) == Counter([1, 2])


def test_a_commit_that_glue_is_told_of_twice_keeps_its_manifests(cloud: Cloud) -> None:
    """The second call meets the first one's version: a conflict with ourselves, for which pyiceberg would clean up."""
    settings = cloud.writing()
    cloud.drop(settings, "t/a.csv", "n\n1\n")
    twice: list[str] = []

    def repeats(environ: dict[str, Any], start: Callable[..., Any], answer: Application) -> Iterable[bytes]:
        if str(environ.get("HTTP_X_AMZ_TARGET", "")).endswith(".UpdateTable"):
            twice.append(json.loads(body_of(environ))["TableInput"]["Name"])
            return Disturbance("duplicate", 1)(environ, start, answer)
        return answer(environ, start)

    with between(cloud, repeats):
        reports_of(reconcile(cloud.intake(settings)))
        cloud.drop(settings, "t/b.csv", "n\n2\n")
        reports_of(reconcile(cloud.intake(settings)))
    assert twice.count("t") >= 2
    assert Counter(cloud.rows(settings, "t")["n"].to_pylist()) == Counter([1, 2])
    assert reports_of(reconcile(cloud.intake(settings))) == ()


def test_of_two_updates_of_one_version_the_emulated_glue_refuses_one(cloud: Cloud) -> None:
    """The fence itself, on which every story on AWS relies."""
    settings = cloud.writing()
    glue, database = cloud.client("glue"), settings.name
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "Parameters": {"by": "nobody"}})
    version = glue.get_table(DatabaseName=database, Name="t")["Table"]["VersionId"]
    update = {"Name": "t", "Parameters": {"by": "the first"}}
    glue.update_table(DatabaseName=database, TableInput=update, VersionId=version)
    with pytest.raises(glue.exceptions.ConcurrentModificationException):
        glue.update_table(DatabaseName=database, TableInput={"Name": "t", "Parameters": {}}, VersionId=version)
    assert glue.get_table(DatabaseName=database, Name="t")["Table"]["Parameters"] == {"by": "the first"}
