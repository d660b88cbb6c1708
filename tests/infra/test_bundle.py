"""The archive of the function: everything that is needed is in it, nothing else is, and it works by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from api.app import app
from api.callers.clients import Client, DynamoClients
from api.docs import TYPES
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.dynamodb import DynamoGrants
from infra.bundle import APP, MOST_UNPACKED_BYTES, PYTHON, Bundle, _pack
from tests.cloud import Cloud
from tests.gateway import CLAIMS, event
from tests.infra.clean import answers
from tests.lakes import FLIGHTS

HEAVY = {"boto3", "duckdb", "numpy", "pandas", "pyarrow", "pyiceberg", "awswrangler", "s3transfer", "cryptography"}
OURS = {"api", "athena"}
OTHERS = {
    "botocore",
    "chalice",
    "dateutil",
    "flask_swagger_ui",
    "jmespath",
    "mypy_extensions",
    "orjson",
    "six",
    "sqlglot",
    "urllib3",
}
RUNS_HERE = f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON

runs_here = pytest.mark.skipif(not RUNS_HERE, reason=f"the function's machine code is for Python {PYTHON}")


def names(archive: Path) -> list[str]:
    with ZipFile(archive) as opened:
        return opened.namelist()


def test_nothing_heavy_is_in_it_and_nothing_that_nobody_has_named(built: Bundle) -> None:
    tops = {name.partition("/")[0].partition(".")[0] for name in names(built.archive) if ".dist-info/" not in name}
    assert tops & HEAVY == set()
    assert tops == {"app", *OURS, *OTHERS}


def test_it_unpacks_to_40_mb_at_most(built: Bundle, unpacked: Path) -> None:
    size = sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
    assert size == built.unpacked_bytes <= MOST_UNPACKED_BYTES == 40_000_000


def test_the_same_content_is_the_same_archive_byte_for_byte(built: Bundle, tmp_path: Path) -> None:
    folders = (built.project / "vendor", built.archive.parent / "chalice")
    _pack(tmp_path / "again.zip", folders, {"app.py": APP})
    assert (tmp_path / "again.zip").read_bytes() == built.archive.read_bytes()


def test_every_licence_travels_along(built: Bundle) -> None:
    licensed = {name.partition("-")[0] for name in names(built.archive) if ".dist-info/" in name}
    assert {"botocore", "chalice", "orjson", "sqlglot", "urllib3"} <= licensed


def test_chalice_finds_its_project_there(built: Bundle) -> None:
    config = json.loads((built.project / ".chalice" / "config.json").read_text())
    assert config["lambda_timeout"] == 29
    assert (built.project / "app.py").read_text() == APP
    wanted = (built.project / "requirements.txt").read_text().splitlines()
    assert all(line.startswith("#") for line in wanted)


@runs_here
def test_the_handler_works_from_the_archive_alone(unpacked: Path) -> None:
    found = answers(unpacked, [event("GET", "/healthz"), event("GET", "/v1/datasets")], {})
    healthy, failed = found["told"]
    # Without a stage there are no settings: a documented problem, and no exception.
    assert (healthy["statusCode"], json.loads(healthy["body"])["code"]) == (503, "settings-unavailable")
    assert json.loads(failed["body"])["code"] == "settings-unavailable"
    assert found["strays"] == []
    assert {name.partition(".")[0] for name in found["modules"]} & HEAVY == set()


@runs_here
def test_a_partner_is_answered_from_the_archive_alone(unpacked: Path, cloud: Cloud) -> None:
    settings = cloud.settings()
    with cloud.lake(settings) as lake:
        lake.heads.publish(cloud.tables().append("flights", FLIGHTS))
        assert isinstance(lake.grants, DynamoGrants)
        lake.grants.put(Grant("united", "", {"flights": DatasetGrant("carrier = 'UA'", ("*",))}, Limits(), ""))
    DynamoClients(cloud.state(settings)).put(Client("machine1", "united"))
    body = json.dumps({"sql": "SELECT carrier, count(*) AS n FROM flights GROUP BY carrier"})
    asked = [event("POST", "/v1/queries", body=body, claims=CLAIMS)] * 2
    pages = [event("GET", "/docs"), *(event("GET", "/docs/{file}", file=name) for name in TYPES)]
    environment = {**cloud.emulator.environment, "LAKEGATE_STAGE": settings.stage, "AWS_LAMBDA_FUNCTION_NAME": "here"}
    found = answers(unpacked, [*asked, event("GET", "/healthz"), *pages], environment)
    first, second, health = (_shown(one) for one in found["told"][:3])
    assert [(one["statusCode"], len(one["body"]) > 200) for one in found["told"][3:]] == [(200, True)] * len(pages)
    assert (first["cache"], second["cache"]) == ("miss", "hit")
    assert first["rows"] == second["rows"] == [["UA", "1"]]
    assert health == {"status": "ok"}
    assert found["strays"] == []
    assert not [
        name for name in found["modules"] if name.startswith(("athena.engines.duckdb", "sqlglot.dialects.duck"))
    ]


def _shown(told: dict[str, Any]) -> dict[str, Any]:
    assert told["statusCode"] == 200, told
    shown: dict[str, Any] = json.loads(told["body"])
    return shown


def test_chalice_makes_the_same_package_and_wants_the_scope_on_every_partner_route(
    built: Bundle, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "package", "--stage", "api"]
    done = subprocess.run(
        [*command, "--pkg-format", "cloudformation", str(tmp_path / "out")],
        cwd=built.project,
        env={"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "sam.json").read_text())
    for path, methods in template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"].items():
        for method, told in methods.items():
            wanted = None if path in app.public or method == "options" else [{"partners": ["lakegate/query"]}]
            assert told.get("security") == wanted, (path, method)
    handler = template["Resources"]["APIHandler"]["Properties"]
    assert (handler["Handler"], handler["Runtime"]) == ("app.app", "python3.11")
    theirs, ours = set(names(tmp_path / "out" / "deployment.zip")), set(names(built.archive))
    assert theirs <= ours
    assert all(name.startswith("chalice/__pycache__/") for name in ours - theirs)
