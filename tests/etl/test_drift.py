"""A file's header beside that of the file before it, of the same source."""

from pathlib import Path

import pytest

from etl.drift import drift
from etl.ingest import ingest
from tests.home import drop, intake_at

RAIN = "day,station,mm\n2026-05-01,Kiel,1.2\n"


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (["day", "mm"], ["Day ", "MM"], ()),
        (["day", "rain_mm"], ["day", "rain_in_mm"], ("'rain_mm' seems to be called 'rain_in_mm' now",)),
        (["day", "mm", "x"], ["day", "menge", "x"], ("'mm' seems to be called 'menge' now",)),
        (["day", "mm"], ["day"], ("'mm' is gone",)),
        (["day", "mm"], ["day", "mm", "wind", "sun"], ("'wind', 'sun' are new",)),
        (["day", "mm"], ["mm", "day"], ("the columns stand in another order",)),
        (["day", "mm"], ["day", "mm", "MM"], ("'MM' stands twice",)),
        (["a", "a"], ["a", "a"], ()),
        (["日", "雨"], ["日", "雪"], ("'雨' seems to be called '雪' now",)),
    ],
)
def test_what_became_of_the_headings_is_told(before: list[str], now: list[str], told: tuple[str, ...]) -> None:
    assert drift(before, now) == told


def drifts(warnings: tuple[str, ...]) -> list[str]:
    return [one for one in warnings if "this source sent before" in one]


def test_a_header_is_compared_with_that_of_its_own_source(tmp_path: Path) -> None:
    intake = intake_at(tmp_path)
    ingest(intake, drop(intake, "rain/north/may.csv", RAIN))
    (south,) = ingest(intake, drop(intake, "rain/south/may.csv", "mm,day,station\n1.0,2026-05-02,Ulm\n"))
    assert not drifts(south.warnings)  # its first file: nothing to compare with
    (again,) = ingest(intake, drop(intake, "rain/south/june.csv", "mm,day,station\n2.0,2026-06-02,Ulm\n"))
    assert not drifts(again.warnings)  # in the order that it always has
    (moved,) = ingest(intake, drop(intake, "rain/north/june.csv", "station,day,mm\nKiel,2026-06-01,0.5\n"))
    (told,) = drifts(moved.warnings)
    assert told == (
        "The header is not that of rain/north/may.csv, which this source sent before: "
        "the columns stand in another order."
    )
    (back,) = ingest(intake, drop(intake, "rain/north/july.csv", RAIN.replace("05", "07")))
    assert "rain/north/june.csv" in drifts(back.warnings)[0]


def test_objects_have_no_order(tmp_path: Path) -> None:
    intake = intake_at(tmp_path)
    ingest(intake, drop(intake, "rain/a.jsonl", '{"day": "2026-05-01", "mm": 1}\n'))
    (report,) = ingest(intake, drop(intake, "rain/b.jsonl", '{"mm": 2, "day": "2026-05-02", "sun": 3}\n'))
    assert drifts(report.warnings)[0].endswith(": 'sun' is new.")
