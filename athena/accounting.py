"""What a caller has asked and may still ask: `GET /v1/usage`."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from athena.grants import Limits
from athena.lake import Lake
from athena.meter import BYTES, QUESTIONS
from athena.planning import standing_of
from athena.question import Caller
from athena.telling import FAILED, LIMITED, OWNER_NAME, REFUSED
from athena.usage.windows import days_back, minute_of

_ASKED = ("hit", "miss", "joined", "bypass")


@dataclass(frozen=True, slots=True)
class Counts:
    """Questions by what became of them; `failed` are runs of the engine. `hit_rate` is that of the answered ones,
    None when there are none. `scanned_bytes` is None for a partner of whom rows are hidden."""

    questions: int
    hit: int
    miss: int
    joined: int
    bypass: int
    refused: int
    limited: int
    failed: int
    hit_rate: float | None
    scanned_bytes: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """One caller's counts of today (UTC) and of all days that are kept, and the limits; `limits` is None for the
    owner. `minute_used` is how much of this minute's questions is used up or held by a server process."""

    partner: str | None
    today: Counts
    kept_days: int
    all_days: Counts
    minute_used: int
    minute_ends_at: datetime
    limits: Limits | None


def usage(lake: Lake, caller: Caller) -> Account:
    """The caller's account as of now, all processes together; what others counted in the last second is missing.

    Raises `NotFound` for a partner without a grant, `Failed` when the store is away.
    """
    standing, now = standing_of(lake, caller), lake.clock()
    grant, name = standing.grant, caller.partner or OWNER_NAME
    lake.clerk.write()
    store, days, minute = lake.meter.usage, days_back(now), minute_of(now)
    counted = [store.counts(name, day) for day in days]
    # Sums of bytes tell the size of hidden rows.
    shown = grant is None or all(one.rows is None for one in grant.datasets.values())
    whole: Counter[str] = Counter()
    for one in counted:
        whole.update(one)
    return Account(
        partner=caller.partner,
        today=_counts(Counter(counted[0]), bytes_shown=shown),
        kept_days=len(days),
        all_days=_counts(whole, bytes_shown=shown),
        minute_used=store.counts(name, minute).get(QUESTIONS, 0) if grant is not None else 0,
        minute_ends_at=minute.ends_at,
        limits=None if grant is None else grant.limits,
    )


def _counts(counted: "Counter[str]", *, bytes_shown: bool) -> Counts:
    answered = sum(counted[name] for name in _ASKED)
    return Counts(
        questions=answered + counted[REFUSED] + counted[LIMITED],
        hit=counted["hit"],
        miss=counted["miss"],
        joined=counted["joined"],
        bypass=counted["bypass"],
        refused=counted[REFUSED],
        limited=counted[LIMITED],
        failed=counted[FAILED],
        hit_rate=round(counted["hit"] / answered, 4) if answered else None,
        scanned_bytes=counted[BYTES] if bytes_shown else None,
    )
