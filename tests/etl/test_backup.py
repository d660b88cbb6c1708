"""A backup is the home at one instant, whoever loads meanwhile; a restore changes nothing unless all of it is whole."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from pyiceberg.avro.file import AvroFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import Record

from athena.errors import Damaged, Refused
from etl.backup import backup
from etl.doctor import examine
from etl.ingest import reconcile, retract
from etl.intake import Intake
from etl.maintain import maintain
from etl.restore import restore
from tests.home import drop, intake_at, reports_of, rows_of, utc_now, values_of

# The kernel ends the process at once, with nothing cleaned up, when a file grows beyond the limit.
KILLED = """
import resource, signal, sys
from pathlib import Path
from athena.settings import read_settings
from etl.backup import backup
from etl.restore import restore
from tests.home import utc_now
home, file, most_bytes = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
restore(file, home) if sys.argv[1] == "restore" else backup(read_settings(home), file, clock=utc_now)
"""


def killed(what: str, home: Path, file: Path, *, at_bytes: int) -> None:
    """A process that backs up or restores is ended when it has written so much of one file."""
    command = [sys.executable, "-c", KILLED, what, str(home), str(file), str(at_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGXFSZ, done.stderr


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    intake = intake_at(tmp_path / "home")
    for number in range(3):
        drop(intake, f"t/f{number}.csv", f"n,m\n{number},1\n{number + 10},1\nbad\n" + "7,1\n" * 20)
        reports_of(reconcile(intake))
    (intake.settings.partners / "p.toml").write_text("")
    return intake


def put_aside(intake: Intake) -> None:
    """The home is lost."""
    shutil.rmtree(intake.settings.home)


def test_a_home_comes_back_as_it_was(intake: Intake, tmp_path: Path) -> None:
    before = values_of(intake, "t", "n")
    done = backup(intake.settings, tmp_path / "b.tar", clock=utc_now)
    assert done.files > 10
    put_aside(intake)
    restore(tmp_path / "b.tar", intake.settings.home)
    again = intake_at(intake.settings.home)
    assert values_of(again, "t", "n") == before
    assert (again.settings.partners / "p.toml").exists()
    assert [one for one in examine(again.settings.home) if one.level == "error"] == []
    assert reports_of(reconcile(again)) == ()
    drop(again, "t/late.csv", "n,m\n99,1\n")
    assert [one.status for one in reports_of(reconcile(again))] == ["loaded"]
    assert 99 in values_of(again, "t", "n")


def test_what_was_retracted_is_not_loaded_again_by_a_restored_home(intake: Intake, tmp_path: Path) -> None:
    retract(intake, "t/f1.csv")
    backup(intake.settings, tmp_path / "b.tar", clock=utc_now)
    put_aside(intake)
    restore(tmp_path / "b.tar", intake.settings.home)
    again = intake_at(intake.settings.home)
    reports_of(reconcile(again))
    assert 11 not in values_of(again, "t", "n")


def test_a_file_of_two_names_comes_back_under_both(intake: Intake, tmp_path: Path) -> None:
    landing = intake.settings.landing / "t"
    (landing / "again.csv").hardlink_to(landing / "f0.csv")
    (landing / "link.csv").symlink_to("f0.csv")
    (landing / "circle.csv").symlink_to("circle.csv")
    (tmp_path / "secret.csv").write_text("n,m\n99,1\n")
    (landing / "out.csv").symlink_to(tmp_path / "secret.csv")
    backup(intake.settings, tmp_path / "b.tar", clock=utc_now)
    restore(tmp_path / "b.tar", tmp_path / "other")
    there = tmp_path / "other/landing/t"
    assert sorted(path.name for path in there.iterdir()) == ["again.csv", "f0.csv", "f1.csv", "f2.csv", "link.csv"]
    assert (there / "again.csv").read_bytes() == (there / "link.csv").read_bytes() == (there / "f0.csv").read_bytes()


def test_garbage_is_left_out(intake: Intake, tmp_path: Path) -> None:
    maintain(intake)
    stray = intake.data("t") / "nobody.parquet"
    stray.write_bytes(b"x")
    backup(intake.settings, tmp_path / "b.tar", clock=utc_now)
    with tarfile.open(tmp_path / "b.tar") as tar:
        assert not [name for name in tar.getnames() if name.endswith("nobody.parquet")]


def test_neither_overwrites_anything(intake: Intake, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    backup(intake.settings, file, clock=utc_now)
    with pytest.raises(Refused, match="exists already") as refusal:
        backup(intake.settings, file, clock=utc_now)
    assert refusal.value.code == "file-exists"
    with pytest.raises(Refused, match="overwrites nothing") as refusal:
        restore(file, intake.settings.home)
    assert refusal.value.code == "home-exists"
    assert values_of(intake, "t", "n")


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_damaged_backup_restores_nothing(intake: Intake, tmp_path: Path, place: float) -> None:
    file = tmp_path / "b.tar"
    backup(intake.settings, file, clock=utc_now)
    put_aside(intake)
    with tarfile.open(file) as tar:
        largest = sorted((one for one in tar if one.size > 100), key=lambda one: one.offset_data)
    member = largest[int(place * len(largest))]
    data = bytearray(file.read_bytes())
    data[member.offset_data + member.size // 2] ^= 0xFF
    file.write_bytes(bytes(data))
    with pytest.raises(Damaged, match="not what they were") as refusal:
        restore(file, intake.settings.home)
    assert refusal.value.code == "backup-damaged"
    assert not intake.settings.home.exists()


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100], ids=["empty", "text"])
def test_what_is_no_backup_restores_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.tar").write_bytes(content)
    with pytest.raises(Damaged, match="cannot be restored"):
        restore(tmp_path / "b.tar", tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_backup_cannot_write_outside_of_the_home(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        tar.add(tmp_path / "evil", "../../evil2")
    with pytest.raises(Damaged, match="no file of a home"):
        restore(tmp_path / "b.tar", tmp_path / "a" / "home")
    assert not (tmp_path / "evil2").exists()


def test_a_home_comes_back_at_another_path(intake: Intake, tmp_path: Path) -> None:
    retract(intake, "t/f1.csv")
    maintain(intake)
    before, rejected = values_of(intake, "t", "n"), values_of(intake, "t__rejects", "raw")
    old = str(intake.settings.home)
    backup(intake.settings, tmp_path / "b.tar", clock=utc_now)
    put_aside(intake)
    elsewhere = tmp_path / "another place" / "hömé"
    elsewhere.parent.mkdir()
    restore(tmp_path / "b.tar", elsewhere)
    again = intake_at(elsewhere)
    assert values_of(again, "t", "n") == before
    assert values_of(again, "t__rejects", "raw") == rejected
    assert [one for one in examine(elsewhere) if one.level == "error"] == []
    assert reports_of(reconcile(again)) == ()
    drop(again, "t/f0.csv", "n,m\n98,1\n")
    drop(again, "t/late.csv", "n,m\n99,1\n")
    assert sorted(one.status for one in reports_of(reconcile(again))) == ["loaded", "replaced"]
    maintain(again)
    assert {98, 99} <= set(values_of(again, "t", "n"))
    assert not Path(old).exists()
    # Nothing that a home is read by names the old place any more.
    for file in elsewhere.rglob("*"):
        if file.is_file() and file.suffix in (".sqlite", ".avro", ".json"):
            assert f"{old}/".encode() not in logical(file), file


def logical(file: Path) -> bytes:
    """What a file says: pages of a database that are free say nothing."""
    if file.suffix == ".avro":
        with AvroFile[Record](PyArrowFileIO().new_input(str(file))) as reader:
            return repr(list(reader)).encode()
    if file.suffix != ".sqlite":
        return file.read_bytes()
    with closing(sqlite3.connect(file)) as database:
        return "\n".join(database.iterdump()).encode()


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.97])
def test_a_backup_that_is_killed_is_none(intake: Intake, tmp_path: Path, share: float) -> None:
    whole = backup(intake.settings, tmp_path / "whole.tar", clock=utc_now)
    file = tmp_path / "b.tar"
    killed("backup", intake.settings.home, file, at_bytes=int(share * whole.size_bytes))
    assert not file.exists()
    for half in tmp_path.glob(".b.tar*"):
        with pytest.raises(Damaged, match="cannot be restored"):
            restore(half, tmp_path / "other")
    drop(intake, "t/late.csv", "n,m\n99,1\n")
    assert [one.status for one in reports_of(reconcile(intake))] == ["loaded"]
    backup(intake.settings, file, clock=utc_now)
    assert list(tmp_path.glob(".b.tar*")) == []


def test_a_restore_that_is_killed_leaves_no_home_and_can_be_repeated(intake: Intake, tmp_path: Path) -> None:
    before = values_of(intake, "t", "n")
    file, home = tmp_path / "b.tar", intake.settings.home
    backup(intake.settings, file, clock=utc_now)
    with tarfile.open(file) as tar:
        largest = max(one.size for one in tar)
    put_aside(intake)
    killed("restore", home, file, at_bytes=largest - 1)
    assert not home.exists()
    restore(file, home)
    assert values_of(intake_at(home), "t", "n") == before
    assert not home.with_name(f".{home.name}.restoring").exists()


def test_a_backup_beside_loads_is_a_state_that_the_home_was_in(intake: Intake, tmp_path: Path) -> None:
    home = str(intake.settings.home)
    command = [sys.executable, "-m", "tests.stories.dropper", home, "1", "8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        files: list[Path] = []
        while process.poll() is None:
            files.append(tmp_path / f"b{len(files)}.tar")
            backup(intake.settings, files[-1], clock=utc_now)
    assert process.returncode == 0
    for file in files[:: max(1, len(files) // 3)]:
        put_aside(intake)
        restore(file, intake.settings.home)
        again = intake_at(intake.settings.home)
        reports_of(reconcile(again))
        table = rows_of(again, "t")
        assert max(Counter(zip(table["_content"].to_pylist(), table["_line"].to_pylist(), strict=True)).values()) == 1
        assert [one for one in examine(again.settings.home) if one.level == "error"] == []
