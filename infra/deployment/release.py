"""What is deployed: archives, the job's script, the templates, and a digest that names all of them.

Every key holds a digest of its content: the same content is uploaded once, and CloudFormation, which compares keys and
not objects, sees whatever has changed.
"""

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from infra.bundle import ROOT, Machine, bundle
from infra.wheelhouse import SUFFIX, sources, wheelhouse, zipped

TEMPLATES = Path(__file__).parents[1] / "templates"
# The dispatcher neither answers questions nor reads SQL.
_NOT_FOR_DISPATCHER = ("api/", "chalice/", "sqlglot", "app.py")


@dataclass(frozen=True, slots=True)
class Release:
    """Contents by their keys in the config bucket, and the values of the root template's parameters that name them.
    `templates` are texts by file name, without `config.yaml`, which is made first and alone."""

    machine: Machine
    files: Mapping[str, bytes]
    parameters: Mapping[str, str]
    templates: Mapping[str, str]
    config_template: str

    @property
    def digest(self) -> str:
        """Sixteen hex digits that change whenever anything does."""
        parts = [*(name for name in sorted(self.files)), *sorted(f"{a}={b}" for a, b in self.parameters.items())]
        parts += [f"{name}\0{text}" for name, text in sorted(self.templates.items())]
        return digest_of("\0".join(parts).encode())

    @property
    def templates_prefix(self) -> str:
        """Where the templates lie in the config bucket."""
        return f"templates/{digest_of(repr(sorted(self.templates.items())).encode())}/"

    def objects(self) -> dict[str, bytes]:
        """Everything that must lie in the config bucket before a stack can be made."""
        texts = {f"{self.templates_prefix}{name}": text.encode() for name, text in self.templates.items()}
        return {**self.files, **texts}


def digest_of(content: bytes) -> str:
    """Sixteen hex digits of a content.

    >>> digest_of(b"")
    'e3b0c44298fc1c14'
    """
    return hashlib.sha256(content).hexdigest()[:16]


def make_release(
    folder: Path,
    *,
    machine: Machine = "x86_64",
    tell: Callable[[str], None] = lambda _: None,
    wheels: Callable[[], bytes] = wheelhouse,
) -> Release:
    """The release of this checkout, built in the new folder `folder`. Raises `Failed` (`bundle-failed`)."""
    tell("bundling the function and the job's wheels")
    function = bundle(folder, machine=machine).archive.read_bytes()
    contents = {
        "FunctionKey": ("function", "zip", function),
        "DispatcherKey": ("dispatcher", "zip", _dispatcher(function)),
        "JobScriptKey": ("job", "py", (ROOT / "etl" / "glue_job.py").read_bytes()),
        "JobWheelsKey": ("wheels", SUFFIX, wheels()),
    }
    keys = {name: f"code/{stem}-{digest_of(content)}.{end}" for name, (stem, end, content) in contents.items()}
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.yaml"))}
    config = texts.pop("config.yaml")
    return Release(
        machine,
        {keys[name]: content for name, (_, _, content) in contents.items()},
        {**keys, "Machine": machine},
        texts,
        config,
    )


def _dispatcher(function: bytes) -> bytes:
    """The function's archive without what only questions need, and with `etl`."""
    with ZipFile(io.BytesIO(function)) as archive:
        kept = [(name, archive.read(name)) for name in archive.namelist() if not name.startswith(_NOT_FOR_DISPATCHER)]
    return zipped([*kept, *sources("etl")])
