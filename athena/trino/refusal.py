"""How this package says no: always by the caller's own token, always with a remedy. Pure."""

from athena.errors import Refused


def unsupported(what: str, remedy: str) -> Refused:
    """The refusal for something that Athena may know and the embedded engine cannot do exactly.

    >>> str(unsupported("CHAR", "Use varchar."))
    'CHAR is not supported. Use varchar.'
    """
    return Refused(f"{what} is not supported.", remedy, code="sql-unsupported")


def mistyped(what: str, remedy: str) -> Refused:
    """The refusal for a statement that Athena refuses too, because its types do not fit."""
    return Refused(what, remedy, code="sql-unsupported")
