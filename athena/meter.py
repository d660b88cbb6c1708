"""What partners may still use: rate, bytes of the day, slots. One meter per process; `athena/usage/` holds the sums.

A question's rate is taken from a slice that this process has leased from the minute's quota, so that a hit costs no
look-up. Slices shrink as the quota runs out: never is more given than the quota, and an idle process holds back a
sixteenth of it at most. While the store is away, questions are answered and not counted.
"""

import logging
import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from athena.errors import Damaged, Failed, LimitExceeded, OutcomeUnknown
from athena.grants import Grant
from athena.question import Rate
from athena.usage import Quota, Taken, Usage, Window
from athena.usage.windows import day_of, minute_of

# The parts that a quota is leased in.
SLICES = 16
# As Athena bills; and no sum tells the size of a file.
CHARGED_BYTES = 10_000_000
RUNNING_RETRY_SECONDS = 2
QUESTIONS, BYTES = "questions_admitted", "bytes_scanned"

_log = logging.getLogger(__name__)
_AWAY = (Failed, Damaged, OutcomeUnknown)


UNLIMITED = Rate(None)


@dataclass(slots=True)
class _Slice:
    """What this process holds of one minute's quota; `beyond` is what nobody has leased yet, as last seen."""

    window: Window
    most: int
    left: int
    beyond: int
    ends_at: float


class Meter:
    """Admits and counts. Every method may be called from any thread; `spare` alone never waits for the store."""

    def __init__(self, usage: Usage, clock: Callable[[], datetime]) -> None:
        self.usage = usage
        self._clock = clock
        self._lock = threading.Lock()
        self._slices: dict[str, _Slice] = {}
        self._counted: Counter[tuple[str, Window, str]] = Counter()

    def spare(self, grant: Grant | None) -> Rate | None:
        """One question off what this process holds; None when it holds nothing and the store must be asked."""
        if grant is None or grant.limits.queries_per_minute is None:
            return UNLIMITED
        now = self._clock().timestamp()
        with self._lock:
            held = self._slices.get(grant.partner)
            if held is None or held.left < 1 or now >= held.ends_at or held.most != grant.limits.queries_per_minute:
                return None
            held.left -= 1
            return _rate(held, now)

    def admit(self, grant: Grant | None) -> Rate:
        """One question of the minute's quota; raises `LimitExceeded` (`rate-limit`) when it is used up."""
        rate = self.spare(grant)
        if rate is not None or grant is None or grant.limits.queries_per_minute is None:
            return rate or UNLIMITED
        now, most = self._clock(), grant.limits.queries_per_minute
        with self._lock:
            held = self._slices.get(grant.partner)
            known = held if held is not None and held.most == most and now.timestamp() < held.ends_at else None
            wanted = max(1, (most if known is None else known.beyond) // SLICES)
            if known is not None and known.left == 0 and known.beyond == 0:
                raise _too_often(_rate(known, now.timestamp()))
        quota = Quota(grant.partner, minute_of(now), QUESTIONS, most)
        try:
            taken = self.usage.take(quota, wanted=wanted, least=1)
        except _AWAY as error:
            _log.warning("limits are not counted: %s", error.code)
            return Rate(most, 0, 1)
        return self._leased(quota, taken)

    def _leased(self, quota: Quota, taken: Taken) -> Rate:
        now = self._clock().timestamp()
        with self._lock:
            held = self._slices.get(quota.partner)
            if held is None or held.window != quota.window or held.most != quota.most:
                held = _Slice(quota.window, quota.most, 0, 0, quota.window.ends_at.timestamp())
                self._slices[quota.partner] = held
            held.left += taken.given
            held.beyond = max(0, quota.most - taken.used)
            if held.left < 1:
                raise _too_often(_rate(held, now))
            held.left -= 1
            return _rate(held, now)

    def enter(self, grant: Grant, holder: str, *, seconds: float) -> None:
        """A slot for one more run; raises `LimitExceeded` (`too-many-running`)."""
        most = grant.limits.concurrent_queries
        if most is None:
            return
        try:
            entered = self.usage.enter(grant.partner, holder, most=most, seconds=seconds)
        except _AWAY as error:
            _log.warning("limits are not counted: %s", error.code)
            return
        if not entered:
            raise LimitExceeded(
                f"{most} of your questions are being computed, and no more may be at one time.",
                "Wait for one of them, or cancel it. What was computed before is answered all the same.",
                code="too-many-running",
                retry_after_seconds=RUNNING_RETRY_SECONDS,
            )

    def stay(self, partner: str, holder: str, *, seconds: float) -> None:
        """Prolong the slot of a run."""
        try:
            self.usage.stay(partner, holder, seconds=seconds)
        except _AWAY as error:
            _log.warning("limits are not counted: %s", error.code)

    def exit(self, partner: str, holder: str, *, held: bool) -> None:
        """Free the slot, if one was `held`; it ends by itself when the store is away."""
        try:
            if held:
                self.usage.leave(partner, holder)
        except _AWAY as error:
            _log.warning("limits are not counted: %s", error.code)

    def reserve(self, grant: Grant, size_bytes: int | None) -> int:
        """Bytes off the day's quota, which it gives back; raises `LimitExceeded` (`daily-bytes`).

        With None the size is known after the run alone: then there must be something left.
        """
        most = grant.limits.bytes_scanned_per_day
        if most is None:
            return 0
        now = self._clock()
        charge = 0 if size_bytes is None else charged(size_bytes)
        quota = Quota(grant.partner, day_of(now), BYTES, most)
        try:
            if charge == 0:
                left = size_bytes == 0 or self.usage.counts(quota.partner, quota.window).get(BYTES, 0) < most
            else:
                left = self.usage.take(quota, wanted=charge, least=charge).given == charge
        except _AWAY as error:
            _log.warning("limits are not counted: %s", error.code)
            return 0
        if not left:
            raise LimitExceeded(
                "What you may read in one day (UTC) is used up, or this question would read more than is left.",
                "Come again after midnight UTC, or filter and select less. What was computed before is answered"
                " all the same.",
                code="daily-bytes",
                retry_after_seconds=_seconds_until(quota.window.ends_at.timestamp(), now.timestamp()),
            )
        return charge

    def settle(self, partner: str, size_bytes: int) -> None:
        """Count bytes at once, which a limit depends on: a function may stand still before the next `flush`."""
        if size_bytes <= 0:
            return
        try:
            self.usage.add(partner, day_of(self._clock()), {BYTES: size_bytes})
        except _AWAY:
            self.count(partner, BYTES, size_bytes)

    def count(self, partner: str, name: str, amount: int = 1) -> None:
        """Count for `GET /v1/usage`; written with the next `flush`."""
        key = (partner, day_of(self._clock()), name)
        with self._lock:
            self._counted[key] += amount

    def flush(self) -> None:
        """Write what was counted; what cannot be written is kept for the next time."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        sums: dict[tuple[str, Window], dict[str, int]] = {}
        for (partner, window, name), amount in counted.items():
            sums.setdefault((partner, window), {})[name] = amount
        for (partner, window), counts in sums.items():
            try:
                self.usage.add(partner, window, counts)
            except _AWAY as error:
                _log.warning("usage is not counted yet: %s", error.code)
                with self._lock:
                    self._counted.update({(partner, window, name): amount for name, amount in counts.items()})


def charged(size_bytes: int) -> int:
    """What a read of so many bytes is counted as: whole tens of megabytes, at least one; nothing for nothing.

    >>> charged(1), charged(10_000_001), charged(0)
    (10000000, 20000000, 0)
    """
    return math.ceil(size_bytes / CHARGED_BYTES) * CHARGED_BYTES


def _rate(held: _Slice, now: float) -> Rate:
    return Rate(held.most, held.left + held.beyond, _seconds_until(held.ends_at, now))


def _seconds_until(ends_at: float, now: float) -> int:
    return max(1, math.ceil(ends_at - now))


def _too_often(rate: Rate) -> LimitExceeded:
    return LimitExceeded(
        f"You may ask {rate.most} questions a minute, and have.",
        "Wait as long as Retry-After says.",
        code="rate-limit",
        retry_after_seconds=rate.resets_seconds,
        most_a_minute=rate.most,
    )
