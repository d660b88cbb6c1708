"""The values that come beside a statement: typed, and never text. Pure.

A value becomes a literal of the tree: str a varchar, int an integer, float a double, bool a boolean, None NULL;
from a saved question also Decimal, date, datetime. In JSON a date is written `CAST(? AS date)`.
So the values are part of the canonical SQL, and of the fingerprint, with
their types: 1, 1.0, True and '1' are four questions.
"""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from athena.errors import Refused
from athena.question import Scalar

Parameters = tuple[Scalar, ...] | Mapping[str, Scalar]

MAX_PARAMETERS = 1000
MAX_TEXT_BYTES = 64 * 1024
_LARGEST_LONG = 2**63 - 1


def typed_text(parameters: Parameters) -> str:
    """The values with their types as one text: a memo's key, as 1, 1.0, True and '1' are four values.

    (Python itself says that `(1,) == (1.0,) == (True,)`: never use the bare tuple as a key.)

    >>> typed_text((1, 1.0, True, "1", None))
    "int:1,float:1.0,bool:True,str:'1',NoneType:None"
    >>> typed_text({"b": 1, "a": "x"})
    "a=str:'x',b=int:1"
    """
    if isinstance(parameters, Mapping):
        return ",".join(f"{name}={_typed(parameters[name])}" for name in sorted(parameters))
    return ",".join(_typed(value) for value in parameters)


def bind(tree: exp.Query, names: tuple[str, ...], parameters: Parameters) -> None:
    """Put the values into `tree`, in place; `names` are its placeholders, `?0`, `?1` … where they have none.

    Raises `Refused` with code `parameters-invalid` when the values are not exactly those that it asks for.
    """
    values = _by_name(names, parameters)
    for node in list(tree.find_all(exp.Placeholder)):
        literal = _literal(node.name, values[node.name])
        if isinstance(node.parent, exp.Limit | exp.Offset | exp.Fetch) and not _is_count(literal):
            raise _refused(f"{_called(node.name)} is no number of rows.", "Give a whole number, 0 or more.")
        node.replace(literal)


def _by_name(names: tuple[str, ...], parameters: Parameters) -> dict[str, Scalar]:
    if isinstance(parameters, Mapping):
        given = dict(parameters)
    else:
        given = {f"?{place}": value for place, value in enumerate(parameters)}
    if len(given) > MAX_PARAMETERS:
        raise _refused(f"{len(given)} parameters; {MAX_PARAMETERS} is the limit.", "Join a dataset instead.")
    missing = [name for name in names if name not in given]
    surplus = sorted(set(given) - set(names))
    if missing:
        raise _refused(f"{_called(missing[0])} has no value.", "Give a value for every ? and :name of the statement.")
    if surplus:
        raise _refused(f"{_called(surplus[0])} is not in the statement.", "Leave it out, or write it as ? or :name.")
    return given


def _literal(name: str, value: Scalar) -> exp.Expr:
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int):
        if not -_LARGEST_LONG - 1 <= value <= _LARGEST_LONG:
            raise _refused(f"{_called(name)} is beyond the range of a long.", "Give it as text and CAST it.")
        return _signed(exp.Literal.number(str(abs(value))), negative=value < 0)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused(f"{_called(name)} is no finite number.", "Use nan() or infinity() in the statement.")
        return _signed(exp.Literal.number(_double(abs(value))), negative=math.copysign(1, value) < 0)
    if isinstance(value, Decimal):
        return _signed(exp.Literal.number(format(abs(value), "f")), negative=value < 0)
    if isinstance(value, date):
        return _moment(value)
    if not isinstance(value, str):
        raise _refused(f"{_called(name)} is a {type(value).__name__}.", "Give text, a number, true, false or null.")
    return exp.Literal.string(_checked(name, value))


def _moment(value: date) -> exp.Expr:
    if not isinstance(value, datetime):
        return exp.Cast(this=exp.Literal.string(value.isoformat()), to=exp.DataType.build("date"))
    kind, zone = "timestamp(6)", ""
    if value.tzinfo is not None:
        value, kind, zone = value.astimezone(UTC).replace(tzinfo=None), "timestamp(6) with time zone", " UTC"
    text = value.isoformat(sep=" ") + zone
    return exp.Cast(this=exp.Literal.string(text), to=exp.DataType.build(kind, dialect="athena"))


def _checked(name: str, value: str) -> str:
    try:
        size_bytes = len(value.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise _refused(f"{_called(name)} is no valid Unicode.", "Give text without lone surrogates.") from error
    if size_bytes > MAX_TEXT_BYTES or "\0" in value:
        raise _refused(f"{_called(name)} is too long or holds a NUL.", f"Give at most {MAX_TEXT_BYTES} bytes.")
    return value


def _double(value: float) -> str:
    """A literal that is a double in both engines: `1.5` would be a decimal.

    >>> _double(1.5), _double(1e300)
    ('1.5E0', '1E300')
    """
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}E{int(exponent or 0)}"


def _signed(literal: exp.Expr, *, negative: bool) -> exp.Expr:
    return exp.Paren(this=exp.Neg(this=literal)) if negative else literal


def _is_count(literal: exp.Expr) -> bool:
    return isinstance(literal, exp.Literal) and not literal.is_string and literal.name.isdigit()


def _typed(value: Scalar) -> str:
    return f"{type(value).__name__}:{value!r}"


def _called(name: str) -> str:
    return f"Parameter {int(name[1:]) + 1}" if name.startswith("?") else f"Parameter :{name[:60]}"


def _refused(message: str, remedy: str) -> Refused:
    return Refused(message, remedy, code="parameters-invalid")
