"""How a file's header differs from that of the file before it, of the same source: told in its report. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etl._names import are_comparable, clean_name, most_alike
from etl.batch import Batch, KeyRead, UnitRead

_SHOWN = 20
# Objects have no order.
_UNORDERED = frozenset(["jsonl"])


@dataclass(frozen=True, slots=True)
class Header:
    """The headings of a file that was loaded, as they stood in it; `file` names it to the owner."""

    file: str
    headings: tuple[str, ...]


def header_of(report: Mapping[str, Any] | None) -> Header | None:
    """The header that a report in the ledger tells of; None when the file had none."""
    headings = (report or {}).get("headings") or ()
    return Header(str((report or {})["file"]), tuple(headings)) if headings else None


def told_of_drift(batch: Batch, before: Mapping[str, Header | None]) -> Batch:
    """The batch with a warning in the report of every file whose header is not as its source's was `before`."""
    return replace(batch, keys=tuple(_key(key, before) for key in batch.keys))


def _key(key: KeyRead, before: Mapping[str, Header | None]) -> KeyRead:
    units = tuple(_unit(unit, before.get(unit.source)) for unit in key.units)
    return key if units == key.units else replace(key, units=units)


def _unit(unit: UnitRead, before: Header | None) -> UnitRead:
    report = unit.report
    if before is None or not report.headings or report.headings == before.headings:
        return unit
    drifts = drift(before.headings, report.headings, ordered=report.format not in _UNORDERED)
    if not drifts:
        return unit
    told = f"The header is not that of {before.file}, which this source sent before: {'; '.join(drifts)}."
    return replace(unit, report=replace(report, warnings=(*report.warnings, told)))


def drift(before: Sequence[str], now: Sequence[str], *, ordered: bool = True) -> tuple[str, ...]:
    """What became of the headings: doubled, renamed (by its place or a like name), gone, new, in another order.

    >>> drift(["Day", "Rain"], ["day", "rain "])
    ()
    >>> drift(["day", "rain", "wind"], ["day", "precipitation", "wind"])
    ("'rain' seems to be called 'precipitation' now",)
    >>> drift(["day", "rain", "wind"], ["wind", "day", "day"])
    ("'day' stands twice", "'rain' is gone", 'the others stand in another order')
    """
    was, there = {_name(one): one for one in before}, {_name(one): one for one in now}
    times, times_before = Counter(map(_name, now)), Counter(map(_name, before))
    doubled = [name for name in there if times[name] > 1 and times_before[name] < 2]
    gone, new = [name for name in was if name not in there], [name for name in there if name not in was]
    renamed = _renamed(list(was), list(there), gone, new)
    told = [f"{_shown(there[name])} stands twice" for name in doubled]
    told += [f"{_shown(was[old])} seems to be called {_shown(there[name])} now" for old, name in renamed.items()]
    told += _listed([was[name] for name in gone if name not in renamed], "is gone", "are gone")
    known = set(renamed.values())
    told += _listed([there[name] for name in new if name not in known], "is new", "are new")
    if ordered and [name for name in was if name in there] != [name for name in there if name in was]:
        told.append("the others stand in another order" if told else "the columns stand in another order")
    return tuple(told)


def _renamed(was: list[str], there: list[str], gone: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    compared = are_comparable(gone, new)
    left = dict.fromkeys(new)
    # Between the neighbours that it had: the same column under another name, in all likelihood.
    same_place = dict(zip(was, there, strict=True)) if len(was) == len(there) else {}
    for name in gone:
        alike = most_alike(name, list(left)) if compared else None
        now = alike or same_place.get(name)
        if now in left:
            found[name] = now
            del left[now]
    return found


def _listed(headings: Sequence[str], one: str, several: str) -> list[str]:
    if not headings:
        return []
    names = ", ".join(_shown(heading) for heading in headings[:_SHOWN])
    more = f" and {len(headings) - _SHOWN} more" if len(headings) > _SHOWN else ""
    return [f"{names}{more} {one if len(headings) == 1 else several}"]


def _name(heading: str) -> str:
    return clean_name(heading) or heading.strip()


def _shown(heading: str) -> str:
    text = heading.strip()
    return repr(text if len(text) <= 60 else f"{text[:60]}…")
