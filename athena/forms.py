"""The forms that an answer's rows are given in. Pure."""

from enum import StrEnum

from athena.errors import Refused


class Form(StrEnum):
    """What a page or a whole result is written as; `page.py` says how each type of column looks in it.

    In a guarded CSV a text that a spreadsheet would take for a formula begins with an apostrophe.
    """

    JSON = "json"
    CSV = "csv"
    GUARDED_CSV = "guarded-csv"
    ARROW = "arrow"
    PARQUET = "parquet"

    @property
    def is_csv(self) -> bool:
        """Text with one header line, before the first row alone."""
        return self in (Form.CSV, Form.GUARDED_CSV)


def unavailable(why: str) -> Refused:
    """The refusal of a form that this answer, or this lake, does not have; `why` is a sentence without its end.

    >>> unavailable("This lake writes no Parquet").code
    'format-unavailable'
    """
    return Refused(f"{why}.", "Download CSV, or fetch the rows by pages.", code="format-unavailable")
