"""The demo."""

from pathlib import Path


def show(home: Path, *, keep: bool) -> None:
    """Run the demo."""
    raise NotImplementedError
