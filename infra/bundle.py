"""The Chalice project of the function, and the archive that Lambda takes: `python -m infra.bundle DIR`.

pins → wheels of Lambda's platform → our packages beside them → what nobody imports taken out → compiled → archive

Only `app.py`, `vendor/` and requirements are packaged by Chalice, and requirements that it cannot build are left out
without a word: so everything is vendored, and what the archive holds is tested. The archive is the same for the same
content, byte for byte, so that a deployment without a change changes nothing.
"""

import compileall
import gzip
import json
import py_compile
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from athena.errors import Failed

Machine = Literal["arm64", "x86_64"]

ROOT = Path(__file__).parents[1]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = "3.11"
MOST_UNPACKED_BYTES = 40_000_000
STAGE = "api"
# Amazon Linux 2023, on which Lambda's Python 3.12 and newer run, has glibc 2.34; 3.11 runs on Amazon Linux 2: 2.26.
_PLATFORMS: dict[Machine, str] = {"arm64": "aarch64", "x86_64": "x86_64"}
_GLIBC = ("manylinux2014", "manylinux_2_17")
# `sqs` is for the dispatcher's archive, made of this one; the last two for the checks around a shift of traffic.
_SERVICES = frozenset(["athena", "dynamodb", "glue", "s3", "sqs", "ssm", "codedeploy", "lambda"])
# A dialect brings its ancestors; Presto borrows from MySQL and Hive.
_DIALECTS = frozenset(["__init__", "athena", "base", "dialect", "hive", "mysql", "presto", "trino"])
# Presto takes two mappings from it: not worth 1.3 MB of machine code.
_LENDER = "mysql"
_OF_DIALECTS = ("dialects", "generators", "parsers", "typing")
_UNUSED = ("athena/engines/duckdb", "bin", "dateutil/zoneinfo", "sqlglot/executor", "urllib3/contrib")
# Of SQL's own library we read, walk and write; resolving and rewriting are our own.
_UNUSED_MODULES = {
    "sqlglot": ("anonymize", "lineage", "planner"),
    "sqlglot/optimizer": (
        *("canonicalize_internal_names", "isolate_table_selects", "merge_subqueries", "pushdown_predicates"),
        *("pushdown_projections", "qualify", "qualify_columns", "qualify_tables", "resolver", "unnest_subqueries"),
    ),
}
# Of Swagger UI what `/docs` sends; the rest of the package is for Flask.
_SWAGGER, _SWAGGER_SENT = "flask_swagger_ui", ("swagger-ui-bundle.js", "swagger-ui.css")
_CHALICE_RUNTIME = ("chalice/__init__.py", "chalice/app.py")
_OURS = ("api", "athena")
# The earliest moment that a ZIP file can name.
_MADE_AT = (1980, 1, 1, 0, 0, 0)

APP = '''"""The function: Chalice finds `app` here, and so does Lambda."""

import os

from api.on_lambda import function as app

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    app.prepare()
'''
CONFIG = {
    "version": "2.0",
    "app_name": "lakegate",
    "lambda_timeout": 29,
    "lambda_memory_size": 1024,
    "xray": True,
    "stages": {STAGE: {"api_gateway_stage": STAGE}},
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A project that `chalice package --stage api` takes, and the archive of its function, whose handler is
    `app.app`."""

    project: Path
    archive: Path
    unpacked_bytes: int


def bundle(target: Path, *, machine: Machine = "x86_64") -> Bundle:
    """The bundle in the new folder `target`, from the package index and this checkout alone.

    On arm64 the SQL library comes as Python alone: compiled for it, it is too large. It loads half as fast.
    Raises `Failed` when a package cannot be had, or when it has grown too large.
    """
    project = target / "project"
    vendor, runtime = project / "vendor", target / "chalice"
    (project / ".chalice").mkdir(parents=True)
    _install(vendor, machine)
    _move_runtime(vendor, runtime)
    for package in _OURS:
        shutil.copytree(ROOT / package, vendor / package, ignore=shutil.ignore_patterns("__pycache__"))
    _prune(vendor, machine)
    _write_project(project)
    _compile(vendor, runtime)
    archive = target / "function.zip"
    unpacked = _pack(archive, (vendor, runtime), {"app.py": APP})
    if unpacked > MOST_UNPACKED_BYTES:
        raise Failed(
            f"The function unpacks to {unpacked} bytes.",
            f"Take out what nobody imports until it is at most {MOST_UNPACKED_BYTES}.",
            code="bundle-failed",
        )
    return Bundle(project, archive, unpacked)


def _install(vendor: Path, machine: Machine) -> None:
    platforms = [word for glibc in _GLIBC for word in ("--platform", f"{glibc}_{_PLATFORMS[machine]}")]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--no-compile", "--implementation", "cp", "--python-version", PYTHON, *platforms]
    command += ["--target", str(vendor), "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own words
    if done.returncode:
        raise Failed(
            f"pip cannot install what the function carries: {done.stderr.strip()[-500:]}",
            f"Check the network and the pins in {REQUIREMENTS.name}.",
            code="bundle-failed",
        )


def _move_runtime(vendor: Path, runtime: Path) -> None:
    """Chalice packs its own runtime; the rest of it is for developers."""
    for name in _CHALICE_RUNTIME:
        (runtime / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(vendor / name, runtime / name)
    shutil.rmtree(vendor / "chalice")


def _prune(vendor: Path, machine: Machine) -> None:
    for name in _UNUSED:
        shutil.rmtree(vendor / name, ignore_errors=True)
    for name, modules in _UNUSED_MODULES.items():
        _unlink(vendor / name, set(modules).__contains__)
    _prune_botocore(vendor / "botocore" / "data")
    _prune_sqlglot(vendor, machine)
    _prune_swagger(vendor / _SWAGGER)
    for compiled in vendor.rglob("*.so"):
        # The interpreter takes the compiled one; its source would only be carried along.
        compiled.with_name(compiled.name.partition(".")[0] + ".py").unlink(missing_ok=True)
    for notes in vendor.glob("*.dist-info"):
        _keep_licences(notes)


def _prune_botocore(data: Path) -> None:
    for path in data.iterdir():
        if path.is_dir() and path.name not in _SERVICES:
            shutil.rmtree(path)
    _zip(data / "endpoints.json")


def _prune_sqlglot(vendor: Path, machine: Machine) -> None:
    for folder in _OF_DIALECTS:
        _unlink(vendor / "sqlglot" / folder, lambda module: module not in _DIALECTS)
    for folder in ("generators", "parsers"):
        for path in (vendor / "sqlglot" / folder).glob(f"{_LENDER}*.so"):
            path.unlink()
    if machine == "arm64":
        for path in (vendor / "sqlglot").rglob("*.so"):
            path.unlink()


def _prune_swagger(swagger: Path) -> None:
    for path in sorted(swagger.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.name in _SWAGGER_SENT:
            _zip(path)
        elif path.is_file() and path.name != "LICENSE":
            path.unlink()


def _zip(path: Path) -> None:
    """The file as `.gz` instead; who reads it finds it so."""
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def _unlink(folder: Path, wanted: Callable[[str], bool]) -> None:
    """Removes the modules of a folder that `wanted` names, compiled or not."""
    for path in folder.iterdir():
        if path.is_file() and wanted(path.name.partition(".")[0].removesuffix("__mypyc")):
            path.unlink()


def _keep_licences(notes: Path) -> None:
    for path in sorted(notes.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif not re.match(r"LICEN[CS]E|NOTICE|COPYING", path.name, re.IGNORECASE):
            path.unlink()


def _write_project(project: Path) -> None:
    (project / "app.py").write_text(APP, encoding="utf-8")
    (project / "requirements.txt").write_text("# Everything is in vendor/.\n", encoding="utf-8")
    (project / ".chalice" / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n", encoding="utf-8")


def _compile(vendor: Path, runtime: Path) -> None:
    """Lambda's file system is read-only: what is not compiled here is compiled by every new instance.

    Our own modules keep their sources, which a traceback shows; others' are carried compiled alone.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON:
        return
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for folder in (vendor / "api", vendor / "athena", runtime):
        compileall.compile_dir(folder, quiet=2, force=True, stripdir=folder.parent, invalidation_mode=mode)
    for path in [path for path in vendor.rglob("*.py") if path.relative_to(vendor).parts[0] not in _OURS]:
        shown = str(path.relative_to(vendor))
        py_compile.compile(str(path), str(path.with_suffix(".pyc")), shown, doraise=True, invalidation_mode=mode)
        path.unlink()


def _pack(archive: Path, folders: tuple[Path, ...], texts: dict[str, str]) -> int:
    """Writes the archive; how many bytes it unpacks to."""
    unpacked = 0
    with ZipFile(archive, "w", ZIP_DEFLATED) as made:
        for name, content in sorted([*_files(folders), *((name, text.encode()) for name, text in texts.items())]):
            info = ZipInfo(name, _MADE_AT)
            info.external_attr = 0o100644 << 16
            info.compress_type = ZIP_DEFLATED
            made.writestr(info, content)
            unpacked += len(content)
    return unpacked


def _files(folders: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path.read_bytes()


def main() -> None:
    """Build into the folder named on the command line and say what was made."""
    made = bundle(Path(sys.argv[1]))
    size = made.archive.stat().st_size
    sys.stdout.write(f"{made.archive}: {size} bytes, unpacks to {made.unpacked_bytes}\n")


if __name__ == "__main__":
    main()
