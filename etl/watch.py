"""The embedded trigger: look into landing again and again, load what is settled."""

from collections.abc import Callable

from etl.ingest import Reconciled
from etl.intake import Intake


def watch(
    intake: Intake,
    *,
    stop: Callable[[], bool],
    told: Callable[[Reconciled], None] | None = None,
    interval_seconds: float = 0.5,
) -> None:
    """Run until `stop()`; `told` hears of every round that loaded something. A file that fails is told, reported and
    tried again only when it or the contract changes. Never raises for what a file or the disk does."""
    raise NotImplementedError
