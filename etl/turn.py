"""A turn at a table: the lease that orders the writers, waited for, kept and given back.

The lease is order, not safety: the catalog's compare-and-swap is the fence against a writer that lost it unknowingly.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from athena.errors import Busy
from athena.leases import Lease, Leases, lease_lost
from etl.intake import Intake

WAIT_SECONDS = 900.0
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5


class Turn:
    """The lease while it is ours."""

    def __init__(self, leases: Leases, lease: Lease, clock: Callable[[], datetime], seconds: float) -> None:
        self._leases = leases
        self._clock = clock
        self._seconds = seconds
        self.lease = lease

    def keep(self) -> None:
        """Renew when a third of the time is gone. Raises `Failed` ("lease-lost") when another writer has it."""
        if self._clock() >= self.lease.expires_at - timedelta(seconds=self._seconds * 2 / 3):
            self.check()

    def check(self) -> None:
        """Renew now: before the step that others must not see us take late. Raises as `keep`."""
        renewed = self._leases.renew(self.lease, seconds=self._seconds)
        if renewed is None:
            raise lease_lost(self.lease.name)
        self.lease = renewed


@contextmanager
def turn_at(intake: Intake, dataset: str) -> Iterator[Turn]:
    """Wait for the table's lease, hold it, give it back. Raises `Busy` ("table-busy") after `WAIT_SECONDS`."""
    seconds = intake.settings.table_lease_seconds
    lease = _waited_for(intake, dataset, seconds)
    held = Turn(intake.leases, lease, intake.clock, seconds)
    try:
        intake.step("claimed")
        yield held
    finally:
        intake.leases.release(held.lease)


def _waited_for(intake: Intake, name: str, seconds: float) -> Lease:
    # Each turn is a holder of its own, so that two threads of one process exclude each other as well.
    own = f"{intake.holder}:{secrets.token_hex(4)}"
    gives_up_at = intake.clock() + timedelta(seconds=WAIT_SECONDS)
    pause = _FIRST_PAUSE_SECONDS
    while (lease := intake.leases.acquire(name, own, seconds=seconds)) is None:
        if intake.clock() >= gives_up_at:
            raise Busy(
                f"{name} has been written by somebody else for {WAIT_SECONDS:.0f} seconds.",
                "Wait for that load to end, or see `lakegate doctor`.",
                code="table-busy",
                retry_after_seconds=60,
            )
        intake.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
    return lease
