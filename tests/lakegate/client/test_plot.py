"""Pictures: what is drawn of which columns, and how it is labelled."""

from datetime import date
from typing import Any

import matplotlib.pyplot as plt
import pyarrow as pa
import pytest

from athena.errors import Refused
from lakegate.client.lake import LakeClient
from lakegate.client.plot import COLOURS, plot

DAYS = pa.table({"day": [date(2026, 5, at) for at in (1, 2, 3)], "delay": [1.5, None, 3.0], "origin": ["a", "b", "a"]})


def heights(axes: Any) -> list[float]:
    return [bar.get_height() for bar in axes.patches]


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    plt.close("all")


def test_a_column_of_days_makes_a_line_with_its_unit_on_the_axis() -> None:
    axes = plot(DAYS, units={"delay": "min"}, title="Delays")
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title("left")) == ("day", "delay [min]", "Delays")
    drawn: Any = axes.get_lines()[0].get_ydata()
    assert drawn[0] == 1.5 and drawn[1] != drawn[1] and drawn[2] == 3.0


def test_names_make_bars_lying_or_standing() -> None:
    named = pa.table({"carrier": ["UA", "AA", None], "n": [3, 2, 1]})
    standing = plot(named)
    assert [text.get_text() for text in standing.get_xticklabels()] == ["UA", "AA", "NULL"]
    assert heights(standing) == [3, 2, 1]
    lying = plot(named, "barh")
    assert (lying.get_xlabel(), lying.get_ylabel()) == ("n", "carrier")
    assert [round(bar.get_extents().width) > 0 for bar in lying.patches] == [True] * 3


def test_by_makes_a_series_of_each_value_in_colours_that_all_can_tell_apart() -> None:
    axes = plot(DAYS, "line", by="origin")
    assert [line.get_label() for line in axes.get_lines()] == ["a", "b"]
    assert [line.get_color() for line in axes.get_lines()] == list(COLOURS[:2])
    assert axes.get_legend() is not None


def test_histograms_and_heatmaps() -> None:
    axes = plot(pa.table({"delay": [1, 2, 2, None]}), bins=2)
    assert sum(heights(axes)) == 3
    grid = pa.table({"month": [1, 2, 1], "hour": [5, 5, 6], "delay": [1.0, 2.0, 3.0]})
    image = plot(grid, "heatmap", x="month", by="hour", y="delay").get_images()[0].get_array()
    assert image is not None and image.tolist() == [[1.0, 2.0], [3.0, None]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "pie"}, "no kind of plot"),
        ({"x": "nowhere"}, "no column 'nowhere'"),
        ({"y": "origin"}, "holds no numbers"),
        ({"kind": "heatmap"}, "needs x="),
    ],
)
def test_what_cannot_be_drawn_says_what_to_name(options: dict[str, str], said: str) -> None:
    with pytest.raises(Refused, match=said) as refusal:
        plot(DAYS, **options)  # type: ignore[arg-type]
    assert refusal.value.code == "plot-invalid"
    with pytest.raises(Refused, match="no rows"):
        plot(DAYS.slice(0, 0))
    with pytest.raises(Refused, match="too many"):
        plot(pa.table({"name": [str(at) for at in range(99)], "n": list(range(99))}), "bar")


def test_an_answer_knows_the_units_of_its_columns(owner: LakeClient) -> None:
    answer = owner.sql("SELECT id, wide FROM typed ORDER BY id")
    assert answer.plot("scatter").get_ylabel() == "wide [km]"
