"""An execution as Athena's answers show it."""

import time
from typing import TYPE_CHECKING, Any

from lakegate.emulate.result import Type

if TYPE_CHECKING:
    from lakegate.emulate.service import Execution

ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


def described(execution: "Execution") -> dict[str, Any]:
    """As `GetQueryExecution` has it."""
    asked = execution.request
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted_at}
    if execution.reason:
        status["StateChangeReason"] = execution.reason
    if execution.ended_at:
        status["CompletionDateTime"] = execution.ended_at
    if execution.error is not None:
        status["AthenaError"] = {
            "ErrorCategory": execution.error.category,
            "ErrorType": execution.error.kind,
            "Retryable": False,
            "ErrorMessage": str(execution.error),
        }
    return {
        "QueryExecutionId": execution.id,
        "Query": asked["QueryString"],
        "StatementType": "DML",
        "SubstatementType": "SELECT" if execution.unload is None else "UNLOAD",
        "ResultConfiguration": {"OutputLocation": execution.output},
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": asked.get("QueryExecutionContext") or {},
        "Status": status,
        "Statistics": statistics_of(execution),
        "WorkGroup": asked.get("WorkGroup") or "primary",
        "EngineVersion": ENGINE,
        **({"ExecutionParameters": asked["ExecutionParameters"]} if asked.get("ExecutionParameters") else {}),
    }


def statistics_of(execution: "Execution") -> dict[str, Any]:
    """Times and bytes, and where the list of an UNLOAD's files is."""
    manifest = {} if execution.manifest is None else {"DataManifestLocation": execution.manifest}
    milliseconds = int(1000 * ((execution.ended_at or time.time()) - execution.submitted_at))
    return {
        "EngineExecutionTimeInMillis": milliseconds,
        "DataScannedInBytes": execution.bytes_scanned,
        "TotalExecutionTimeInMillis": milliseconds,
        "QueryQueueTimeInMillis": 0,
        "QueryPlanningTimeInMillis": 0,
        "ServiceProcessingTimeInMillis": 0,
        **manifest,
    }


def column_info(name: str, kind: Type) -> dict[str, Any]:
    """One of `ColumnInfo`."""
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind.name,
        "Precision": kind.precision,
        "Scale": kind.scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind.name in ("varchar", "char"),
    }
