"""What every store of grants promises."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from athena.dynamodb import Key
from athena.errors import Failed
from athena.grants import DatasetGrant, Grant, Grants, Limits
from athena.grants.dynamodb import DynamoGrants
from athena.grants.files import FileGrants, write_grant
from athena.grants.toml import grant_digest
from tests.cloud import Cloud

FLIGHTS = {
    "flights": DatasetGrant("carrier = 'UA' AND note <> 'it''s \"so\"'", ("*", "!tailnum"), {"flight": "NULL"}),
    "weather": DatasetGrant(),
}
LIMITS = Limits(concurrent_queries=4, bytes_scanned_per_query=2_000_000_000, result_rows=10)


@dataclass
class Place:
    """A store beside the ways in which an owner changes it: granting anew, by hand, and revoking."""

    grants: Grants
    put: Callable[[Grant], None]
    edit: Callable[[str, str], None]
    remove: Callable[[str], None]


@pytest.fixture(params=["files", "dynamodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "files":
        return _files(tmp_path)
    cloud: Cloud = request.getfixturevalue("cloud")
    table = cloud.table()
    store = DynamoGrants(table)

    def edit(partner: str, content: str) -> None:
        table.change(Key("grant", partner), "SET content = :content", content=content)

    return Place(store, store.put, edit, store.remove)


def _files(folder: Path) -> Place:
    def remove(partner: str) -> None:
        (folder / f"{partner}.toml").unlink(missing_ok=True)

    def put(grant: Grant) -> None:
        remove(grant.partner)
        write_grant(folder, grant)

    def edit(partner: str, content: str) -> None:
        (folder / f"{partner}.toml").write_text(content, encoding="utf-8")

    return Place(FileGrants(folder), put, edit, remove)


def grant(partner: str, datasets: dict[str, DatasetGrant] = FLIGHTS) -> Grant:
    return Grant(partner, "Vereinigte Fluglinien", datasets, LIMITS, grant_digest(datasets, LIMITS))


def test_a_grant_comes_back_as_it_was_given(place: Place) -> None:
    place.put(grant("united"))
    assert place.grants.get("united") == grant("united")


def test_an_unknown_partner_has_none(place: Place) -> None:
    assert place.grants.get("nobody") is None
    assert place.grants.partners() == ()


@pytest.mark.parametrize("name", ["", "../united", "United", "a b", "u" * 100, "ünited"])
def test_what_is_no_name_has_none(place: Place, name: str) -> None:
    place.put(grant("united"))
    assert place.grants.get(name) is None


def test_partners_are_listed_by_name(place: Place) -> None:
    for name in ("united", "delta", "american-1"):
        place.put(grant(name))
    assert place.grants.partners() == ("american-1", "delta", "united")


def test_an_edit_takes_effect_on_the_next_call(place: Place) -> None:
    place.put(grant("united"))
    before = place.grants.get("united")
    narrower = {"flights": replace(FLIGHTS["flights"], rows="carrier = 'AA'")}
    place.put(grant("united", narrower))
    after = place.grants.get("united")
    assert before is not None and after is not None
    assert after.datasets == narrower
    assert after.digest != before.digest


def test_a_revoked_partner_has_none_from_the_next_call_on(place: Place) -> None:
    place.put(grant("united"))
    assert place.grants.get("united") is not None
    place.remove("united")
    assert place.grants.get("united") is None
    assert place.grants.partners() == ()


def test_equal_grants_have_one_digest_and_unequal_ones_never(place: Place) -> None:
    place.put(grant("united"))
    place.put(grant("delta"))
    place.put(grant("american", {"flights": DatasetGrant()}))
    united, delta, american = (place.grants.get(name) for name in ("united", "delta", "american"))
    assert united is not None and delta is not None and american is not None
    assert united.digest == delta.digest != american.digest


def test_the_digest_follows_what_is_granted_and_not_what_is_told(place: Place) -> None:
    place.edit("united", "[datasets.flights]\nrows = \"carrier = 'UA'\"\n")
    before = place.grants.get("united")
    place.edit("united", "[datasets.flights]\nrows = \"carrier = 'AA'\"\n")
    after = place.grants.get("united")
    assert before is not None and after is not None
    assert before.digest != after.digest


@pytest.mark.parametrize(
    "content", ["[datasets.flights]\nrow = \"carrier = 'UA'\"\n", "[datasets.flights", "", 'columns = ["*"]']
)
def test_a_grant_that_is_not_understood_grants_nothing(place: Place, content: str) -> None:
    place.put(grant("united"))
    place.edit("united", content)
    if content == "":
        empty = place.grants.get("united")
        assert empty is not None
        assert empty.datasets == {}
        return
    with pytest.raises(Failed) as caught:
        place.grants.get("united")
    assert caught.value.code == "grant-invalid"
