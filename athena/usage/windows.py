"""The spans of time that usage is counted in: the minute and the day, UTC. Pure."""

from datetime import UTC, datetime, timedelta

from athena.usage import Window

DAYS_KEPT = 31


def minute_of(now: datetime) -> Window:
    """The minute that `now` is in.

    >>> minute_of(datetime(2026, 11, 21, 6, 45, 30, tzinfo=UTC)).name
    'minute 2026-11-21T06:45'
    """
    begins = now.astimezone(UTC).replace(second=0, microsecond=0)
    ends = begins + timedelta(minutes=1)
    return Window(f"minute {begins:%Y-%m-%dT%H:%M}", ends, ends + timedelta(minutes=1))


def day_of(now: datetime) -> Window:
    """The day that `now` is in.

    >>> day_of(datetime(2026, 11, 21, 6, tzinfo=UTC)).ends_at.isoformat()
    '2026-11-22T00:00:00+00:00'
    """
    begins = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = begins + timedelta(days=1)
    return Window(f"day {begins:%Y-%m-%d}", ends, ends + timedelta(days=DAYS_KEPT))


def days_back(now: datetime) -> tuple[Window, ...]:
    """The days that are kept, today first."""
    return tuple(day_of(now - timedelta(days=back)) for back in range(DAYS_KEPT))
