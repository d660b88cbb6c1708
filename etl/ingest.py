"""THE WRITE STORY: a file that landed becomes rows that can be asked for, or a report that says why not.

    landing → sources → study (dialect, types) → transform (blocks, rejects) → write (Parquet)
            → lease → plan → intent → commit → contract → rejects → ledger → event → head

The long part needs no lease: what is read then is checked against the home as it is once the table is ours.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from athena.dataset import check_dataset_name
from athena.errors import Failed, LakegateError, NotFound, Refused
from etl.attempt import change_of, discard, read, settle
from etl.batch import Order
from etl.describe import describe
from etl.history import Load, load_of
from etl.intake import Intake
from etl.landing import DEFAULT_SOURCE, Key, Landed, checked_keys, ignored, key_of, parse_key
from etl.pending import pending
from etl.publish import deliver, publish, resolve
from etl.report import Report
from etl.retract import retract
from etl.rewrite import spared
from etl.turn import turn_at

__all__ = ["Load", "Reconciled", "Report", "ingest", "load_files", "loads", "reconcile", "reload", "retract"]

Progress = Callable[[str, int, int, int], None]
"""Told the source's name, bytes done and in all over both passes (decompressed; 0 while unknown), and rows so far."""

ATTEMPTS = 5
_WORTH_ANOTHER = frozenset(["commit-conflict", "lease-lost", "file-changed"])
_UNREADABLE = "unreadable"
_OF_ONE_FILE = frozenset(["file-changed", _UNREADABLE])
_PAUSE_SECONDS = 0.05
# One commit takes many small files, but not for ever: the table is somebody else's turn after that.
BATCH_FILES = 500
BATCH_BYTES = 4 * 1024**3


def silent(_name: str, _done: int, _total: int, _rows: int) -> None:
    """Where progress is told to nobody."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation did: reports of what was read, keys whose files are gone (their rows stay), why
    some files are nobody's, which contracts cannot be understood (their datasets were left alone), and why files could
    not be read or loaded just now (they are tried again)."""

    reports: tuple[Report, ...]
    vanished: tuple[str, ...] = ()
    unchanged: int = 0
    misplaced: tuple[Refused, ...] = ()
    refused: tuple[Refused, ...] = ()
    unread: tuple[LakegateError, ...] = ()


def ingest_once(intake: Intake, order: Order) -> tuple[Report, ...]:
    """THE STORY: files of one dataset, as they are now, in one commit. Raises `Failed` when others were faster."""
    early = read(intake, order)
    with ExitStack() as unless_planned:
        unless_planned.callback(discard, intake, early)
        if not early.keys:
            return ()
        intake.step("read")
        with turn_at(intake, order.dataset) as held:
            resolve(intake, order.dataset)
            batch, decision = settle(intake, order, early, held)
            unless_planned.callback(discard, intake, batch)
            plan, change = spared(intake, decision.plan, change_of(batch, decision.plan), beat=held.keep)
            held.check()
            unless_planned.pop_all()
            head = publish(intake, plan, change, held.lease)
    snapshot = head.snapshot_id if head else None
    return tuple(replace(one, snapshot=None if one.status == "failed" else snapshot) for one in decision.reports)


def ingest(intake: Intake, key: str, *, progress: Progress | None = None) -> tuple[Report, ...]:
    """Load the file at `key` as it is now; one report per source (a zip has several)."""
    parsed = parse_key(key)
    return _ingest(intake, Order(parsed.dataset, (parsed,), progress or silent))


def load_files(
    intake: Intake,
    files: Sequence[Path],
    *,
    dataset: str,
    source: str = DEFAULT_SOURCE,
    progress: Progress | None = None,
) -> tuple[Report, ...]:
    """Copy files into landing and load them, in as few commits as may be. Reports in the order of `files`."""
    checked_keys(files, dataset=dataset, source=source)  # before anything is copied
    keys = [intake.landing.put(file, dataset=dataset, source=source) for file in files]
    portions = _portions([(key, file.stat().st_size) for key, file in zip(keys, files, strict=True)])
    return _ingest_many(intake, (Order(dataset, some, progress or silent) for some in portions))


def reconcile(intake: Intake, dataset: str | None = None, *, progress: Progress | None = None) -> Reconciled:
    """Make the tables what their keys want: resolve open commits, load what is new or changed, what failed under
    another contract, and what an older contract read. Raises `NotFound` ("no-such-dataset")."""
    if dataset is not None and not _exists(intake, dataset):
        raise NotFound(
            f"There is no dataset {dataset!r}.",
            "Drop a file under landing/<dataset>/, or see `lakegate datasets`.",
            code="no-such-dataset",
        )
    done = catch_up(intake, dataset, stale=True, progress=progress or silent)
    strays = intake.landing.misplaced(dataset)
    misplaced = tuple(one for one in strays if isinstance(one, Refused))
    unread = (*done.unread, *(one for one in strays if isinstance(one, Failed)))
    return replace(done, misplaced=misplaced, unread=unread)


def catch_up(
    intake: Intake,
    dataset: str | None,
    *,
    stale: bool,
    settled: Callable[[Landed], bool] = lambda _: True,
    progress: Progress = silent,
) -> Reconciled:
    """The same, of the files that `settled` lets pass; without `stale`, rows of an older contract are left alone.
    What is nobody's, or cannot be looked at, is not told."""
    landed: dict[str, list[Landed]] = {name: [] for name in _known(intake, dataset)}
    for one in intake.landing.listing(dataset):
        landed.setdefault(one.key.dataset, []).append(one)
    reports: list[Report] = []
    vanished: list[str] = []
    refused: list[Refused] = []
    unread: list[LakegateError] = []
    unchanged = 0
    for name, there in sorted(landed.items()):
        try:
            describe(intake, name)
            found = pending(intake, name, there, stale=stale)
        except Refused as error:
            refused.append(error)
            continue
        except LakegateError as error:  # a dataset in trouble holds up no other
            unread.append(error)
            continue
        portions = _portions([(one.key, one.size_bytes) for one in found.wanted if settled(one)])
        some, failures = _ingest_all(intake, (Order(name, keys, progress, listed=True) for keys in portions))
        reports, unread = [*reports, *some], [*unread, *failures]
        vanished += found.vanished
        unchanged += found.unchanged
    deliver(intake)  # of who died behind a commit that was whole
    return Reconciled(tuple(reports), tuple(vanished), unchanged, refused=tuple(refused), unread=tuple(unread))


def load_keys(intake: Intake, dataset: str, keys: Iterable[str], *, progress: Progress | None = None) -> Reconciled:
    """Load what lies under these keys now and is not known yet, in as few commits as may be. Keys that are gone, or
    nobody's, are passed over: an event may be late, early or told twice."""
    there = [landed for key in sorted(set(keys)) if (landed := _landed(intake, dataset, key)) is not None]
    found = pending(intake, dataset, there, stale=False)
    portions = _portions([(one.key, one.size_bytes) for one in found.wanted])
    orders = (Order(dataset, some, progress or silent, listed=True) for some in portions)
    reports, unread = _ingest_all(intake, orders)
    deliver(intake)  # of who died behind a commit that was whole
    return Reconciled(tuple(reports), unchanged=found.unchanged, unread=tuple(unread))


def reload(intake: Intake, dataset: str, *, key: str | None = None, progress: Progress | None = None) -> Reconciled:
    """Load again what lies in landing, by the contract as it is now; what was retracted as well. Files that are gone
    keep their rows (`vanished`)."""
    there = [one for one in intake.landing.listing(dataset) if key is None or one.key.text == key]
    held = {key_of(unit) for unit in intake.ledger.holdings(dataset).units}
    gone = {name for name in held if key is None or name == key} - {one.key.text for one in there}
    if not there and not gone:
        raise Refused(
            f"Nothing of {key or dataset} lies in landing, and nothing of it was loaded.",
            "`lakegate datasets` and `lakegate loads` say what there is.",
            code="not-landed",
        )
    # All in one commit: only then may a column change its type, since no row of the old one stays.
    keys = tuple(one.key for one in there)
    order = Order(dataset, keys, progress or silent, retype=key is None, anew=True, listed=True)
    return Reconciled(_ingest_many(intake, [order] if there else []), tuple(sorted(gone)))


def read_again(intake: Intake, dataset: str, keys: Sequence[str]) -> tuple[Report, ...]:
    """Load these keys in one commit, whatever is known of them. Raises `Refused` ("not-landed")."""
    return _ingest(intake, Order(dataset, tuple(map(parse_key, keys)), silent)) if keys else ()


def loads(intake: Intake, dataset: str | None = None, *, limit: int = 100) -> tuple[Load, ...]:
    """What became of each load, newest first."""
    return tuple(load_of(past) for past in intake.ledger.history(dataset, limit=limit))


def _ingest(intake: Intake, order: Order) -> tuple[Report, ...]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return ingest_once(intake, order)
        except Failed as error:
            if error.code not in _WORTH_ANOTHER or attempt == ATTEMPTS:
                raise
            intake.sleep(_PAUSE_SECONDS * attempt)
    raise AssertionError("unreachable")


def _ingest_many(intake: Intake, orders: Iterable[Order]) -> tuple[Report, ...]:
    """The reports of several orders; what could not be read is raised once all else is loaded."""
    reports, unread = _ingest_all(intake, orders)
    if unread:
        raise unread[0]
    return tuple(reports)


def _ingest_all(intake: Intake, orders: Iterable[Order]) -> tuple[list[Report], list[LakegateError]]:
    """One commit an order of one dataset; or a few, when one of its files does not hold still or cannot be read: it
    holds up no other. The reports, and why files could not be read, or why nothing more can be loaded."""
    reports: list[Report] = []
    unread: list[LakegateError] = []
    for order in orders:
        waiting = [order]
        while waiting:
            now, *waiting = waiting
            try:
                reports += _ingest(intake, now)
            except LakegateError as error:
                if not (isinstance(error, Failed) and error.code in _OF_ONE_FILE):
                    return reports, [*unread, error]
                # A column may change its type only where all files are read.
                whole = now.retype and error.code == _UNREADABLE
                if len(now.keys) > 1 and not whole:
                    waiting = [*_halves(now), *waiting]
                elif not (now.listed and intake.landing.get(now.keys[0]) is None):
                    unread.append(error)
    return reports, unread


def _halves(order: Order) -> tuple[Order, Order]:
    half = len(order.keys) // 2
    return replace(order, keys=order.keys[:half]), replace(order, keys=order.keys[half:])


def _landed(intake: Intake, dataset: str, text: str) -> Landed | None:
    try:
        key = parse_key(text)
    except Refused:
        return None
    return None if key.dataset != dataset or ignored(key.name) else intake.landing.get(key)


def _exists(intake: Intake, dataset: str) -> bool:
    there = intake.landing.holds(check_dataset_name(dataset)) or intake.contracts.text(dataset) is not None
    return there or dataset in _known(intake, None)


def _known(intake: Intake, dataset: str | None) -> tuple[str, ...]:
    """Datasets to look at even if nothing lies in landing: somebody may have left a commit half done."""
    if dataset is not None:
        return (dataset,)
    return tuple(sorted({*intake.ledger.datasets(), *intake.ledger.unresolved()}))


def _portions(sized: Sequence[tuple[Key, int]]) -> Iterator[tuple[Key, ...]]:
    some: list[Key] = []
    size_bytes = 0
    for key, size in sized:
        if some and (len(some) >= BATCH_FILES or size_bytes + size > BATCH_BYTES):
            yield tuple(some)
            some, size_bytes = [], 0
        some.append(key)
        size_bytes += size
    if some:
        yield tuple(some)
