"""The snapshots that running questions read, where whoever expires snapshots can look them up by one key."""

import logging
from datetime import timedelta

from athena.dynamodb import Key, Table, instant, micros
from athena.errors import LakegateError
from athena.lake import Clock

_PINS = "pins"
# What nobody finishes pins nothing for longer than its flight is remembered.
LONGEST = timedelta(days=1)
_log = logging.getLogger(__name__)


class DynamoPins:
    """Items `pins` / `<fingerprint>/<attempt>` of the state table: the ids of snapshots, and until when at most."""

    def __init__(self, state: Table, clock: Clock) -> None:
        self._table = state
        self._clock = clock

    def put(self, fingerprint: str, attempt: int, snapshots: frozenset[str]) -> None:
        """Keep these for a run that is about to begin; the same again changes nothing."""
        ends = self._clock() + LONGEST
        if snapshots:
            self._table.change(
                _key(fingerprint, attempt),
                "SET snapshots = :snapshots, expires_at = :expires_at, ttl = :ttl",
                snapshots=snapshots,
                expires_at=micros(ends),
                ttl=int(ends.timestamp()) + 1,
            )

    def remove(self, fingerprint: str, attempt: int) -> None:
        """The run is over. A pin that cannot be taken off now ends by itself."""
        try:
            self._table.remove(_key(fingerprint, attempt))
        except LakegateError as error:
            _log.info("the pin of %s stays for a while: %s", fingerprint[:12], error.code)

    def snapshots(self) -> frozenset[str]:
        """Those of all that run. None while the table is away: then nothing can be committed either."""
        try:
            now, found = self._clock(), self._table.each(_PINS)
        except LakegateError as error:
            _log.warning("what running questions read cannot be told: %s", error.message)
            return frozenset()
        kept = [item["snapshots"] for item in found if instant(item["expires_at"]) > now]
        return frozenset(one for names in kept if isinstance(names, frozenset) for one in names)


def _key(fingerprint: str, attempt: int) -> Key:
    return Key(_PINS, f"{fingerprint}/{attempt:09d}")
