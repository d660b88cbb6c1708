"""A process of its own that asks one question many times at once: `python -m tests.stories.aws_asker`.

Standard input: one line of JSON with `settings`, `sql`, `askers`. Standard output, among the lines of the audit log:
`told ready`, and, after the next line of input has come, `told` and JSON with what came back.
"""

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from athena.ask import ask, wait
from athena.lake import Lake
from athena.question import OWNER
from athena.records import decode
from athena.settings_aws import AwsSettings
from tests.cloud import patient
from tests.lakes import question, rows

PATIENCE_SECONDS = 120.0


def main() -> None:
    """See the module."""
    told = json.loads(sys.stdin.readline())
    settings = decode(AwsSettings, json.dumps(told["settings"]).encode())
    with patient(), Lake.aws(settings) as lake, ThreadPoolExecutor(told["askers"]) as pool:
        _warm(lake)
        print("told ready", flush=True)  # noqa: T201
        sys.stdin.readline()
        found = list(pool.map(lambda _: _asked(lake, told["sql"]), range(told["askers"])))
    counted = Counter(json.dumps(one) for one in found)
    print("told " + json.dumps(counted), flush=True)  # noqa: T201


def _warm(lake: Lake) -> None:
    # What every process pays once is no part of being asked at once.
    lake.heads.all()


def _asked(lake: Lake, sql: str) -> list[object]:
    answer = ask(lake, question(sql))
    answer = wait(lake, OWNER, answer.id, seconds=PATIENCE_SECONDS)
    return [answer.state.value, rows(answer) if answer.page is not None else None]


if __name__ == "__main__":
    main()
