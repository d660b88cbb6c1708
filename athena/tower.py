"""What this process knows of flights in the air: those that it leads, and who waits here for one to land."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from athena.errors import Busy
from athena.flights import Flight, Flights

Callback = Callable[[], None]
# How long until the watch looks again: at first, and at most where every look is a call that costs.
WATCH_SECONDS = 0.1
WATCH_GROWTH = 1.3


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at one fingerprint; `alone` when it is known to this process only."""

    fingerprint: str
    attempt: int
    alone: bool = False


class Tower:
    """Threads for led flights, callbacks for waiters, and one thread that watches the flights of others.

    `alone` holds the flights that run while the store cannot be reached.
    """

    def __init__(
        self, name: str, alone: Flights, *, most_led: int, most_parked: int, most_watch_seconds: float = WATCH_SECONDS
    ) -> None:
        self.name = name
        self.alone = alone
        self.closing = False
        self._most_led = most_led
        self._most_parked = most_parked
        self._most_watch_seconds = most_watch_seconds
        self._changed = threading.Condition()
        self._led: dict[Run, tuple[threading.Thread, str]] = {}
        self._parked: dict[Run, list[Callback]] = {}
        self._parked_count = 0
        self._watch: threading.Thread | None = None

    def check_room(self) -> None:
        """Raises `Busy` when this process leads as many flights as it may."""
        if self.closing or len(self._led) >= self._most_led:
            raise Busy("Too many questions are being computed.", "Ask again in a few seconds.", retry_after_seconds=2)

    def leads(self, run: Run) -> bool:
        """Whether a thread of this process drives it."""
        return run in self._led

    def led(self) -> list[tuple[Run, str]]:
        """What this process leads, with the name under which it does."""
        with self._changed:
            return [(run, leader) for run, (_, leader) in self._led.items()]

    def depart(self, run: Run, leader: str, drive: Callable[[], bool]) -> None:
        """Drive a flight in a thread of its own; wakes who waits for it when `drive` says that it has landed.

        Else (another leads it by now) they stay, and hear of it from the watch.
        """

        def fly() -> None:
            over = False
            try:
                over = drive()
            finally:
                with self._changed:
                    # After a lost lease the same process may lead the same run again, in another thread.
                    if self._led.get(run, (None,))[0] is threading.current_thread():
                        del self._led[run]
                    self._changed.notify_all()
                if over:
                    self._wake(run)

        thread = threading.Thread(target=fly, name=f"flight-{run.fingerprint[:8]}", daemon=True)
        with self._changed:
            self._led[run] = (thread, leader)
        thread.start()

    def park(self, run: Run, callback: Callback, watch: Callable[[Iterable[Run]], Iterable[Run]]) -> Callback:
        """Keep `callback` until the run has landed; gives back what takes it off.

        `watch` tells which of several runs have landed; it is asked about those that another process leads, ten
        times a second at first, and less and less often up to `most_watch_seconds`. Raises `Busy` when too many
        are parked.
        """
        with self._changed:
            if self._parked_count >= self._most_parked:
                raise Busy("Too many requests are waiting.", "Ask for the answer's state again in a few seconds.")
            self._parked_count += 1
            self._parked.setdefault(run, []).append(callback)
            if self._watch is None and not self.closing:
                self._watch = threading.Thread(target=self._keep_watch, args=(watch,), name="tower", daemon=True)
                self._watch.start()
            self._changed.notify_all()
        return lambda: self._unpark(run, callback)

    def close(self) -> None:
        """Lead nothing new, wait for the threads that drive, wake everybody who waits."""
        with self._changed:
            self.closing = True
            threads = [
                *(thread for thread, _ in self._led.values()),
                *([self._watch] if self._watch is not None else []),
            ]
            self._changed.notify_all()
        for thread in threads:
            thread.join()
        for run in list(self._parked):
            self._wake(run)

    def _unpark(self, run: Run, callback: Callback) -> None:
        with self._changed:
            callbacks = self._parked.get(run, [])
            if callback in callbacks:
                callbacks.remove(callback)
                self._parked_count -= 1
                if not callbacks:
                    del self._parked[run]

    def _wake(self, run: Run) -> None:
        with self._changed:
            callbacks = self._parked.pop(run, [])
            self._parked_count -= len(callbacks)
        for callback in callbacks:
            callback()

    def _keep_watch(self, watch: Callable[[Iterable[Run]], Iterable[Run]]) -> None:
        seen: set[Run] = set()
        pause = WATCH_SECONDS
        while not self.closing:
            with self._changed:
                foreign = [run for run in self._parked if run not in self._led]
                if not foreign:
                    self._changed.wait(1.0 if self._parked else None)
                    continue
            for run in watch(foreign):
                self._wake(run)
            pause = min(pause * WATCH_GROWTH, self._most_watch_seconds) if seen.issuperset(foreign) else WATCH_SECONDS
            seen = set(foreign)
            with self._changed:
                self._changed.wait_for(lambda: self.closing, pause)


def run_of(flight: Flight, *, alone: bool = False) -> Run:
    """Which run a record is about."""
    return Run(flight.fingerprint, flight.attempt, alone)
