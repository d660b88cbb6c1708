"""Home checks: what is wrong, and what to do now. Data first, in the order in which one thing rests on another."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from athena.dataset import REJECTS_SUFFIX
from athena.errors import LakegateError
from athena.settings import Settings, read_settings
from etl.check_files import check_databases, check_disk, check_folders
from etl.finding import REPAIR, Finding
from etl.intake import Intake

__all__ = ["Finding", "examine"]


def examine(home: Path, *, repair: bool = False, clock: Callable[[], datetime] | None = None) -> tuple[Finding, ...]:
    """Every check on the home, in the order settings, folders, disk, SQLite, catalog, tables, landing. Needs no running
    server and survives damaged files: what cannot be read is a finding."""
    try:
        settings = read_settings(home)
    except LakegateError as error:
        return (Finding.of("settings", str(home), error),)
    found = [Finding("settings", settings.home.name, "ok", "every setting is understood")]
    found += _told("folders", settings.home.name, lambda: check_folders(settings, repair=repair))
    found += check_disk(settings)
    found += _told("sqlite", settings.home.name, lambda: check_databases(settings, repair=repair))
    if any(one.check == "sqlite" and one.level == "error" and not one.repaired for one in found):
        return tuple(found)  # what rests on a damaged file cannot be judged
    found += _told("tables", settings.home.name, lambda: _check_lake(settings, clock or _utc_now, repair=repair))
    return tuple(found)


def _check_lake(settings: Settings, clock: Callable[[], datetime], *, repair: bool) -> Iterator[Finding]:
    from etl.check_table import check_table

    intake = _intake(settings, clock)
    yield from _check_catalog(intake, repair=repair)
    for dataset in _datasets(intake):
        yield from _told("table", dataset, partial(check_table, intake, dataset, repair=repair))
        yield from _told("contract", dataset, partial(_check_contract, intake, dataset))
        yield from _told("landing", dataset, partial(_check_landing, intake, dataset))
    for error in intake.landing.misplaced():
        yield Finding("landing", settings.landing.name, "warning", error.message, error.remedy)


def _check_catalog(intake: Intake, *, repair: bool) -> Iterator[Finding]:
    from etl.rebuild import lost_tables, rebuild_catalog

    lost = sorted(lost_tables(intake))
    if lost and repair:
        made = rebuild_catalog(intake)
        yield Finding("catalog", ", ".join(made), "error", "the catalog did not know these tables", repaired=True)
    elif lost:
        yield Finding("catalog", ", ".join(lost), "error", "the catalog does not know these tables", REPAIR)


def _check_contract(intake: Intake, dataset: str) -> Iterator[Finding]:
    from etl.contract_file import read_contract

    if intake.contract_path(dataset).exists():
        read_contract(intake.contract_path(dataset))
        yield Finding("contract", dataset, "ok", "understood")


def _check_landing(intake: Intake, dataset: str) -> Iterator[Finding]:
    from etl.pending import pending

    found = pending(intake, dataset, intake.landing.listing(dataset), stale=True)
    if found.wanted:
        names = ", ".join(one.key.text for one in found.wanted[:3])
        remedy = "`lakegate up` loads them, or `lakegate reconcile`."
        yield Finding("landing", dataset, "warning", f"{len(found.wanted)} files wait to be loaded: {names}", remedy)
    failed = [key for key, one in intake.ledger.examined(dataset).items() if one.outcome == "failed"]
    if failed:
        remedy = f"`lakegate loads {dataset}` says why; they are tried again when they or the contract change."
        yield Finding("landing", dataset, "warning", f"{len(failed)} files failed: {', '.join(failed[:3])}", remedy)


def _datasets(intake: Intake) -> list[str]:
    from athena.heads.catalog import CatalogFile

    tables = CatalogFile(intake.settings.catalog, intake.settings.name).datasets()
    landed = {one.key.dataset for one in intake.landing.listing()}
    contracts = {path.stem for path in intake.settings.contracts.glob("*.toml")}
    known = {*tables, *landed, *contracts, *intake.ledger.datasets(), *intake.ledger.unresolved()}
    return sorted(name for name in known if not name.endswith(REJECTS_SUFFIX))


def _intake(settings: Settings, clock: Callable[[], datetime]) -> Intake:
    from athena.events.outbox import SqliteOutbox
    from athena.heads.sqlite import SqliteHeads
    from athena.leases.sqlite import SqliteLeases

    return Intake.assemble(
        settings,
        heads=SqliteHeads(settings.state),
        leases=SqliteLeases(settings.state, clock),
        events=SqliteOutbox(settings.state),
        clock=clock,
    )


def _told(check: str, subject: str, findings: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """The findings; an error on the way is one more."""
    found: list[Finding] = []
    try:
        for one in findings():
            found.append(one)  # noqa: PERF402 - what was found before an error counts
    except LakegateError as error:
        found.append(Finding.of(check, subject, error))
    except OSError as error:
        found.append(Finding(check, subject, "error", f"{error}", "Check the disk and permissions."))
    return found


def _utc_now() -> datetime:
    return datetime.now(UTC)
