"""A few child processes and the queue before them."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from athena.engines.duckdb.child_process import Child, ChildLost, DeadlinePassed
from athena.engines.duckdb.errand import Done, Errand

# A child that has served so often makes room for a fresh one, so that no fragment of memory adds up.
ERRANDS_PER_CHILD = 500


class Unplanned(Exception):
    """The errand cannot be made; the argument is the code of `athena/failures.py`."""


@dataclass(eq=False)
class Ride:
    """One errand on its way. `prepare` makes the errand in a slot's thread and may raise `Unplanned`; `landed`
    gets the reply there as well. Who asks is `partner`, None for the owner."""

    prepare: Callable[[], Errand]
    landed: Callable[[Done, bytes], None]
    timeout_seconds: float
    partner: str | None = None
    child: Child | None = None
    stopped: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """Kill the child that carries it, now or as soon as one does."""
        with self.lock:
            self.stopped = True
            if self.child is not None:
                self.child.kill()


class Pool:
    """At most `slots` threads with a child each; both start with the first ride that finds none idle.

    Nobody waits behind another partner's long line: a slot takes the ride of whoever rides least, then the oldest; and
    of several slots one partner never holds all.
    """

    def __init__(self, start_child: Callable[[], Child], *, slots: int) -> None:
        self._start_child = start_child
        self._slots = slots
        self._most_each = max(1, slots - 1)
        self._changed = threading.Condition()
        self._waiting: deque[Ride] = deque()
        self._riding: list[Ride] = []
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    @property
    def queued(self) -> int:
        """Rides that wait for a child."""
        return len(self._waiting)

    def warm(self) -> None:
        """Start every slot now."""
        with self._changed:
            while len(self._threads) < self._slots:
                self._add_slot()

    def send(self, ride: Ride) -> None:
        """Queue the ride."""
        with self._changed:
            self._waiting.append(ride)
            if len(self._waiting) > self._idle and len(self._threads) < self._slots:
                self._add_slot()
            self._changed.notify()

    def stop(self, ride: Ride) -> None:
        """End the ride: out of the queue, or its child is killed."""
        with self._changed:
            queued = ride in self._waiting
            if queued:
                self._waiting.remove(ride)
        if queued:
            ride.landed(Done(error_code="cancelled"), b"")
        else:
            ride.stop()

    def close(self) -> None:
        """Stop everything and wait for the slots to end."""
        with self._changed:
            self._closed = True
            waiting, riding = list(self._waiting), list(self._riding)
            self._waiting.clear()
            self._changed.notify_all()
        for ride in waiting:
            ride.landed(Done(error_code="engine-lost"), b"")
        for ride in riding:
            ride.stop()
        for thread in self._threads:
            thread.join()

    def _add_slot(self) -> None:
        thread = threading.Thread(target=self._serve, name="engine-slot", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        child = self._fit(None)
        while (ride := self._next()) is not None:
            child = self._fit(child)
            if child is None:
                ride.landed(Done(error_code="engine-failed", log="no child could be started"), b"")
            elif not _carry(ride, child):
                child.kill()
            with self._changed:
                self._riding.remove(ride)
                self._changed.notify_all()
            child = self._fit(child)
        if child is not None:
            child.close()

    def _fit(self, child: Child | None) -> Child | None:
        """`child` itself while it is good for another errand, else a new one; None when none can be started."""
        if child is not None:
            if self._closed or (child.alive and child.errands < ERRANDS_PER_CHILD):
                return child
            child.close()
        try:
            return self._start_child()
        except OSError:
            return None

    def _next(self) -> Ride | None:
        with self._changed:
            self._idle += 1
            while (ride := self._turn()) is None and not self._closed:
                self._changed.wait()
            self._idle -= 1
            if self._closed or ride is None:
                return None
            self._waiting.remove(ride)
            self._riding.append(ride)
            return ride

    def _turn(self) -> Ride | None:
        """Whose turn it is; the owner's rides have no share to keep to."""
        held = Counter(ride.partner or "" for ride in self._riding if ride.partner is not None)
        fit = [ride for ride in self._waiting if held[ride.partner or ""] < self._most_each]
        return min(fit, key=lambda ride: held[ride.partner or ""], default=None)


def _carry(ride: Ride, child: Child) -> bool:
    """Run one ride on `child`; False when the child is of no more use."""
    deadline = time.monotonic() + ride.timeout_seconds
    page, usable = b"", False
    try:
        errand = ride.prepare()
        with ride.lock:
            ride.child = child
            stopped = ride.stopped
        if stopped:
            raise ChildLost
        done, page = child.run(errand, deadline=deadline)
        usable = True
    except Unplanned as unplanned:
        done, usable = Done(error_code=str(unplanned)), True
    except DeadlinePassed:
        done = Done(error_code="query-timeout")
    except ChildLost:
        done = Done(error_code="cancelled" if ride.stopped else "engine-lost")
    with ride.lock:
        ride.child = None
        usable = usable and not ride.stopped
    ride.landed(done, page)
    return usable
