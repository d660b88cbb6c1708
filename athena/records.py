"""Our frozen values as JSON and back: what stores keep of receipts and of work. Pure."""

import types
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

Value = TypeVar("Value")


def encode(value: object) -> bytes:
    """The value as JSON.

    >>> from athena.dataset import DataType
    >>> encode(DataType("decimal", 12, 2))
    b'{"name":"decimal","precision":12,"scale":2}'
    """
    return orjson.dumps(value)


def decode(kind: type[Value], content: bytes) -> Value:
    """The value of class `kind` that `encode` made `content` of; fields that `kind` has lost are ignored.

    >>> from athena.dataset import DataType
    >>> decode(DataType, b'{"name":"decimal","precision":12,"scale":2}')
    DataType(name='decimal', precision=12, scale=2)
    """
    built: Value = _built(kind, orjson.loads(content))
    return built


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _built(kind: Any, raw: Any) -> Any:
    if raw is None:
        return None
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(**{name: _built(hint, raw[name]) for name, hint in _hints(kind).items() if name in raw})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _built(next(argument for argument in arguments if argument is not type(None)), raw)
    if origin is tuple:
        return tuple(_built(arguments[0], item) for item in raw)
    if origin is dict:
        return {key: _built(arguments[1], item) for key, item in raw.items()}
    if kind is datetime:
        return datetime.fromisoformat(raw)
    return raw
