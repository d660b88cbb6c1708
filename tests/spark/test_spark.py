"""Spark 3.5, as Glue 5 has it, in local mode: what its executors read equals what one process reads."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from secrets import token_hex
from types import ModuleType
from typing import Any

import pytest

from athena.errors import LakegateError
from etl.fanout import FanOut
from etl.glue_job import SPARK, Executors, main
from etl.ingest import reconcile
from etl.workers import T
from tests.cloud import Cloud
from tests.etl.test_large import damaged, quoted
from tests.fanned import check_alike, drop_damaged, drop_flights, fanned
from tests.home import drop, intake_at
from tests.trigger import Trigger

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java on this machine: SPARK WAS NOT TESTED"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def context(cloud: Cloud) -> Iterator[Any]:
    """Spark on two cores of this machine; a task that fails is tried four times, as in Glue."""
    from pyspark.sql import SparkSession

    before = dict(os.environ)
    os.environ |= cloud.emulator.environment
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2,4]").appName("tests")
    for name, value in {**SPARK, "spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1"}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    yield spark.sparkContext
    spark.stop()
    os.environ.clear()
    os.environ.update(before)


def test_damaged_files_give_the_same_tables_and_rejects(context: Any, tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", Executors(context))
    drop_damaged(one, many, every=16)
    check_alike(one, many)


@pytest.mark.long
def test_all_damaged_files_give_the_same_tables_and_rejects(context: Any, tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", Executors(context))
    drop_damaged(one, many)
    check_alike(one, many)


@pytest.mark.long
def test_real_files_give_the_same_tables(context: Any, tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", Executors(context))
    drop_flights(one, many)
    check_alike(one, many)


class Dying:
    """Executors whose first task of all (or the first that does `only` this) ends its process."""

    def __init__(self, context: Any, mark: Path, *, only: str = "") -> None:
        self.count = 2
        self._context = context
        self._mark = mark
        self._only = only

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        mark, only = self._mark, self._only

        def read(task: Callable[[], T]) -> T | LakegateError:
            from etl.workers import outcome

            done = outcome(task)
            if not mark.exists() and only in str(task):
                mark.touch()
                os._exit(1)
            return done

        beat()
        yield from self._context.parallelize(tasks, len(tasks)).map(read).collect()


def test_a_task_whose_process_dies_is_run_again_and_doubles_nothing(context: Any, tmp_path: Path) -> None:
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", Dying(context, tmp_path / "died"))
    for home in (one, many):
        for number in range(6):
            drop(home, f"t/{number}.csv", f"n,name\n{number},x\nbroken\n" + "7,y\n" * 30 + f"{number},z\n")
    check_alike(one, many)
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("content", [damaged(1500), quoted(800, "\r\n")], ids=["damaged", "quoted"])
def test_a_large_file_is_read_by_many_tasks_and_gives_the_same(context: Any, tmp_path: Path, content: bytes) -> None:
    """One of its tasks loses its process when it has written its rows, and is run again."""
    dying = Dying(context, tmp_path / "died", only="write_rows")
    one, many = intake_at(tmp_path / "one"), fanned(tmp_path / "many", dying, split_bytes=16 * 1024)
    for home in (one, many):
        drop(home, "t/a.csv", content)
    check_alike(one, many)
    assert (tmp_path / "died").exists()


def test_a_job_whose_tasks_fail_for_good_commits_nothing(context: Any, tmp_path: Path) -> None:
    def broken() -> Any:
        raise RuntimeError("no such home")

    many = intake_at(tmp_path / "home", spread=FanOut(broken, Executors(context)))
    drop(many, "t/a.csv", "n\n1\n")
    (error,) = reconcile(many).unread
    assert (error.code, many.heads.get("t")) == ("job-failed", None)
    assert "Spark gave up on a task" in error.message


def test_the_job_as_glue_starts_it(cloud: Cloud, context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments, settings from SSM, executors that reach S3 and DynamoDB by themselves, one commit."""
    utils = ModuleType("awsglue.utils")
    # Glue's own library cannot be had outside of it under a free licence; this is what the job uses of it.
    utils.getResolvedOptions = lambda argv, names: {name: argv[argv.index(f"--{name}") + 1] for name in names}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "awsglue", ModuleType("awsglue"))
    monkeypatch.setitem(sys.modules, "awsglue.utils", utils)
    settings, dataset = cloud.settings(), f"spark_{token_hex(4)}"
    trigger = Trigger(cloud, settings)
    for number in range(6):
        cloud.drop(settings, f"{dataset}/{number}.csv", f"n,name\n{number},x\n" + "7,y\n" * 30 + "broken\n")
    trigger.dispatch()
    (manifest,) = trigger.started()
    for _ in range(2):  # Glue may run it again
        main(["glue_job.py", "--stage", settings.stage, "--manifest", manifest, "--JOB_NAME", settings.job])
    assert cloud.rows(settings, dataset).num_rows == 6 * 31
    assert cloud.rows(settings, f"{dataset}__rejects").num_rows == 6
    head = cloud.intake(settings).heads.get(dataset)
    assert head is not None
    assert len(cloud.intake(settings).ledger.history(dataset, limit=100)) == 6
