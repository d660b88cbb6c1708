"""What one thing costs beside another, whatever else the machine does."""

import gc
import time
from collections.abc import Callable


def cost_ratio(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int = 7) -> float:
    """The least processor time of `ours` over the least of `theirs`, of so many rounds in turn.

    The least, as whatever disturbs only adds; without collections, which cost by what other tests have left."""
    least = [float("inf"), float("inf")]
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for at, act in enumerate((ours, theirs)):
                began = time.process_time()
                act()
                least[at] = min(least[at], time.process_time() - began)
    finally:
        gc.enable()
    return least[0] / max(least[1], 1e-6)
