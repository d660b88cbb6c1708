"""A new instance's start from the function's archive, beside a bare Chalice app's: `make bench-cold`.

Fresh interpreters without site-packages, interleaved; medians of processor and wall time, and their ratio. What
Lambda adds around (the container, the download) is the same for both.
"""

import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from infra.bundle import bundle

ROUNDS = 25
BARE = "from chalice import Chalice\n\napp = Chalice('bare')\n\n\n@app.route('/')\ndef index():\n    return {}\n"
CLOCK = """
import time, sys
sys.path.insert(0, sys.argv[1])
cpu, wall = time.process_time(), time.perf_counter()
import app
{more}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""
# With clients and all: what `prepare` does while an instance starts.
READY = """
from api.parts import Parts
from athena.settings_aws import aws_settings
parts = Parts.aws(aws_settings(dict(stage="t", results="s3://b/p/", state_table="s", cache_table="c", workgroup="w",
    secret="ab" * 32, salt="s", region="us-east-1")))
"""


@dataclass(frozen=True, slots=True)
class Start:
    """Something that starts: where it lies, and what is done behind the import."""

    name: str
    task: Path
    more: str = ""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starts = _prepared(folder)
        times: dict[str, list[tuple[float, float]]] = {start.name: [] for start in starts}
        for _ in range(ROUNDS):
            for start in starts:
                times[start.name].append(_started(start))
        floor = statistics.median(cpu for cpu, _ in times[starts[0].name])
        sys.stdout.write("| start | CPU ms | wall ms | CPU, bare = 1 |\n|---|---|---|---|\n")
        for label, found in times.items():
            cpu, wall = (statistics.median(column) for column in zip(*found, strict=True))
            sys.stdout.write(f"| {label} | {cpu * 1000:.0f} | {wall * 1000:.0f} | {cpu / floor:.1f} |\n")


def _prepared(folder: Path) -> list[Start]:
    made = bundle(folder / "made", machine="x86_64")
    task, bare = folder / "task", folder / "bare"
    with ZipFile(made.archive) as archive:
        archive.extractall(task)
        archive.extractall(bare, [name for name in archive.namelist() if name.startswith("chalice/")])
    (bare / "app.py").write_text(BARE)
    return [
        Start("a bare Chalice app", bare),
        Start("the function, imported", task),
        Start("the function, with its clients", task, READY),
    ]


def _started(start: Start) -> tuple[float, float]:
    # Credentials that are given are not looked for.
    environment = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}
    program = CLOCK.format(more=start.more)
    command = [sys.executable, "-I", "-S", "-c", program, str(start.task)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    cpu, wall = done.stdout.split()
    return float(cpu), float(wall)


if __name__ == "__main__":
    main()
