"""A file's header beside that of the file before it, of the same source."""

from pathlib import Path

import pytest

from etl._names import clean_name
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


def test_another_table_is_not_compared_name_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before, now = [f"column {at}" for at in range(2_000)], [f"field {at}" for at in range(2_000)]
    asked: list[str] = []

    def compare(name: str, *_: object, **__: object) -> list[str]:
        asked.append(name)
        return []

    monkeypatch.setattr("difflib.get_close_matches", compare)
    told = drift(before, now)
    assert told[7] == "'column 7' seems to be called 'field 7' now"  # by its place
    assert drift(before, now[1:])[0].endswith("and 1980 more are gone")
    assert not asked


def test_a_wide_header_is_cleaned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    intake, header = intake_at(tmp_path), ",".join(f"column {at}" for at in range(300))
    ingest(intake, drop(intake, "wide/may.csv", f"{header}\n{'1,' * 299}1\n"))
    cleaned: list[str] = []

    def clean(heading: str) -> str:
        cleaned.append(heading)
        return clean_name(heading)

    for module in ("_names", "_study", "drift"):
        monkeypatch.setattr(f"etl.{module}.clean_name", clean)
    (june,) = ingest(intake, drop(intake, "wide/june.csv", f"{header},new\n{'1,' * 299}1,2\n"))
    assert june.rows_loaded == 1
    assert 300 < len(cleaned) < 300 * 12


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


def test_a_header_that_does_not_fit_is_told_once_and_with_its_cause(tmp_path: Path) -> None:
    intake = intake_at(tmp_path)
    rows = "".join(f"2026-05-{day:02},Kiel,{day}.5\n" for day in range(1, 10))
    drop(intake, "rain/a.csv", f"day,station,mm\n{rows}")
    ingest(intake, "rain/a.csv")
    drop(intake, "rain/renamed.csv", f"day,station,rain\n{rows}")
    (renamed,) = ingest(intake, "rain/renamed.csv")
    assert [one for one in renamed.warnings if "mm is" in one] == [
        'rain is new and mm is missing: if it was renamed, write rename = { "rain" = "mm" } in the contract and '
        "reload; now mm is NULL."
    ]
    drop(intake, "rain/doubled.csv", "day,station,mm,mm\n" + rows.replace("5\n", "5,1\n"))
    (doubled,) = ingest(intake, "rain/doubled.csv")
    assert not any('"mm_2"' in one for one in doubled.warnings)  # no name in the file: nothing to rename
    drop(intake, "rain/none.csv", rows.replace("\n", ",x,y,z\n"))
    (none,) = ingest(intake, "rain/none.csv")
    assert none.error is not None
    assert none.error.message.startswith(
        "No line of the file names its columns, and it has 6 of them; the contract has 5"
    )


def test_what_does_not_widen_is_told_with_its_first_value(tmp_path: Path) -> None:
    intake = intake_at(tmp_path)
    drop(intake, "rain/a.csv", "day,mm\n2026-05-01,1.5\n")
    ingest(intake, "rain/a.csv")
    drop(intake, "rain/b.csv", "day,mm\n2026-05-02,2.5\n2026-05-03,much\n")
    (report,) = ingest(intake, "rain/b.csv")
    assert report.error is not None
    assert report.error.message == "mm is double in the contract, but string by this file's values: line 3 has 'much'."


def test_two_headings_of_one_column_are_named(tmp_path: Path) -> None:
    intake = intake_at(tmp_path)
    drop(intake, "rain/a.csv", "Tag,day\n2026-05-01,2026-05-02\n")
    text = 'inferred = false\n[columns]\nday = { type = "date" }\n[sources.default]\nrename = { "Tag" = "day" }\n'
    intake.contracts.save("rain", text)
    (report,) = ingest(intake, "rain/a.csv")
    assert report.error is not None
    assert report.error.message == "Two columns of the file would be called 'day': 'Tag' and 'day'."


def test_the_remedy_names_the_type_that_holds_both(tmp_path: Path) -> None:
    intake = intake_at(tmp_path)
    drop(intake, "rain/a.csv", "n,at\n1,2026-05-01\n")
    ingest(intake, "rain/a.csv")
    drop(intake, "rain/b.csv", "n,at\n2,2026-05-01 10:00\n")
    (report,) = ingest(intake, "rain/b.csv")
    assert report.error is not None
    assert 'set its type to "timestamp" in the contract' in report.error.remedy
    drop(intake, "hail/a.csv", "n,at\n1,2026-05-01T10:00Z\n")
    ingest(intake, "hail/a.csv")
    drop(intake, "hail/b.csv", "n,at\n2,2026-05-01 10:00\n")
    (report,) = ingest(intake, "hail/b.csv")
    assert report.error is not None
    assert "zone = " in report.error.remedy
