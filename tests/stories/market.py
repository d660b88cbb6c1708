"""A home with eight partners who see one carrier each, and data that nobody may see."""

from dataclasses import dataclass
from pathlib import Path

from api.callers.credentials import Credentials, Issued
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from athena.lake import Lake
from athena.settings import Settings
from etl.ingest import reconcile
from etl.intake import Intake
from lakegate.home import init_home

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
    for name, text in (("flights", _flights()), ("payroll", f"name,salary\n{MARKER} pilot,{MARKER} 100000\n")):
        folder = settings.landing / name
        folder.mkdir(parents=True)
        (folder / "all.csv").write_text(text)
    with Lake.embedded(settings.home) as lake:
        done = reconcile(Intake.embedded(lake))
    assert {report.status for report in done.reports} == {"loaded"}


def _flights() -> str:
    lines = ["carrier,number,code,tailnum,day"]
    for number in range(len(CARRIERS) * ROWS_EACH):
        carrier = CARRIERS[number // ROWS_EACH]
        # A number in the rows of C0 alone: who sees only these must not fail on the others when casting it.
        code = str(number) if carrier == "C0" else f"{MARKER} {carrier} {number}"
        lines.append(f"{carrier},{number},{code},{MARKER} N{number},2026-01-01")
    return "\n".join(lines) + "\n"
