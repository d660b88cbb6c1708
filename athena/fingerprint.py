"""The key under which an answer is kept. Pure."""

import hashlib
import json
from collections.abc import Mapping

from athena.entitlement import Entitled
from athena.heads import Head

_VERSION = "1"


def fingerprint(entitled: Entitled, heads: Mapping[str, Head], *, row_limit: int, engine_version: str) -> str:
    """64 hex digits: equal exactly when the answer must be equal.

    Over the canonical entitled SQL (grant, parameters and current_date are literals in it), the names of the answer's
    columns, the grants on its tables, the data version of each table, the row limit, and the engine's version, which
    includes the result format's.
    """
    content = {
        "version": _VERSION,
        "sql": entitled.sql,
        "output": entitled.output,
        "policy": entitled.policy,
        "tables": [[name, heads[name].data_version] for name in entitled.tables],
        "row_limit": row_limit,
        "engine": engine_version,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
