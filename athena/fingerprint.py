"""The key under which an answer is kept. Pure."""

import hashlib
import json
from collections.abc import Mapping

from athena.entitlement import Entitled

_VERSION = "2"


def fingerprint(entitled: Entitled, versions: Mapping[str, str], *, row_limit: int, engine_version: str) -> str:
    """64 hex digits: equal exactly when the answer must be equal.

    Over the canonical entitled SQL (grant, parameters and current_date are literals in it), the names of the answer's
    columns, the types of the columns that are read, the grants on its tables, of each table the data version that last
    changed a row which the question accepts (`versions`), the row limit, and the engine's version, which includes the
    result format's.
    """
    content = {
        "version": _VERSION,
        "sql": entitled.sql,
        "output": entitled.output,
        "policy": entitled.policy,
        "tables": [[name, versions[name]] for name in entitled.tables],
        "columns": entitled.columns,
        "row_limit": row_limit,
        "engine": engine_version,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
