"""`make bench-load`: CSV → Parquet by Lakegate and by others, in turn, on the same files and settings.

`python -m tests.bench.load [MEGABYTES] [ROUNDS]`; 1000 and 9 by default, which takes half an hour on two quiet cores
and 5 GB of disk. docs/performance.md gets the figures. DuckDB and Lakegate run in all rounds, the others in a third of
them, pandas and Spark once.
"""

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.page import write
from tests.bench.taxi import contract_text, write_trips

SMALL_BYTES, SINGLE_LOADS, MOST_COMMITS = 50_000, 10, 5
DUCK, OURS = "DuckDB typed COPY", "Lakegate, contract given"
PEERS = {"polars": "Polars typed sink", "pyarrow": "PyArrow streaming"}
# These take minutes for what the others take seconds for.
SLOW = ("pandas", "pyspark")
_MIB = 1024


@dataclass(slots=True)
class Runs:
    """What one contestant took, round by round: wall and CPU seconds, resident MiB."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)

    def row(self, name: str, peer: "Runs") -> str:
        """One line of a table, with the ratios to a peer."""
        wall, cpu = median(self.wall), median(self.cpu)
        if name == "pyspark":  # what the Java process uses is not told
            return f"| {name} | {wall:.2f} | | | {wall / median(peer.wall):.2f} | |"
        return (
            f"| {name} | {wall:.2f} | {cpu:.2f} | {median(self.resident):.0f} "
            f"| {wall / median(peer.wall):.2f} | {cpu / median(peer.cpu):.2f} |"
        )


Run = Callable[[], tuple[float, float, float]]
HEAD = "| | wall s | CPU s | resident MiB | wall / {0} | CPU / {0} |\n|---|---|---|---|---|---|"


def main(megabytes: int = 1000, rounds: int = 9) -> str:
    """Print the figures; gives them back as Markdown."""
    fewer = f"{_few(rounds)} for those that take longer, one for pandas and Spark"
    lines = [
        f"## Loading\n\n{os.cpu_count()} cores, {megabytes} MB, medians of {rounds} interleaved rounds ({fewer}).\n"
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (_big, _zipped, _small):
            lines += [told(line) for line in part(folder, megabytes, rounds)]
    return "\n".join(lines)


def _big(folder: Path, megabytes: int, rounds: int) -> list[str]:
    """Clean and damaged, the contract given and inferred, beside DuckDB; then the others; the encoding alone."""
    source = write_trips(folder / "clean.csv", megabytes * 1_000_000).path
    (folder / "contract.toml").write_text(contract_text(), encoding="utf-8")
    runs: dict[str, Run] = {
        DUCK: _peer("duckdb", source, folder),
        OURS: lakegate(source, folder),
        "Lakegate, types inferred": lakegate(source, folder, contract=False),
    }
    bad, lines = _damaged(folder, megabytes)
    found = _in_turn(runs | bad, rounds)
    clean = {name: found[name] for name in runs} | _others(source, folder, rounds)
    table = [runs_.row(name, found[DUCK]) for name, runs_ in clean.items()]
    floor = _in_turn({"encoding": _floor(folder / "lakegate.parquet", folder)}, _few(rounds))["encoding"]
    ours = found[OURS]
    missing = [name for name in (*PEERS, *SLOW) if not _is_there(name)]
    return [
        f"\n### A clean file, money as decimal\n\n{HEAD.format('DuckDB')}",
        *table,
        f"\nEncoding the same Parquet alone (DuckDB, from memory): {median(floor.wall):.2f} s, "
        f"{median(floor.cpu):.2f} s of CPU. "
        f"Lakegate takes {median(ours.wall) / median(floor.wall):.2f} x its wall time.",
        *([f"\nNot measured here, because they are not installed: {', '.join(missing)}."] if missing else []),
        "\n### One bad record in a thousand\n",
        *lines,
        "\n" + HEAD.format("clean"),
        *(found[name].row(name, ours) for name in (OURS, *bad)),
    ]


def _others(source: Path, folder: Path, rounds: int) -> dict[str, Runs]:
    """The peers that take longer: in fewer rounds, the slowest in one that nothing warms up."""
    quick = {title: _peer(name, source, folder) for name, title in PEERS.items() if _is_there(name)}
    slow = {name: _peer(name, source, folder) for name in SLOW if _is_there(name)}
    return _in_turn(quick, _few(rounds)) | _in_turn(slow, 1, warm=False)


def _few(rounds: int) -> int:
    return -(-rounds // 3)


def _damaged(folder: Path, megabytes: int) -> tuple[dict[str, Run], list[str]]:
    """Runs over files with one bad record in a thousand; and whether exactly these are rejected."""
    runs: dict[str, Run] = {}
    lines = []
    for damage, title in (("damaged", "damaged"), ("quoted", "damaged, beside legal quoted line ends")):
        trips = write_trips(folder / f"{damage}.csv", megabytes * 1_000_000, damage)  # type: ignore[arg-type]
        runs[title] = lakegate(trips.path, folder, rejects=folder / f"{damage}.rejects.csv")
        runs[title]()
        told = _rejected_lines(folder / f"{damage}.rejects.csv")
        wrong = set(told) ^ set(trips.bad_lines)
        if wrong:
            raise AssertionError(f"{title}: rejected and injected differ at lines {sorted(wrong)[:10]}")
        lines.append(f"- {title}: {len(told)} of {len(trips.bad_lines)} injected records rejected, and no other.")
    return runs, lines


def _zipped(folder: Path, _megabytes: int, rounds: int) -> list[str]:
    """The clean file as gz."""
    packed = folder / "clean.csv.gz"
    with (folder / "clean.csv").open("rb") as plain, gzip.open(packed, "wb", compresslevel=1) as stream:
        shutil.copyfileobj(plain, stream, 1024 * 1024)
    runs = {DUCK: _peer("duckdb", packed, folder), "Lakegate": lakegate(packed, folder)}
    found = _in_turn(runs, _few(rounds))
    table = [one.row(name, found[DUCK]) for name, one in found.items()]
    return ["\n### The same as gz\n", HEAD.format("DuckDB"), *table]


def _small(folder: Path, megabytes: int, rounds: int) -> list[str]:
    """Many small files (2,000 beside a gigabyte): loaded at once and one by one; and read by DuckDB in one COPY; and
    the same at first contact, when nobody has said what is in them."""
    landing = folder / "small"
    landing.mkdir()
    count = 2 * megabytes
    paths = [write_trips(landing / f"{at:04}.csv", SMALL_BYTES, seed=at).path for at in range(count)]
    listed = "\n".join(map(str, paths))
    given, first = ("DuckDB, one COPY", "Lakegate, all at once"), ("DuckDB, read_csv_auto", "Lakegate, no contract")
    runs = {
        first[0]: _peer_of_list("sniffed", listed, folder),
        first[1]: lambda: _loaded_at_once(folder, paths, contract=False),
        given[0]: _peer_of_list("duckdb", listed, folder),
        given[1]: lambda: _loaded_at_once(folder, paths),
    }
    found = _in_turn(runs, rounds)
    each = _loaded_one_by_one(folder, paths[:SINGLE_LOADS])
    return [
        f"\n### {count} files of {SMALL_BYTES // 1000} KB\n",
        HEAD.format("DuckDB"),
        *(found[name].row(name, found[given[0]]) for name in given),
        f"\nOne `lakegate load` each takes {each:.2f} s a file: "
        f"{each * count / median(found[given[1]].wall):.0f} x as long as all at once, "
        f"which takes {MOST_COMMITS} commits at most.",
        "\nAt first contact, types found by each:\n",
        HEAD.format("DuckDB"),
        *(found[name].row(name, found[first[0]]) for name in first),
    ]


def _peer_of_list(name: str, listed: str, folder: Path) -> Run:
    return _timed([*_module("tests.bench.loaders"), name, "-", str(folder / f"{name}.parquet")], listed)


def _loaded_at_once(folder: Path, paths: Sequence[Path], *, contract: bool = True) -> tuple[float, float, float]:
    home = _home(folder, contract=contract)
    landing = home / "landing" / "trips"
    landing.mkdir(parents=True, exist_ok=True)
    for path in paths:
        os.link(path, landing / path.name)
    took = _timed([*_module("lakegate"), "reconcile", "--home", str(home), "--json"])()
    if (commits := _commits(home)) > MOST_COMMITS:
        raise AssertionError(f"{len(paths)} files took {commits} commits.")
    return took


def _loaded_one_by_one(folder: Path, paths: Sequence[Path]) -> float:
    home = _home(folder)
    began = time.perf_counter()
    for path in paths:
        command = [*_module("lakegate"), "load", str(path), "--dataset", "trips", "--home", str(home)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) / len(paths)


def _home(folder: Path, *, contract: bool = True) -> Path:
    """A new home. Those before it stay: for minutes after thousands of files were removed, ext4 passes over the inodes
    of each in turn whenever a file is made, which costs the next round up to a second of system time."""
    home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    subprocess.run([*_module("lakegate"), "init", str(home)], check=True, stdout=subprocess.DEVNULL)
    if contract:
        shutil.copy(folder / "contract.toml", home / "datasets" / "trips.toml")
    return home


def _commits(home: Path) -> int:
    command = [*_module("lakegate"), "loads", "trips", "--limit", "1000000", "--json", "--home", str(home)]
    past = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return len({one["report"]["snapshot"] for one in past})


def lakegate(source: Path, folder: Path, *, contract: bool = True, rejects: Path | None = None) -> Run:
    command = [*_module("lakegate"), "convert", str(source), str(folder / "lakegate.parquet")]
    command += ["--contract", str(folder / "contract.toml")] if contract else []
    return _timed(command + (["--rejects", str(rejects)] if rejects else []))


def _peer(name: str, source: Path, folder: Path) -> Run:
    return _timed([*_module("tests.bench.loaders"), name, str(source), str(folder / f"{name}.parquet")])


def _floor(source: Path, folder: Path) -> Run:
    command = [*_module("tests.bench.loaders"), "encoding", str(source), str(folder / "floor.parquet")]

    def run() -> tuple[float, float, float]:
        wall, cpu = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        return float(wall), float(cpu), 0.0

    return run


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def _timed(command: list[str], told: str = "") -> Run:
    # As it is installed: with its modules compiled once.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run() -> tuple[float, float, float]:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as given:
            given.write(told.encode())
            given.seek(0)
            began = time.perf_counter()
            child = subprocess.Popen(command, stdin=given, stdout=out, stderr=out, env=environment)
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = status
            wall = time.perf_counter() - began
            if status:
                out.seek(0)
                raise RuntimeError(f"{' '.join(command)[:300]} failed: {out.read().decode()[-2000:]}")
        return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / _MIB

    return run


def _in_turn(runs: Mapping[str, Run], rounds: int, *, warm: bool = True) -> dict[str, Runs]:
    """Round by round, after one that does not count, to `warm` the disk's cache."""
    found = {name: Runs() for name in runs}
    for at in range(rounds + warm):
        for name, run in runs.items():
            wall, cpu, resident = run()
            if at >= warm:
                found[name].wall.append(wall)
                found[name].cpu.append(cpu)
                found[name].resident.append(resident)
    return found


def _rejected_lines(path: Path) -> list[int]:
    import csv

    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as stream:
        return [int(row["first_line"]) for row in csv.DictReader(stream)]


def _is_there(name: str) -> bool:
    return importlib.util.find_spec(name) is not None and (name != "pyspark" or shutil.which("java") is not None)


def told(line: str) -> str:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return line


if __name__ == "__main__":
    write(main(*map(int, sys.argv[1:])), "bench-load")
