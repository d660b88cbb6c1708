"""A home in a temporary folder with a write side that needs no engine."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from athena.events.outbox import SqliteOutbox
from athena.heads.sqlite import SqliteHeads
from athena.leases.sqlite import SqliteLeases
from athena.settings import HOME_FILE, Settings
from etl.aws.landing import S3Landing
from etl.commit import load_table
from etl.contract import Contract
from etl.contract_file import parse_contract
from etl.contract_text import contract_text
from etl.ingest import Reconciled
from etl.intake import Intake
from etl.report import Report


def utc_now() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


def intake_at(home: Path, **changes: Any) -> Intake:
    """The write side of the home in `home`, which is made when it is not there; `changes` replace parts of it."""
    settings = Settings(home=home.resolve(), settle_seconds=0.0)
    for folder in (settings.landing, settings.contracts, settings.partners, settings.tables):
        folder.mkdir(parents=True, exist_ok=True)
    (home / HOME_FILE).touch()
    intake = Intake.assemble(
        settings,
        heads=SqliteHeads(settings.state),
        leases=SqliteLeases(settings.state, utc_now),
        events=SqliteOutbox(settings.state),
        clock=utc_now,
    )
    return replace(intake, **changes)


def drop(intake: Intake, key: str, content: str | bytes) -> str:
    """Put a file into landing, of either home, whole at once; its key."""
    if isinstance(intake.landing, S3Landing):
        intake.landing._bucket.put(key, content.encode() if isinstance(content, str) else content)
        return key
    path = intake.settings.landing / key
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(".arriving")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    temporary.replace(path)
    return key


def reports_of(done: Reconciled) -> tuple[Report, ...]:
    """The reports of a reconciliation to which nothing stood in the way."""
    assert done.unread == ()
    return done.reports


def vanish(intake: Intake, key: str) -> None:
    """Take a file out of landing, as a lifecycle rule does."""
    if isinstance(intake.landing, S3Landing):
        intake.landing._bucket.remove(key)
    else:
        (intake.settings.landing / key).unlink()


def contract_of(intake: Intake, dataset: str) -> Contract:
    """The contract as its owner finds it."""
    text = intake.contracts.text(dataset)
    assert text is not None
    return parse_contract(text, dataset=dataset)


def owner_writes(intake: Intake, contract: Contract) -> None:
    """The owner writes the contract."""
    intake.contracts.save(contract.dataset, contract_text(contract))


def rows_of(intake: Intake, dataset: str) -> pa.Table:
    """Everything in the table, read by pyiceberg itself; no rows without a table."""
    table = load_table(intake.catalog, dataset)
    return pa.table({}) if table is None else table.scan().to_arrow()


def values_of(intake: Intake, dataset: str, column: str) -> list[object]:
    """One column of the table, sorted."""
    table = rows_of(intake, dataset)
    values = table[column].to_pylist() if column in table.schema.names else []
    return sorted(values, key=lambda value: (str(type(value)), value))
