"""Which form of an answer's rows a request wants: by `Accept`, and by two query fields for details. Pure."""

from dataclasses import dataclass

from api.request import Incoming, accepted, wrong
from api.response import ARROW_TYPE, CSV_TYPE, JSON_TYPE, PARQUET_TYPE
from athena.forms import Form

# Query fields that every route takes which answers with rows.
FORM_FIELDS = ("shape", "guard")
SHAPES = ("arrays", "objects")
GUARDS = ("formulas",)

# In the order in which they are offered to those who accept anything.
MEDIA_TYPES = {
    "application/json": Form.JSON,
    "text/csv": Form.CSV,
    ARROW_TYPE: Form.ARROW,
    PARQUET_TYPE: Form.PARQUET,
}
CONTENT_TYPES = {
    Form.JSON: JSON_TYPE,
    Form.CSV: CSV_TYPE,
    Form.GUARDED_CSV: CSV_TYPE,
    Form.ARROW: ARROW_TYPE,
    Form.PARQUET: PARQUET_TYPE,
}
_EASY = frozenset([None, "", "*/*", JSON_TYPE])


@dataclass(frozen=True, slots=True)
class Wanted:
    """How rows are to be shown; with `objects` each JSON row is an object by column name."""

    form: Form = Form.JSON
    objects: bool = False


PLAIN = Wanted()


def read_wanted(incoming: Incoming) -> Wanted:
    """What the request asks for; raises `WrongRequest`, with 406 for an `Accept` that takes nothing of ours."""
    if not incoming.query and incoming.accept in _EASY:
        return PLAIN
    form = MEDIA_TYPES[accepted(incoming.accept, tuple(MEDIA_TYPES))]
    shape, guard = (_single(incoming, name) for name in FORM_FIELDS)
    if shape not in (None, *SHAPES):
        raise wrong("shape is neither arrays nor objects.", "Use shape=objects, or leave it out.", "shape")
    if guard not in (None, *GUARDS):
        raise wrong("guard is not formulas.", "Use guard=formulas with text/csv, or leave it out.", "guard")
    if shape is not None and form is not Form.JSON:
        raise wrong("shape is for JSON alone.", "Leave it out, or accept application/json.", "shape")
    if guard is not None:
        if form is not Form.CSV:
            raise wrong("guard is for CSV alone.", "Leave it out, or accept text/csv.", "guard")
        form = Form.GUARDED_CSV
    return Wanted(form, objects=shape == "objects")


def _single(incoming: Incoming, name: str) -> str | None:
    values = incoming.query.get(name, (None,))
    if len(values) != 1:
        raise wrong(f"{name} stands there {len(values)} times.", "Give it once.", name)
    return values[0]
