"""How a file's bytes are to be read: encoding, delimiter, quoting, header. Found by our own code; pure."""

from dataclasses import dataclass

from etl.contract import SourceRules


@dataclass(frozen=True, slots=True)
class Dialect:
    """The verdict on one file, as the report shows it.

    `quote` and `escape` are None when there are none; `escape` is None too when quotes are doubled. `names` are
    the columns' names as they will be loaded (clean, unique), `headings` as they stood in the file. `trailing`
    says that every record ends in a delimiter, `spaced` that a space after a delimiter belongs to it.
    `body_line` and `body_byte` are where the first record begins (1-based, 0-based); the lines above are `lead`:
    their kinds, in order. `numeric` marks columns that hold numbers or dates all through the sample.
    `confidence` is 0 to 1; `notes` are sentences for the owner.
    """

    encoding: str
    delimiter: str
    quote: str | None
    escape: str | None
    header: bool
    names: tuple[str, ...]
    headings: tuple[str, ...] = ()
    trailing: bool = False
    spaced: bool = False
    comment: str | None = None
    body_line: int = 1
    body_byte: int = 0
    lead: tuple[str, ...] = ()
    numeric: tuple[bool, ...] = ()
    confidence: float = 1.0
    notes: tuple[str, ...] = ()


def detect(sample: bytes, *, whole: bool, rules: SourceRules) -> Dialect:
    """The dialect of the file that begins with `sample` (`whole`: and ends with it); what `rules` pins is kept.

    Raises `Refused` ("empty-file", "not-text", "encoding").
    """
    raise NotImplementedError
