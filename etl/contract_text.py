"""A contract → TOML: aligned, in the table's column order, the same text for the same contract. Pure."""

import json
from typing import Any

from athena.dataset import Column
from etl.contract import Contract, SourceRules

_INFERRED_NOTE = """\
# Found out from the files. While inferred = true, later files may widen the types and this file is written anew
# (comments are lost then). Set it to false to make it yours: bad values become rejects from then on.
"""
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def contract_text(contract: Contract) -> str:
    """The contract as TOML; `parse_contract` reads it back to an equal value.

    >>> print(contract_text(Contract("flights", (), description="NYC")).splitlines()[3])
    description  = "NYC"
    """
    top = {
        "description": contract.description,
        "inferred": contract.inferred,
        "same_content": contract.same_content,
        "new_columns": contract.new_columns,
        "max_rejected": contract.max_rejected,
    }
    parts = [(_INFERRED_NOTE + "\n" if contract.inferred else "") + _pairs(top)]
    if contract.columns:
        parts.append("[columns]\n" + _pairs({column.name: _column(column) for column in contract.columns}))
    layout = {"partition": contract.layout.partition, "sort": contract.layout.sort}
    if any(layout.values()):
        parts.append("[layout]\n" + _pairs({key: value for key, value in layout.items() if value}))
    for name, rules in contract.sources.items():
        parts.append(f"[sources.{_key(name)}]\n" + _pairs(_rules(rules)))
    return "\n".join(parts)


def _column(column: Column) -> dict[str, Any]:
    told = {
        "type": str(column.type),
        "required": column.required or None,
        "unit": column.unit,
        "description": column.description,
        "sensitive": column.sensitive or None,
        "allowed": column.allowed,
    }
    return {key: value for key, value in told.items() if value is not None}


def _rules(rules: SourceRules) -> dict[str, Any]:
    told = {name: getattr(rules, name) for name in rules.__dataclass_fields__}
    return {key: value for key, value in told.items() if value is not None and value != {}}


def _pairs(values: dict[str, Any]) -> str:
    width = max((len(_key(key)) for key in values), default=0)
    return "".join(f"{_key(key):<{width}} = {_value(value)}\n" for key, value in values.items())


def _key(key: str) -> str:
    return key if key and _BARE.issuperset(key) else _value(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's; it alone leaves DEL as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return repr(value)
