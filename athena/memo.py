"""A bounded memory of pure results, shared by threads."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """Results by key, as many as weigh `most` together; the least recently used goes first."""

    def __init__(self, most: int, weigh: Callable[[Value], int]) -> None:
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()

    def known(self, key: Hashable) -> Value | None:
        """What is kept under `key`, if anything is."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def recall(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What is kept under `key`, else what `make` gives. Two threads may make the same at once.

        >>> memo = Memo[str](most=3, weigh=len)
        >>> memo.recall("a", lambda: "x"), memo.recall("a", lambda: "y")
        ('x', 'x')
        >>> memo.recall("b", lambda: "xyz"), memo.recall("a", lambda: "y")
        ('xyz', 'y')
        """
        known = self.known(key)
        if known is not None:
            return known
        made = make()
        self.keep(key, made)
        return made

    def keep(self, key: Hashable, made: Value) -> None:
        """Keep `made` under `key`, for as long as it is used more than others."""
        with self._lock:
            if key not in self._kept:
                self._weight += self._weigh(made)
            self._kept[key] = made
            while self._weight > self._most:
                self._weight -= self._weigh(self._kept.popitem(last=False)[1])
