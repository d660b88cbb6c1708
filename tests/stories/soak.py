"""Mixed load on a real server, every answer checked: loads, questions, revokes, grant edits, kills.

`python -m tests.stories.soak SECONDS` (or `make soak`) tells what happened as JSON; ends with 1 if anything was wrong.

File `n` of the dataset holds ten rows for each of two tags, all with value `n`, and files come one after the other. So
an answer is right when it is that of the first `m` files, for one `m` between what was loaded before it was asked and
what was dropped before it came, and of the one tag that its partner could see at some time in between.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.callers.credentials import Credentials, Issued
from lakegate.home import init_home
from lakegate.serve import Listening
from tests.lakegate.server import Client, Got, client, serving

CLIENTS = 64
ROWS_EACH = 10
LOAD_SECONDS, EDIT_SECONDS, KILL_SECONDS = 2.0, 0.7, 5.0
SUMS = "SELECT count(*) AS n, sum(v) AS s, min(tag) AS a, max(tag) AS z FROM drops WHERE v >= {least}"
# What a killed child, or no room, looks like.
EXPECTED_FAILURES = frozenset(["engine-lost", "cancelled"])


@dataclass
class World:
    """What is true, and since when: `loaded` is a lower bound of what is in the table, `dropped` an upper one.

    `seen` holds, by partner, the tag that its grant shows (None: revoked), as a list of changes; the last two count
    while one is being made.
    """

    home: Path
    dropped: int = 0
    loaded: int = 0
    seen: dict[str, list[str | None]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory_mb: list[int] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1

    def blame(self, what: str) -> None:
        with self.lock:
            self.wrong.append(what)

    def drop(self) -> None:
        """The next file, whole at once."""
        number = self.dropped + 1
        folder = self.home / "landing" / "drops"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"{tag},{number}" for tag in ("a", "b") for _ in range(ROWS_EACH)]
        self.dropped = number
        (folder / ".next").write_text("tag,v\n" + "\n".join(lines) + "\n")
        (folder / ".next").rename(folder / f"{number:06}.csv")

    def grant(self, partner: str, tag: str | None) -> None:
        """Show the partner one tag, or nothing."""
        self.seen.setdefault(partner, []).append(tag)
        path = self.home / "partners" / f"{partner}.toml"
        if tag is None:
            path.unlink(missing_ok=True)
        else:
            whole = path.with_name(f".{partner}.tmp")
            whole.write_text(f"[datasets.drops]\nrows = \"tag = '{tag}'\"\n[limits]\nconcurrent_queries = 50\n")
            whole.replace(path)


def soak(seconds: float, folder: Path, *, clients: int = CLIENTS) -> dict[str, Any]:
    """What happened, `wrong` above all."""
    world = World(init_home(folder / "home").home)
    (world.home / "partners").mkdir(exist_ok=True)
    credentials = Credentials.embedded(_settings(world.home))
    issued = {name: credentials.add_client(name) for name in ("still_a", "still_b", "edited", "revoked")}
    for name, tag in (("still_a", "a"), ("still_b", "b"), ("edited", "a"), ("revoked", "b")):
        world.grant(name, tag)
    world.drop()
    with serving(world.home, watch=True) as at:
        _until_loaded(at, issued["still_a"], world)
        threads = [threading.Thread(target=_ask_on, args=(world, at, issued, seed)) for seed in range(clients)]
        threads += [
            threading.Thread(target=_repeat, args=(world, every, act))
            for every, act in (
                (LOAD_SECONDS, lambda: _load(world, at, issued["still_a"])),
                (EDIT_SECONDS, lambda: _edit(world)),
                (KILL_SECONDS, lambda: _kill(world)),
                (max(1.0, seconds / 60), lambda: world.memory_mb.append(_server_mb())),
            )
        ]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        world.stop.set()
        for thread in threads:
            thread.join()
    return {"files": world.loaded, **dict(world.counts), "memory_mb": world.memory_mb, "wrong": world.wrong[:20]}


def _ask_on(world: World, at: Listening, issued: dict[str, Issued], seed: int) -> None:
    chance = random.Random(seed)
    names = sorted(issued)
    name = names[seed % len(names)]
    try:
        with client(at, issued[name]) as http:
            while not world.stop.is_set():
                _ask_once(world, http, name, chance)
    except Exception as error:  # noqa: BLE001 the thread's entry point: whatever it is, it is wrong
        world.blame(f"{name}: {type(error).__name__}: {error}")


def _ask_once(world: World, http: Client, name: str, chance: random.Random) -> None:
    least = chance.choice((0, 0, 1, chance.randrange(1, 50)))
    loaded, since = world.loaded, len(world.seen[name]) - 1
    got = http.ask(SUMS.format(least=least), wait_seconds=25, cache=chance.choice(("use",) * 19 + ("refresh",)))
    dropped = world.dropped
    # An edit is noted before it is made: the one before the first that was seen may still have counted.
    seen = set(world.seen[name][max(0, since - 1) :])
    fault = judged(got, least=least, loaded=loaded, dropped=dropped, seen=seen)
    world.count(f"status {got.status}")
    if got.status == 200:
        world.count(str(got.json()["cache"]))
    if fault is not None:
        world.blame(f"{name} v>={least} files {loaded}..{dropped} sees {seen}: {fault}: {got.body[:300]!r}")


def judged(got: Got, *, least: int, loaded: int, dropped: int, seen: set[str | None]) -> str | None:
    """What is wrong with an answer; None when nothing is."""
    if got.status in (429, 503):
        if got.status == 503 and got.json()["code"] != "busy":
            return "a 503 that is not documented"
        return None if "retry-after" in got.headers else "no Retry-After"
    if got.status == 202:
        return None
    if got.status in (401, 404, 410):
        return None if None in seen or len(seen) > 1 else "denied to whom it is granted"
    if got.status != 200:
        return "an unexpected status"
    answer = got.json()
    if answer["state"] != "SUCCEEDED":
        return None if answer.get("error", {}).get("code") in EXPECTED_FAILURES else "failed"
    ((n, total, first, last),) = answer["rows"]
    if first != last or (first is not None and first not in seen):
        return "somebody else's rows"
    values = [list(range(max(1, least), m + 1)) for m in range(loaded, dropped + 1)]
    right = [(len(one) * ROWS_EACH, sum(one) * ROWS_EACH) for one in values]
    return None if (int(n), int(total or 0)) in right else "not the rows of any state in between"


def _load(world: World, at: Listening, issued: Issued) -> None:
    world.drop()
    _until_loaded(at, issued, world)


def _until_loaded(at: Listening, issued: Issued, world: World) -> None:
    with client(at, issued) as http:
        while not world.stop.is_set():
            got = http.ask("SELECT max(v) AS v FROM drops")
            answer = got.json()
            if got.status == 200 and answer["state"] == "SUCCEEDED" and answer["rows"] == [[world.dropped]]:
                world.loaded = world.dropped
                return
            time.sleep(0.2)


def _edit(world: World) -> None:
    world.grant("edited", "b" if world.seen["edited"][-1] == "a" else "a")
    world.grant("revoked", None if world.seen["revoked"][-1] == "b" else "b")
    world.count("edits")


def _kill(world: World) -> None:
    """One of the server's own processes: a child of the engine, or the watcher."""
    server = _server_pid()
    found = [
        pid for pid in _children(server) if b"lakegate.watcher" in _command(pid) or b"duckdb.child" in _command(pid)
    ]
    if found:
        with suppress(ProcessLookupError):
            os.kill(random.choice(found), signal.SIGKILL)
            world.count("kills")


def _repeat(world: World, every: float, act: Callable[[], None]) -> None:
    while not world.stop.wait(every):
        try:
            act()
        except Exception as error:  # noqa: BLE001 the thread's entry point
            world.blame(f"{type(error).__name__}: {error}")


def _server_pid() -> int:
    (server,) = [child for child in multiprocessing.active_children() if child.name == "lakegate-serve"]
    assert server.pid is not None
    return server.pid


def _server_mb() -> int:
    status = Path(f"/proc/{_server_pid()}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _settings(home: Path) -> Any:
    from athena.settings import read_settings

    return read_settings(home)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        happened = soak(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0, Path(folder))
    sys.stdout.write(json.dumps(happened) + "\n")
    sys.exit(1 if happened["wrong"] else 0)
