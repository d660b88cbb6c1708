"""A home with eight partners who see one carrier each, and data that nobody may see."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from api.callers.credentials import Credentials, Issued
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from athena.heads.sqlite import SqliteHeads
from athena.settings import Settings
from lakegate.home import init_home
from tests.tables import Tables

CARRIERS = tuple(f"C{at}" for at in range(8))
ROWS_EACH = 100
MARKER = "SECRET"


@dataclass(frozen=True, slots=True)
class Market:
    """A home, and the credentials of the partner of each carrier."""

    settings: Settings
    issued: dict[str, Issued]


def partner(carrier: str) -> str:
    """The partner who sees this carrier."""
    return f"partner_{carrier.lower()}"


def market(folder: Path, *, more_settings: str = "") -> Market:
    """Make the home in `folder`."""
    settings = init_home(folder)
    with (folder / "lakegate.toml").open("a") as file:
        file.write(more_settings)
    _fill(settings)
    credentials = Credentials.embedded(settings)
    issued = {}
    for carrier in CARRIERS:
        flights = DatasetGrant(rows=f"carrier = '{carrier}'", columns=("*", "!tailnum"))
        write_grant(settings.partners, Grant(partner(carrier), "", {"flights": flights}, Limits(), ""))
        issued[carrier] = credentials.add_client(partner(carrier))
    return Market(settings, issued)


def _fill(settings: Settings) -> None:
    tables, heads = Tables(settings.home), SqliteHeads(settings.state)
    heads.publish(tables.append("flights", _flights()))
    heads.publish(tables.append("payroll", pa.table({"name": [f"{MARKER} pilot"], "salary": [f"{MARKER} 100000"]})))
    tables.close()


def _flights() -> pa.Table:
    carriers = [carrier for carrier in CARRIERS for _ in range(ROWS_EACH)]
    count = len(carriers)
    return pa.table(
        {
            "carrier": carriers,
            "number": pa.array(range(count), pa.int32()),
            # A number in the rows of C0 alone: whoever else casts it must not fail on what they do not see.
            "code": [str(at) if carrier == "C0" else f"{MARKER} {carrier} {at}" for at, carrier in enumerate(carriers)],
            "tailnum": [f"{MARKER} N{at}" for at in range(count)],
            "day": pa.array([datetime(2026, 1, 1, tzinfo=UTC).date()] * count, pa.date32()),
        }
    )
