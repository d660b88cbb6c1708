"""A home with every column type, for reading and for its own server."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest

from api.callers.credentials import Issued
from athena.grants import DatasetGrant, Grant, Limits
from athena.grants.files import write_grant
from lakegate import connect
from lakegate.cli import run
from lakegate.client.lake import LakeClient
from lakegate.home import init_home
from lakegate.listening import Listening
from tests.lakegate.server import credentials, serving

matplotlib.use("Agg")

CONTRACT = """description = "One column of every type"
inferred = false
[columns]
id = { type = "int", required = true }
word = { type = "string", description = "whatever" }
yes = { type = "boolean" }
big = { type = "long" }
small = { type = "float" }
wide = { type = "double", unit = "km" }
fare = { type = "decimal(20,4)" }
day = { type = "date" }
at = { type = "timestamp" }
instant = { type = "timestamptz" }
secret = { type = "string", sensitive = true }
"""
ROWS = """id,word,yes,big,small,wide,fare,day,at,instant,secret
1,"",true,9223372036854775807,1.5,0.1,1234567890123456.7891,2026-05-01,2026-05-01T10:00:00.123456,2026-05-01T10:00:00.000001Z,a
2,NÄ ✈ "q",false,-9223372036854775808,-0.25,1e300,-0.0001,1969-12-31,1900-01-01T00:00:00,2026-05-01T12:00:00+02:00,b
3,,,,,,,,,,c
"""


@pytest.fixture(scope="package")
def typed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with `typed` (three rows) and the partner `eve`, who sees two of them and no secret."""
    folder = tmp_path_factory.mktemp("typed")
    home = init_home(folder / "home").home
    (home / "datasets" / "typed.toml").write_text(CONTRACT, encoding="utf-8")
    file = folder / "typed.csv"
    file.write_text(ROWS, encoding="utf-8")
    assert run(["load", str(file), "--dataset", "typed", "--home", str(home)]) == 0
    granted = {"typed": DatasetGrant(rows="id <> 2", columns=("*",))}
    write_grant(home / "partners", Grant("eve", "", granted, Limits(), ""))
    return home


@pytest.fixture(scope="package")
def eve(typed_home: Path) -> Issued:
    """Credentials of the partner."""
    return credentials(typed_home, "eve")


@pytest.fixture(scope="package")
def server(typed_home: Path) -> Iterator[Listening]:
    """The home's server."""
    with serving(typed_home) as at:
        yield at


@pytest.fixture
def owner(typed_home: Path) -> Iterator[LakeClient]:
    """The owner in this process."""
    with connect(typed_home) as lake:
        yield lake


@pytest.fixture
def partner(server: Listening, eve: Issued) -> Iterator[LakeClient]:
    """The partner over HTTP."""
    with connect(server.url, client_id=eve.client_id, client_secret=eve.secret) as lake:
        yield lake
