"""Our frozen values as JSON and back: what stores keep of receipts and of work. Pure."""

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

Value = TypeVar("Value")
Reader = Callable[[Any], Any]


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
    built: Value = _reader(cast(Any, kind))(orjson.loads(content))
    return built


@lru_cache(maxsize=1024)
def recall(kind: type[Value], content: bytes) -> Value:
    """The same as `decode`, for what is read on every request and seldom changes: the value may be shared."""
    return decode(kind, content)


@cache
def _reader(kind: Any) -> Reader:
    """What turns parsed JSON into a `kind`; made once per type, as every cached answer is read with one."""
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass_reader(kind)
    if origin in (Union, types.UnionType):
        inner = _reader(next(argument for argument in arguments if argument is not type(None)))
        return lambda raw: None if raw is None else inner(raw)
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda raw: tuple([item(one) for one in raw])
    if origin is dict:
        value = _reader(arguments[1])
        return lambda raw: {key: value(one) for key, one in raw.items()}
    return datetime.fromisoformat if kind is datetime else _as_it_is


def _dataclass_reader(kind: type) -> Reader:
    hints = get_type_hints(kind)
    plain = {field.name for field in fields(kind)}
    readers = [(name, _reader(hints[name])) for name in plain if _reader(hints[name]) is not _as_it_is]

    def read(raw: dict[str, Any]) -> Any:
        known = {name: raw[name] for name in raw if name in plain}
        for name, reader in readers:
            if name in known:
                known[name] = reader(known[name])
        return kind(**known)

    return read


def _as_it_is(raw: Any) -> Any:
    return raw
