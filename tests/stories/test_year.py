"""Past months stay answered while new days arrive: a dashboard over them is nearly always a hit."""

from pathlib import Path

import pytest

from tests.bench.fresh import lived

LEAST = 0.95


def test_a_dashboard_over_past_months_stays_a_hit_through_daily_loads(tmp_path: Path) -> None:
    seen = lived(tmp_path / "home", 35)
    # All 20 are new on the first day, five about January on the 1st of February: 25 of 700.
    assert seen.asked == 700
    assert seen.hits == 675
    assert seen.same_version == 0


@pytest.mark.long
def test_a_dashboard_over_past_months_stays_a_hit_through_a_year(tmp_path: Path) -> None:
    seen = lived(tmp_path / "home", 365)
    assert seen.hits / seen.asked >= LEAST
    assert seen.same_version == 0
