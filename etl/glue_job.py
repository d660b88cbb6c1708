"""The Glue job (Glue 5: Spark 3.5, Python 3.11): `--stage` and one of `--manifest`, `--reconcile`, `--maintain`.

Spark only carries tasks to executors; the rows never pass through it. They read files, or stretches of a large one;
this driver commits once per dataset and commit's worth of files. Speculation is off: two readers of one file would both
write. A task that fails is run again by Spark, the job by Glue; neither doubles a row, and no bookmark is needed.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from typing import Any

from athena.aws import client
from athena.errors import Failed, LakegateError
from athena.settings_aws import AwsSettings, read_settings_without_secrets
from etl.aws.intake import Places
from etl.aws.metrics import Metrics
from etl.fanout import FanOut
from etl.intake import Intake
from etl.job import Outcome, counts, load_manifest, maintain_all, reconcile_all
from etl.workers import T, outcome

_BEAT_SECONDS = 1.0
TASKS = ("manifest", "reconcile", "maintain")
SPARK = {"spark.speculation": "false", "spark.task.maxFailures": "4"}


class Executors:
    """Spark's executors."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.count = max(1, int(context.defaultParallelism))

    def run(self, tasks: Sequence[Callable[[], T]], beat: Callable[[], None]) -> Iterator[T | LakegateError]:
        """What each task came to, in their order: one Spark task each."""
        with ThreadPoolExecutor(1) as pool:
            results = self._context.parallelize(tasks, len(tasks)).map(outcome)
            collected = pool.submit(results.collect)
            while wait([collected], timeout=_BEAT_SECONDS).not_done:
                beat()
            try:
                yield from collected.result()
            except Exception as error:
                raise Failed(
                    f"Spark gave up on a task: {str(error).splitlines()[0]}.",
                    "Nothing was committed; the job is run again. If it stays so, see the executors' logs.",
                    code="job-failed",
                ) from error


def run(settings: AwsSettings, options: dict[str, str], context: Any) -> Outcome:
    """One run, by the job's arguments."""
    opener = partial(Intake.aws, settings)
    intake = replace(opener(), spread=FanOut(opener, Executors(context), split_bytes=settings.split_bytes))
    if "maintain" in options:
        return maintain_all(intake)
    if "manifest" in options:
        manifests = Places(settings, client("s3", region=settings.region or None)).tables("manifests/")
        outcome = load_manifest(intake, manifests, options["manifest"].rpartition("/")[2])
    else:
        outcome = reconcile_all(intake)
    Metrics(client("cloudwatch", region=settings.region or None), settings.stage).tell(counts(outcome))
    return outcome


def main(argv: Sequence[str]) -> None:
    """Glue's entry: its library is there in Glue alone."""
    from awsglue.utils import getResolvedOptions
    from pyspark.sql import SparkSession

    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
    wanted = [task for task in TASKS if any(one == f"--{task}" or one.startswith(f"--{task}=") for one in argv)]
    options = getResolvedOptions(list(argv), ["stage", *wanted])
    builder = SparkSession.builder.appName("lakegate")
    for name, value in SPARK.items():
        builder = builder.config(name, value)
    settings = read_settings_without_secrets(options["stage"], os.environ, client("ssm"))
    run(settings, {name: options[name] for name in wanted}, builder.getOrCreate().sparkContext)


if __name__ == "__main__":
    main(sys.argv)
