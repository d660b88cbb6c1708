"""The pages of docs/ that are generated: the command line and the settings. `make docs` writes them."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import typer.main

from athena.settings import Settings
from lakegate.cli import app

CLI_HEAD = """\
# The command line

Generated from the commands themselves (`make docs`); a test fails when it is out of date.

Exit codes: 0 done, 1 refused or failed (what happened and what to do stand on stderr, with a code that
[problems.md](problems.md) explains), 2 wrong usage, 3 done with rejects under `--strict`, 130 interrupted.
`--json` prints one JSON document on stdout and nothing else. Progress bars appear on a terminal only.
`LAKEGATE_HOME` names the home for every command, `LAKEGATE_DEBUG=1` adds the traceback of an error.
"""

SETTINGS_HEAD = """\
# Settings

Generated from `athena/settings.py` (`make docs`); a test fails when it is out of date.

A home's settings stand in its `lakegate.toml`. Every key may be left out; an unknown key is an error, so that a
misspelt one cannot pass for a default. Changes count from the next start of `lakegate up` or the next command.

| setting | default | what it is |
|---|---|---|
"""

MEANINGS = {
    "version": "The form of this home's files; written by `lakegate init`, checked by every command.",
    "name": "The database's name in SQL: `SELECT … FROM lake.flights`.",
    "engine_workers": "Child processes that run queries, so many queries at once.",
    "engine_memory_bytes": "Memory that one query may use; beyond it the query fails with `query-memory`.",
    "engine_spill_bytes": "Temporary disk that one query may use; beyond it the query fails with `query-disk`.",
    "engine_threads": "Threads of one query.",
    "query_timeout_seconds": "After so long a query is stopped and fails with `query-timeout`.",
    "statement_seconds": "What reading one statement may cost in seconds of processor time, and rewriting it as much "
    "again; beyond it the question is refused with `sql-too-costly`.",
    "flight_lease_seconds": "When whoever runs a question is silent for so long, another takes over.",
    "table_lease_seconds": "When whoever writes a table is silent for so long, another may write.",
    "result_bytes": "The size of one answer at most; beyond it the query fails with `result-too-large`.",
    "result_days": "How long an answer is kept while its data do not change.",
    "page_rows": "Rows of one page of an answer unless the caller asks for fewer.",
    "max_parked": "Requests that may wait for an answer at once; beyond it they get 202 at once.",
    "token_lifetime_seconds": "How long a bearer token is good.",
    "settle_seconds": "A landing file whose size and time have not changed for so long counts as whole.",
    "maintenance_seconds": "How often `lakegate up` looks whether tables need maintenance; 0 leaves it to "
    "`lakegate maintain`.",
    "cors_origins": "Web origins whose pages may call the HTTP interface.",
    "public_path": "The path below which a proxy serves the lake, such as `/lake`: where links in answers lead.",
    "workers": "Processes that answer HTTP, each with engine children of its own.",
    "tls_certificate": "A certificate with its chain (PEM), below the home or by absolute path; with `tls_key` the "
    "server speaks HTTPS.",
    "tls_key": "The certificate's key (PEM, without a password).",
    "metrics_port": "Where Prometheus finds `/metrics` on 127.0.0.1; further workers take the ports after it; "
    "0: nowhere.",
    "webhook_networks": "Networks (`10.0.0.0/8`) that change notices may go to although they are not public, also by "
    "plain HTTP.",
    "least_memory_bytes": "When the machine has less memory left, requests get `503` with `Retry-After`; 0: never.",
}


# Both homes have these, and mean the same.
SHARED = (
    *("name", "result_bytes", "query_timeout_seconds", "statement_seconds", "flight_lease_seconds"),
    *("table_lease_seconds", "result_days", "page_rows", "max_parked"),
)

AWS_HEAD = """
## On AWS

From `athena/settings_aws.py`: SSM parameters `/lakegate/<stage>/<setting>`, or variables `LAKEGATE_<SETTING>`, which
win. `LAKEGATE_STAGE` names the stage. A setting without a default must be given; an unknown parameter is an error.

| setting | default | what it is |
|---|---|---|
"""

AWS_MEANINGS = {
    **{name: MEANINGS[name] for name in SHARED},
    "stage": "Which lake of the account: `prod`, `test`, …",
    "results": "Where the work groups write results: `s3://bucket/prefix/`. Nobody else writes there; the bucket's "
    "lifecycle rule must keep objects longer than `result_days`.",
    "state_table": "The DynamoDB table of what must survive.",
    "cache_table": "The DynamoDB table of answers; may be emptied at any time.",
    "workgroup": "The Athena work group, with enforced settings.",
    "scan_workgroups": "Further ones that stop a query at so many bytes: `1000000000=lakegate-1gb …`. A partner's "
    "`bytes_scanned_per_query` chooses.",
    "secret": "At least 32 bytes in hex that sign answer ids (SecureString).",
    "salt": "Of masks that hash (SecureString).",
    "region": "The region of every service; that of the process without.",
    "event_bus": "The EventBridge bus that hears of new data.",
    "owners": "What owners see: `landing/`, `datasets/`, `reports/` below `s3://bucket/prefix/`. Loading needs it.",
    "tables": "Tables, ledger and manifests: `s3://bucket/prefix/`. Loading needs it.",
    "queue": "The address of the landing queue.",
    "job": "The Glue job's name.",
    "topic": "The ARN of the topic that hears of loads.",
    "job_timeout_seconds": "How long Glue lets a job run at most.",
    "split_bytes": "A CSV file larger than this is read by many of a job's tasks, an eighth of this each.",
    "cors_origins": "Web origins whose pages may call the HTTP interface, with spaces between.",
    "token_url": "Where partners get tokens, for `/openapi.json` and `/docs`.",
}


def settings_page() -> str:
    """docs/settings.md."""
    from athena.settings_aws import AwsSettings

    return SETTINGS_HEAD + _rows(Settings, MEANINGS) + AWS_HEAD + _rows(AwsSettings, AWS_MEANINGS)


def _rows(record: type, meanings: dict[str, str]) -> str:
    rows = []
    for field in fields(record):
        if field.name in meanings:
            default = "" if field.default is MISSING else f"`{_toml(field.default)}`"
            rows.append(f"| `{field.name}` | {default} | {meanings[field.name]} |\n")
    return "".join(rows)


def cli_page() -> str:
    """docs/cli.md."""
    return CLI_HEAD + "".join(_command_text(typer.main.get_command(app), ("lakegate",)))


def main() -> None:
    """Write the pages into the folder named on the command line, and what the server makes of one of them."""
    from api.explained import TEXTS

    folder = Path(sys.argv[1])
    TEXTS.write_text(problem_texts((folder / "problems.md").read_text(encoding="utf-8")), encoding="utf-8")
    for name, text in (("cli.md", cli_page()), ("settings.md", settings_page())):
        (folder / name).write_text(text, encoding="utf-8")


def problem_texts(page: str) -> str:
    """docs/problems.md as the data that the server explains codes from: meaning and remedy by code."""
    sections = re.findall(r"^### `([a-z0-9-]+)`\n(.*?)(?=^##|\Z)", page, flags=re.MULTILINE | re.DOTALL)
    texts: dict[str, list[str]] = {}
    for code, text in sections:
        meaning, _, remedy = " ".join(text.replace("`", "").split()).partition(" **Do:** ")
        texts[code] = [meaning, remedy or "Follow the remedy that the message gives."]
    return json.dumps(texts, indent=1, ensure_ascii=False) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _command_text(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    children: dict[str, Any] = getattr(command, "commands", {})
    if not children:
        yield f"\n## `{' '.join(path)}`\n\n{_prose(command.help)}\n"
        parameters = [one for one in command.params if not getattr(one, "hidden", False) and one.name != "help"]
        if parameters:
            yield "\n| | |\n|---|---|\n"
            yield from (_parameter_text(one) for one in parameters)
    for name, child in children.items():
        yield from _command_text(child, (*path, name))


def _parameter_text(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        shown = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        names = [*parameter.opts, *parameter.secondary_opts]
        value = "" if parameter.is_flag else f" {(parameter.metavar or parameter.name).upper()}"
        shown = ", ".join(f"`{name}{value}`" for name in names)
    default = parameter.default
    plain = default is None or callable(default) or isinstance(default, bool) or not parameter.show_default
    suffix = "" if plain else f" Default: `{default}`."
    text = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| {shown} | {text}{suffix} |\n"


def _prose(text: str | None) -> str:
    paragraphs = (text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


if __name__ == "__main__":
    main()
