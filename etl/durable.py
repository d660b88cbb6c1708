"""Iceberg metadata that is on the disk before the catalog names it: pyiceberg's local file I/O, with fsync.

Named by the catalog property `py-io-impl`; it concerns this process alone and is not stored with the table.
"""

import os
from pathlib import Path
from types import TracebackType

from pyiceberg.io import OutputFile, OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

NAME = f"{__name__}.DurableFileIO"


class DurableFileIO(PyArrowFileIO):
    """Reads as PyArrow does; a file that is written is fsynced when it is closed."""

    def new_output(self, location: str) -> PyArrowFile:
        """The output file at a local `location`."""
        return _DurableFile(super().new_output(location), location)  # type: ignore[return-value]


class _DurableFile(OutputFile):
    def __init__(self, inner: PyArrowFile, location: str) -> None:
        super().__init__(location)
        self._inner = inner

    def __len__(self) -> int:
        return len(self._inner)

    def exists(self) -> bool:
        return self._inner.exists()

    def to_input_file(self) -> PyArrowFile:
        return self._inner.to_input_file()

    def create(self, overwrite: bool = False) -> OutputStream:
        path = Path(self.location)
        path.parent.mkdir(parents=True, exist_ok=True)
        return _DurableStream(path, "wb" if overwrite else "xb")


class _DurableStream:
    def __init__(self, path: Path, mode: str) -> None:
        self._file = path.open(mode)

    def write(self, b: bytes) -> int:
        return self._file.write(b)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def flush(self) -> None:
        self._file.flush()

    def __enter__(self) -> "_DurableStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
