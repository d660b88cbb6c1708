"""A clock that a test moves."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Calls give `at`; `pass_seconds` moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
