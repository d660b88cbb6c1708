"""Every setting of a home in one frozen record, read from `lakegate.toml`.

`lakegate init` writes the file; a key that is not listed here is an error with the nearest name as remedy.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path

from athena.errors import Failed, Refused

HOME_FILE = "lakegate.toml"
HOME_VERSION = 1
_KINDS = {int: "a whole number", float: "a number", str: "a text", tuple: "a list of texts"}
LAKE_NAME = re.compile(r"[a-z][a-z0-9_]*")
# The least that each number may be, in both homes; of a time that something is given, none would end it at once.
LEAST: dict[str, float] = {
    **dict.fromkeys(("engine_workers", "engine_threads", "workers", "page_rows", "token_lifetime_seconds"), 1),
    **dict.fromkeys(("engine_memory_bytes", "result_bytes", "split_bytes"), 1),
    **dict.fromkeys(("query_timeout_seconds", "statement_seconds", "job_timeout_seconds", "result_days"), 0.001),
    **dict.fromkeys(("flight_lease_seconds", "table_lease_seconds"), 0.01),
    **dict.fromkeys(("engine_spill_bytes", "max_parked", "settle_seconds", "maintenance_seconds"), 0),
    **dict.fromkeys(("metrics_port", "least_memory_bytes"), 0),
}
PUBLIC_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the home is and what it may use. Sizes in bytes, times in seconds."""

    home: Path
    version: int = HOME_VERSION
    name: str = "lake"
    engine_workers: int = 2
    engine_memory_bytes: int = 2 * 1024**3
    engine_threads: int = 2
    engine_spill_bytes: int = 8 * 1024**3
    result_bytes: int = 4 * 1024**3
    query_timeout_seconds: float = 120.0
    statement_seconds: float = 5.0
    flight_lease_seconds: float = 10.0
    table_lease_seconds: float = 60.0
    result_days: float = 7.0
    page_rows: int = 1000
    max_parked: int = 1000
    token_lifetime_seconds: int = 3600
    settle_seconds: float = 1.0
    maintenance_seconds: float = 60.0
    cors_origins: tuple[str, ...] = ()
    public_path: str = ""
    workers: int = 1
    tls_certificate: str = ""
    tls_key: str = ""
    metrics_port: int = 0
    least_memory_bytes: int = 256 * 1024**2
    webhook_networks: tuple[str, ...] = ()

    @property
    def landing(self) -> Path:
        """Where owners drop files."""
        return self.home / "landing"

    @property
    def contracts(self) -> Path:
        """`datasets/<name>.toml`."""
        return self.home / "datasets"

    @property
    def partners(self) -> Path:
        """`partners/<name>.toml`."""
        return self.home / "partners"

    @property
    def tables(self) -> Path:
        """The Iceberg warehouse."""
        return self.home / "tables"

    @property
    def results(self) -> Path:
        """The result store."""
        return self.home / "results"

    @property
    def reports(self) -> Path:
        """`reports/<key>/<load id>.json` and `.rejects.csv`."""
        return self.home / "reports"

    @property
    def audit(self) -> Path:
        """The audit log."""
        return self.home / "audit"

    @property
    def keys(self) -> Path:
        """Signing keys, readable by the owner alone."""
        return self.home / "keys"

    @property
    def state(self) -> Path:
        """Heads, leases, ledger, outbox, credentials."""
        return self.home / "state.sqlite"

    @property
    def cache(self) -> Path:
        """Flights and answers; may be deleted at any time."""
        return self.home / "cache.sqlite"

    @property
    def catalog(self) -> Path:
        """The Iceberg catalog."""
        return self.home / "catalog.sqlite"


def read_settings(home: Path) -> Settings:
    """The settings of the home in folder `home`; raises `Refused` when it is none or a key is wrong."""
    path = home / HOME_FILE
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Refused(
            f"{home} is no Lakegate home: it has no {HOME_FILE}.",
            f"Make one with `lakegate init {home}`, or name another with --home or LAKEGATE_HOME.",
            code="no-home",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} is not valid TOML: {error}.", "Mend that line.", code="settings-invalid") from error
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    return _checked(home, path, given)


def _checked(home: Path, path: Path, given: dict[str, object]) -> Settings:
    known = {field.name: field for field in fields(Settings) if field.name != "home"}
    values: dict[str, object] = {}
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
            raise Refused(f"{path}: unknown setting {key!r}.", hint, code="settings-invalid")
        values[key] = _coerced(path, key, value, known[key].default)
        if wanted := misfit(key, values[key]):
            message = f"{path}: {key} is {value!r}, expected {wanted}."
            raise Refused(message, f"The default is {known[key].default!r}.", code="settings-invalid")
    if values.get("version", HOME_VERSION) != HOME_VERSION:
        raise Refused(
            f"{path}: this home has version {values['version']}, this Lakegate reads version {HOME_VERSION}.",
            "Use the Lakegate that wrote it, or a newer one.",
            code="home-version",
        )
    if not PUBLIC_PATH.fullmatch(str(values.get("public_path", ""))):
        raise Refused(
            f"{path}: public_path is {values['public_path']!r}, which is no path that a proxy serves.",
            'Write it as in "/lake": with a slash in front and none behind, of letters, digits, - _ . and ~.',
            code="settings-invalid",
        )
    return Settings(home=home.resolve(), **values)  # type: ignore[arg-type]


def misfit(key: str, value: object) -> str | None:
    """What a setting must be that this value of the right type is not; None where it fits.

    >>> misfit("workers", 0), misfit("workers", 2), misfit("result_days", float("nan"))
    ('at least 1', None, 'at least 0.001')
    """
    least = LEAST.get(key)
    if least is not None and isinstance(value, int | float) and not (value >= least and isfinite(value)):
        return f"at least {least:g}"
    if key == "name" and not LAKE_NAME.fullmatch(str(value)):
        return "lower-case letters, digits and _, beginning with a letter"
    return None


def _coerced(path: Path, key: str, value: object, default: object) -> object:
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(str(item) for item in value)
    if type(value) is not type(default):
        raise Refused(
            f"{path}: {key} is {value!r}, expected {_KINDS[type(default)]}.",
            f"The default is {default!r}.",
            code="settings-invalid",
        )
    return value
