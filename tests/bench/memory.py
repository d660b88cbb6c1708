"""`make bench-memory`: what a load keeps in memory at 250 MB, 1 GB and 5 GB; docs/performance.md gets the figures.

`python -m tests.bench.memory [MEGABYTES…]`. One run each: how busy the machine is does not matter.
"""

import sys
import tempfile
from pathlib import Path

from tests.bench.load import lakegate, told
from tests.bench.page import write
from tests.bench.taxi import contract_text, write_trips

SIZES = (250, 1000, 5000)
HEAD = "| | contract given, MiB | types inferred, MiB | one bad record in a thousand, MiB |\n|---|---|---|---|"


def main(sizes: tuple[int, ...]) -> str:
    """Print the figures; gives them back as Markdown."""
    lines = [told(f"### Resident memory\n\nThe most at any time, of one run each.\n\n{HEAD}")]
    for megabytes in sizes:
        with tempfile.TemporaryDirectory() as name:
            lines.append(told(_row(Path(name), megabytes)))
    return "\n".join(lines)


def _row(folder: Path, megabytes: int) -> str:
    (folder / "contract.toml").write_text(contract_text(), encoding="utf-8")
    source = write_trips(folder / "trips.csv", megabytes * 1_000_000).path
    most = [lakegate(source, folder)()[2], lakegate(source, folder, contract=False)()[2]]
    write_trips(source, megabytes * 1_000_000, "damaged")
    most.append(lakegate(source, folder, rejects=folder / "rejects.csv")()[2])
    return f"| {megabytes:,} MB | {' | '.join(f'{one:.0f}' for one in most)} |"


if __name__ == "__main__":
    write(main(tuple(map(int, sys.argv[1:])) or SIZES), "bench-memory")
