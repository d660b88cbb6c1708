"""What the first pass must find out about a file under a contract, and what follows from it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from athena.dataset import Column, DataType
from athena.errors import Refused
from etl._form import NUMERIC
from etl._names import are_comparable, clean_name, most_alike
from etl._plan import file_names
from etl._seen import Seen
from etl._settle import settle
from etl._values import MISSING
from etl.contract import Contract, SourceRules
from etl.dialect import Dialect
from etl.infer import decide, fit

_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """`infer`: the columns (by the table's names) whose every value must be seen, and their places in the file.
    `sampled`: the contract's columns that a sample tells enough of. `new` are those that the contract does not have."""

    infer: Mapping[str, int]
    sampled: tuple[Column, ...]
    new: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Concluded:
    """What the file is to be loaded as."""

    columns: tuple[Column, ...]
    rules: SourceRules
    added: tuple[str, ...]
    warnings: tuple[str, ...]


def wanted(dialect: Dialect, contract: Contract | None, rules: SourceRules) -> Wanted:
    """What to look for. Raises `Refused` ("contract-mismatch") when the file's columns are not the contract's."""
    names = file_names(dialect, rules)
    places = {name: place for place, name in enumerate(names)}
    if contract is None:
        return Wanted(places, (), names)
    known = {column.name: column for column in contract.columns}
    new = tuple(name for name in names if name not in known)
    absent = [column for column in contract.columns if column.name not in places]
    if not dialect.header and len(absent) == len(contract.columns):
        raise _without_header(contract, len(names))
    warnings = _check_columns(contract, new, absent, dialect, places)
    new = new if contract.new_columns == "add" else ()
    here = [column for column in contract.columns if column.name in places]
    infer = [*(column.name for column in here if contract.inferred and not _is_settled(column, rules)), *new]
    sampled = () if contract.inferred else tuple(here)
    return Wanted({name: places[name] for name in infer}, sampled, new, warnings)


def _is_settled(column: Column, rules: SourceRules) -> bool:
    """Whether the contract says how the column is written, so that its type is not to be found again."""
    if column.name in rules.formats or column.name in rules.values or column.name in rules.scale:
        return True
    return rules.thousands is not None and column.type.name in NUMERIC


def _without_header(contract: Contract, fields: int) -> Refused:
    """Of a file whose columns are not as many as the contract's: nobody can say which is which."""
    names = ", ".join(column.name for column in contract.columns[:_SHOWN_NAMES])
    return Refused(
        f"No line of the file names its columns, and it has {fields} of them; "
        f"the contract has {len(contract.columns)}: {names}.",
        "Put the names above the records; or list all columns of the file in the contract, in their order.",
        code="contract-mismatch",
    )


def _check_columns(
    contract: Contract, new: Sequence[str], absent: Sequence[Column], dialect: Dialect, places: Mapping[str, int]
) -> tuple[str, ...]:
    required = [column.name for column in absent if column.required]
    if required or len(absent) == len(contract.columns):
        names = ", ".join(required or [column.name for column in absent[:_SHOWN_NAMES]])
        raise Refused(
            f"The file does not have {'the required column' if required else 'any column of the contract:'} {names}; "
            f"it has {', '.join(list(places)[:_SHOWN_NAMES])}.",
            "Mend the file's header, or map its headings in the contract's `rename`.",
            code="contract-mismatch",
        )
    if new and contract.new_columns == "reject":
        raise Refused(
            f"The file has columns that the contract does not know: {', '.join(new[:_SHOWN_NAMES])}.",
            'Add them to the contract, or set new_columns = "add" or "ignore".',
            code="contract-mismatch",
        )
    headings = {clean_name(one) for one in dialect.headings}
    doubled = {name for name in dialect.names if name not in headings}
    known, there = [column.name for column in contract.columns], [name for name in places if name not in doubled]
    renamed = seems_renamed(known, there)
    warnings = [f"The file has no column {one.name}: it is NULL." for one in absent if one.name not in renamed]
    warnings += drift(known, there)
    if new and contract.new_columns == "ignore":
        warnings.append(f"Not loaded, because the contract does not know them: {', '.join(new[:_SHOWN_NAMES])}.")
    return tuple(warnings)


def drift(known: Sequence[str], there: Sequence[str]) -> list[str]:
    """How a file's header differs from the contract's columns, as sentences: what seems renamed, and another order.

    >>> drift(["day", "dep_delay"], ["day", "departure_delay"])[0][:55]
    'departure_delay is new and dep_delay is missing: if it '
    >>> drift(["a", "b"], ["b", "a"])
    ['The columns stand in another order than in the contract (b, a): they are found by their names.']
    >>> drift(["a", "b"], ["a", "b", "c"])
    []
    """
    found = [
        f"{new} is new and {name} is missing: if it was renamed, write "
        f'rename = {{ "{new}" = "{name}" }} in the contract and reload; now {name} is NULL.'
        for name, new in seems_renamed(known, there).items()
    ]
    common = _common(there, known)
    if common != _common(known, there):
        shown = ", ".join(common[:_SHOWN_NAMES])
        found.append(
            f"The columns stand in another order than in the contract ({shown}): they are found by their names."
        )
    return found


def _common(names: Sequence[str], others: Collection[str]) -> list[str]:
    others = set(others)
    return [name for name in names if name in others]


def seems_renamed(known: Sequence[str], there: Sequence[str]) -> dict[str, str]:
    """The columns that are missing, each with the new one that it seems to be called now; none where nearly all
    is new, so that it is another table.

    >>> seems_renamed(["day", "dep_delay"], ["day", "departure_delay"])
    {'dep_delay': 'departure_delay'}
    """
    before, now = set(known), set(there)
    absent = [name for name in known if name not in now]
    new = [name for name in there if name not in before]
    if len(new) == len(absent) == 1:
        return {absent[0]: new[0]}
    if not are_comparable(absent, new):
        return {}
    alike = {name: most_alike(name, new) for name in absent}
    return {name: one for name, one in alike.items() if one is not None}


def settled(
    found: Wanted, values: Mapping[str, Sequence[str]], rules: SourceRules, dialect: Dialect
) -> tuple[SourceRules, Wanted]:
    """The rules completed from a sample's values; what the sample leaves open must be seen whole."""
    rules, undecided = settle(found.sampled, values, rules)
    names = file_names(dialect, rules)
    more = {name: names.index(name) for name in undecided}
    return rules, Wanted({**found.infer, **more}, found.sampled, found.new, found.warnings)


def spellings(rules: SourceRules) -> tuple[str, ...]:
    """How a missing value is spelled in columns that are not text."""
    return MISSING if rules.null is None else ("", *rules.null)


def concluded(contract: Contract | None, found: Wanted, seen: Mapping[str, Seen], rules: SourceRules) -> Concluded:
    """The columns to load. Raises `Refused` ("type-conflict") when a contract cannot be widened to the file."""
    inferred = decide(seen, rules)
    if contract is None:
        columns, added = fit((), inferred, new=found.new, widen=False)
    else:
        columns, added = fit(contract.columns, inferred, new=found.new, widen=contract.inferred)
    # With a contract, formats are only for columns whose type it is that they write.
    types = {column.name: column.type.name for column in columns}
    formats = {
        name: form
        for name, form in inferred.rules.formats.items()
        if name in rules.formats or types.get(name) != "string"
    }
    completed = replace(inferred.rules, formats=formats)
    return Concluded(columns, completed, added, (*found.warnings, *inferred.warnings))


def as_text(dialect: Dialect, rules: SourceRules) -> Concluded:
    """Every column of the file as text."""
    columns = tuple(Column(name, DataType("string")) for name in file_names(dialect, rules))
    return Concluded(columns, rules, (), ())
