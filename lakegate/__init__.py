"""Lakegate: CSV in, typed tables and a safe, exactly fresh SQL API out."""

from typing import TYPE_CHECKING

from lakegate.connecting import connect

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["connect", "load_ipython_extension"]
__version__ = "0.1.0"


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """`%load_ext lakegate`: the magics `%lake` and `%%lake`."""
    from lakegate.client.magic import load_ipython_extension as load

    load(shell)
