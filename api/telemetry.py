"""What is told of a request on AWS: one line of JSON that is a log record and carries CloudWatch's metrics. Pure.

Embedded metric format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
No statement, no value, no credentials.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

NAMESPACE = "Lakegate"
_UNITS = {"Requests": "Count", "Milliseconds": "Milliseconds", "Faults": "Count", "ColdStarts": "Count"}
# A request that asks nothing counts neither for nor against the cache.
_OUTCOMES = {"hit": "Hits", "miss": "Misses", "joined": "Joins", "bypass": "Bypasses"}


@dataclass(frozen=True, slots=True)
class Told:
    """One request that has been answered."""

    stage: str
    request_id: str
    trace_id: str
    method: str
    route: str
    status: int
    milliseconds: float
    size_bytes: int
    partner: str | None
    cache: str | None
    cold: bool


def request_line(told: Told, *, at: datetime) -> str:
    """The line of one request, without its line end.

    >>> told = Told("test", "r1", "", "GET", "/healthz", 200, 1.5, 15, None, None, False)
    >>> line = orjson.loads(request_line(told, at=datetime(2026, 11, 21, tzinfo=UTC)))
    >>> line["route"], line["Requests"], line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]
    ('/healthz', 1, [['stage'], ['stage', 'route']])
    """
    counted: dict[str, float] = {
        "Requests": 1,
        "Milliseconds": round(told.milliseconds, 2),
        "Faults": int(told.status >= 500),
        "ColdStarts": int(told.cold),
        **({} if told.cache is None else {_OUTCOMES[told.cache]: 1}),
    }
    metrics = [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in counted]
    described = {"Namespace": NAMESPACE, "Dimensions": [["stage"], ["stage", "route"]], "Metrics": metrics}
    return orjson.dumps(
        {
            "at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": "INFO",
            "message": "request",
            "stage": told.stage,
            "request_id": told.request_id,
            "trace_id": told.trace_id,
            "method": told.method,
            "route": told.route,
            "status": told.status,
            "bytes": told.size_bytes,
            "partner": told.partner,
            "cache": told.cache,
            **counted,
            "_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [described]},
        }
    ).decode()


def log_line(*, level: str, name: str, message: str, at: datetime) -> str:
    """The line of anything else that is logged.

    >>> log_line(level="ERROR", name="lakegate.api", message="no", at=datetime(2026, 11, 21, tzinfo=UTC))
    '{"at":"2026-11-21T00:00:00.000Z","level":"ERROR","logger":"lakegate.api","message":"no"}'
    """
    when = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return orjson.dumps({"at": when, "level": level, "logger": name, "message": message}).decode()
