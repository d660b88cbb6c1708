"""Reports and rejects for the owners of files, in the home's folder `reports/<key>/`.

The rejects have another name while they are written, and until the load is committed.
"""

from contextlib import suppress
from pathlib import Path

import orjson

from etl.disk import writing
from etl.files import LocalFolder
from etl.plan import LoadEntry
from etl.rejects import RejectsCsv

UNFINISHED = ".part"


class FolderReports:
    """`<load id>.json` and `<load id>.rejects.csv` in the folder of each key."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def rejects(self, key: str, *, load_id: str, file: str) -> RejectsCsv:
        """Where the rejects of a load that has begun are written to; `file` is what they are rejects of."""
        return RejectsCsv(LocalFolder(self._root / key), unfinished(load_id), load_id=load_id, file=file)

    def finish(self, entry: LoadEntry, snapshot: str | None) -> None:
        """Write the report and give the rejects their name; repeats without harm. Raises `Failed` ("disk")."""
        folder = self._root / entry.key
        remedy = "The rows are safe. Make room on the disk; the next load finishes this one."
        with writing(f"The report {entry.load_id} in {folder}", remedy):
            folder.mkdir(parents=True, exist_ok=True)
            if (content := report_content(entry, snapshot)) is not None:
                (folder / f"{entry.load_id}.json").write_bytes(content)
            if (entry.report or {}).get("rows_rejected"):
                with suppress(FileNotFoundError):  # it has its name already
                    (folder / unfinished(entry.load_id)).replace(folder / finished(entry.load_id))

    def forget(self, key: str, load_id: str) -> None:
        """Remove the rejects of a load that did not happen."""
        (self._root / key / unfinished(load_id)).unlink(missing_ok=True)


def report_content(entry: LoadEntry, snapshot: str | None) -> bytes | None:
    """The report as its owner gets it; None for a retraction, which has none."""
    told = entry.told(snapshot)
    return None if told is None else orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def finished(load_id: str) -> str:
    """What the rejects of a load are called in the folder of its key.

    >>> finished("l1")
    'l1.rejects.csv'
    """
    return f"{load_id}.rejects.csv"


def unfinished(load_id: str) -> str:
    """What they are called until the load is committed."""
    return finished(load_id) + UNFINISHED
