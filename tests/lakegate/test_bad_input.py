"""Whatever is wrong with what people bring: a paragraph, a remedy, an exit code; the home stays as it was."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lakegate.home import init_home
from tests.lakegate.conftest import STAYS, Command, Done

GOOD = "hotel,guests\nAurora,1\nBorealis,2\n"


def refused(done: Done, code: str, *said: str) -> None:
    """Exit code 1, nothing on stdout, one line on stderr with the code and everything in `said`."""
    assert (done.code, done.out) == (1, "")
    assert f"[{code}]" in done.err
    assert done.err.startswith("lakegate: ")
    assert [text for text in said if text not in done.err] == []
    assert "Traceback" not in done.err


def failed(done: Done, code: str) -> dict[str, object]:
    """Exit code 1 and a report that says why, on stdout as JSON; a message and a remedy in it."""
    report: dict[str, object] = json.loads(done.out)
    error = report["error"]
    assert isinstance(error, dict)
    assert (done.code, report["status"], error["code"]) == (1, "failed", code)
    assert error["message"]
    assert error["remedy"]
    return report


def dropped(home: Path, content: bytes, name: str = "file.csv") -> Path:
    path = home / "landing" / "stays" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def count(lakegate: Command, home: Path) -> int:
    return int(lakegate("query", "SELECT count(*) AS n FROM stays", "-f", "csv", "--home", home).out.split()[1])


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("engine_workers = 0", "engine_workers is 0, expected at least 1. The default is 2."),
        ("page_rows = -4", "page_rows is -4, expected at least 1."),
        ("query_timeout_seconds = nan", "query_timeout_seconds is nan, expected at least 0.001."),
        ("result_days = inf", "result_days is inf, expected at least 0.001."),
        ('name = "my lake"', "name is 'my lake', expected lower-case letters"),
        ('workers = "2"', "workers is '2', expected a whole number."),
        ('cors_origins = "https://x"', "expected a list of texts."),
    ],
)
def test_a_setting_that_could_not_work_is_refused(lakegate: Command, home: Path, line: str, wanted: str) -> None:
    (home / "lakegate.toml").write_text(f"version = 1\n{line}\n", encoding="utf-8")
    refused(lakegate("query", "SELECT 1", "--home", home), "settings-invalid", wanted)


@pytest.mark.parametrize(
    "arguments",
    [("datasets",), ("load", "x.csv", "-d", "stays"), ("query", "SELECT 1"), ("up",), ("doctor",), ("partner", "list")],
)
def test_a_missing_home(lakegate: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused(lakegate(*arguments, "--home", tmp_path / "nowhere"), "no-home", "nowhere", "lakegate init")


def test_a_misspelt_setting(lakegate: Command, home: Path) -> None:
    (home / "lakegate.toml").write_text("version = 1\nengine_wrokers = 3\n")
    refused(
        lakegate("datasets", "--home", home), "settings-invalid", "engine_wrokers", "engine_workers", "lakegate.toml"
    )


def test_settings_that_are_no_toml(lakegate: Command, home: Path) -> None:
    (home / "lakegate.toml").write_text("version = \n")
    refused(lakegate("datasets", "--home", home), "settings-invalid", "line 1")


def test_a_home_of_another_version(lakegate: Command, home: Path) -> None:
    (home / "lakegate.toml").write_text("version = 99\n")
    refused(lakegate("datasets", "--home", home), "home-version", "99")


def test_a_file_that_is_not_there(lakegate: Command, home: Path) -> None:
    refused(lakegate("load", home / "no.csv", "-d", "stays", "--home", home), "no-such-file", "no.csv")


def test_a_folder_is_no_file(lakegate: Command, home: Path) -> None:
    done = lakegate("load", home, "-d", "stays", "--home", home)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "unexpected" not in done.err


def test_a_name_that_is_no_dataset(lakegate: Command, home: Path, stays_file: Path) -> None:
    refused(lakegate("load", stays_file, "-d", "../etc", "--home", home), "dataset-name", "../etc", "lower-case")
    refused(lakegate("load", stays_file, "-d", "stays__rejects", "--home", home), "dataset-name", "reserved")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (bytes(range(256)) * 40, "not-text"),
        (b"\x7fELF\x02\x01\x01" + bytes(500), "not-text"),
    ],
)
def test_a_file_that_is_no_table_fails_and_stays_in_landing(
    lakegate: Command, home: Path, content: bytes, code: str
) -> None:
    path = dropped(home, content)
    done = lakegate("load", path, "-d", "stays", "--home", home, "--json")
    failed(done, code)
    assert path.read_bytes() == content
    assert json.loads(lakegate("datasets", "--json", "--home", home).out) == []


@pytest.mark.parametrize("name", ["file.csv.gz", "file.zip"])
def test_a_damaged_archive(lakegate: Command, home: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    magic = b"\x1f\x8b\x08\x00" if name.endswith("gz") else b"PK\x03\x04"
    path.write_bytes(magic + b"no archive at all" * 9)
    done = lakegate("load", path, "-d", "stays", "--home", home, "--json")
    failed(done, "unreadable")


def test_a_failing_file_replaces_nothing(lakegate: Command, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(GOOD)
    assert lakegate("load", path, "-d", "stays", "--home", home).code == 0
    path.write_bytes(b"")
    failed(lakegate("load", path, "-d", "stays", "--home", home, "--json"), "empty-file")
    assert count(lakegate, home) == 2


def test_a_file_of_only_a_header_loads_nothing_and_does_replace(lakegate: Command, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(GOOD)
    lakegate("load", path, "-d", "stays", "--home", home)
    path.write_text("hotel,guests\n")
    report = json.loads(lakegate("load", path, "-d", "stays", "--home", home, "--json").out)
    assert (report["status"], report["rows_in"], report["rows_loaded"]) == ("replaced", 0, 0)
    assert count(lakegate, home) == 0


def test_more_bad_records_than_the_contract_allows(lakegate: Command, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(GOOD + "Dorado,3\n" * 20 + "Cirrus\n" * 5)
    failed(lakegate("load", path, "-d", "stays", "--home", home, "--json"), "too-many-rejects")


def test_a_misspelt_key_in_a_contract(lakegate: Command, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(GOOD)
    lakegate("load", path, "-d", "stays", "--home", home)
    contract = home / "datasets" / "stays.toml"
    contract.write_text("descripton = 'x'\n" + contract.read_text(encoding="utf-8"), encoding="utf-8")
    path.write_text(GOOD + "Cirrus,3\n")
    done = lakegate("load", path, "-d", "stays", "--home", home)
    assert done.code == 1
    assert [
        text
        for text in ("stays.toml", "descripton", "description", "[contract-invalid]")
        if text not in done.out + done.err
    ] == []
    assert count(lakegate, home) == 2


def test_a_misspelt_key_in_a_grant_grants_nothing(lakegate: Command, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(GOOD)
    lakegate("load", path, "-d", "stays", "--home", home)
    (home / "partners" / "aurora.toml").write_text("[datasets.stays]\nrow = \"hotel = 'Aurora'\"\n")
    done = lakegate("query", "SELECT * FROM stays", "--partner", "aurora", "--home", home)
    refused(done, "grant-invalid", "aurora.toml", "row")
    refused(lakegate("partner", "show", "aurora", "--home", home), "grant-invalid", "rows")


def test_a_port_in_use(lakegate: Command, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(lakegate("up", "--port", port, "--home", home), "port-in-use", str(port), "--port")


def test_an_address_of_another_machine(lakegate: Command, home: Path) -> None:
    refused(lakegate("up", "--host", "203.0.113.9", "--port", 0, "--home", home), "address-invalid", "203.0.113.9")


@pytest.mark.parametrize("name", ["state.sqlite", "catalog.sqlite", "cache.sqlite"])
def test_a_corrupt_sqlite_file(lakegate: Command, stays_home: Path, tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    shutil.copytree(stays_home, home)
    for extra in home.glob(f"{name}-*"):
        extra.unlink()
    (home / name).write_bytes(b"this is no database" * 400)
    done = lakegate("doctor", "--json", "--home", home)
    findings = json.loads(done.out)
    assert done.code == 1
    about_it = [one for one in findings if one["level"] == "error" and name in one["subject"] + one["message"]]
    assert about_it
    assert all(one["remedy"] for one in about_it)
    asked = lakegate("query", "SELECT count(*) FROM stays", "--home", home)
    loaded = lakegate("load", __file__, "-d", "stays", "--home", home)
    for done in (asked, loaded):
        assert "Traceback" not in done.err
        assert "[unexpected]" not in done.err + done.out
    if name == "cache.sqlite":
        assert asked.out.split()[-1] == "23", "without its cache a home still answers"
    else:
        assert "[state-damaged]" in asked.err + loaded.err + loaded.out


# Root may write anywhere, so that a read-only disk is played by what stops root too: a file where a folder should
# be, and a limit on the size of any file that is written, which the kernel reports like a full disk.
@pytest.mark.parametrize("folder", ["landing", "tables", "reports"])
def test_a_folder_that_cannot_be_written(lakegate: Command, home: Path, stays_file: Path, folder: str) -> None:
    (home / folder).rmdir()
    (home / folder).write_text("in the way")
    done = lakegate("load", stays_file, "-d", "stays", "--home", home)
    if folder != "reports":
        assert done.code == 1
    assert "Traceback" not in done.err
    assert "[unexpected]" not in done.err + done.out
    assert stays_file.read_text(encoding="utf-8") == STAYS


@pytest.mark.parametrize("kilobytes", [8, 256])
def test_a_full_disk_loses_nothing_and_the_next_load_succeeds(
    lakegate: Command, tmp_path: Path, stays_file: Path, kilobytes: int
) -> None:
    home = init_home(tmp_path / "home").home
    big = tmp_path / "big.csv"
    big.write_text("a,b\n" + "".join(f"{n},{n * n}\n" for n in range(60_000)))
    assert lakegate("load", stays_file, "-d", "stays", "--home", home).code == 0
    command = f"ulimit -f {kilobytes}; exec {sys.executable} -m lakegate load {big} -d stays2 --home {home}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=dict(os.environ))
    assert "Traceback" not in done.stderr
    assert "[unexpected]" not in done.stderr + done.stdout
    assert done.returncode == 1, done.stdout + done.stderr
    assert lakegate("load", big, "-d", "stays2", "--home", home).code == 0
    counted = lakegate("query", "SELECT count(*) AS n FROM stays2", "-f", "csv", "--home", home)
    assert counted.out.split() == ["n", "60000"]
    assert lakegate("doctor", "--home", home).code == 0


def test_reconciling_by_a_contract_that_cannot_be_understood(lakegate: Command, home: Path) -> None:
    dropped(home, GOOD.encode())
    assert lakegate("reconcile", "--home", home).code == 0
    contract = home / "datasets" / "stays.toml"
    contract.write_text('descriptoin = "Stays"\n' + contract.read_text())
    other = home / "landing" / "other" / "file.csv"
    other.parent.mkdir()
    other.write_text(GOOD)
    done = lakegate("reconcile", "--home", home, "--json")
    told = json.loads(done.out)
    assert (done.code, [report["dataset"] for report in told["reports"]]) == (1, ["other"])
    assert [error["code"] for error in told["refused"]] == ["contract-invalid"]
    assert "descriptoin" in told["refused"][0]["message"]
    assert "description" in told["refused"][0]["remedy"]
    assert count(lakegate, home) == 2


def test_reconciling_an_unknown_dataset(lakegate: Command, home: Path) -> None:
    refused(lakegate("reconcile", "nosuch", "--home", home), "no-such-dataset", "nosuch", "lakegate datasets")
