"""What the first pass sees of the sheaves of a file: how many units, and what every column's values could be."""

from dataclasses import dataclass, field

import numpy as np

from athena.errors import Refused
from etl._observe import observe_each
from etl._seen import Seen
from etl.formats import Sheaf
from etl.report import Reject

_SAMPLED = 300


@dataclass(slots=True)
class Survey:
    """What the first pass saw. Headings are kept as they identify cells; two may look the same."""

    units: int = 0
    size_bytes: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)
    sample: dict[str, list[str]] = field(default_factory=dict)
    first_reject: Reject | None = None

    def take(self, sheaf: Sheaf, missing: tuple[str, ...]) -> None:
        """Look at every value of a sheaf."""
        self.units += sheaf.units
        self.first_reject = self.first_reject or next(iter(sheaf.rejects), None)
        lines = np.asarray(sheaf.numbers, np.int64)
        for heading, cells in sheaf.cells.items():
            seen = self.seen.setdefault(heading, Seen(missing))
            texts = self.sample.setdefault(heading, [])
            if len(texts) < _SAMPLED:
                texts += [one for one in cells.text.slice(0, _SAMPLED).to_pylist() if one]
            self.seen[heading] = seen if seen.is_text else observe_each(seen, cells.text, lines)


def without_records(name: str, survey: Survey) -> Refused:
    """Why nothing can be loaded of a file that has no column."""
    first = survey.first_reject
    if first is None:
        return Refused(f"{name} holds no record.", "Drop a file with records.", code="empty-file")
    return Refused(
        f"No line of {name} is a JSON object. Line {first.first_line}: {first.message}",
        "Write one JSON object per line: `jq -c '.[]' FILE > FILE.jsonl` makes them of an array, `jq -c .` of objects "
        "that go over several lines.",
        code="format-unsupported",
    )
