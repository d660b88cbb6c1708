"""The job's wheels: complete, of Glue's platform, from our bucket alone."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions, version
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.bundle import ROOT
from infra.policies.template import template
from infra.wheelhouse import OURS, PYTHON, job_packages, missing_wheels, our_wheel, pip_words, wheelhouse

GLUE = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "sys_platform": "linux"}
GLUE |= {"platform_system": "Linux", "platform_machine": "x86_64", "implementation_name": "cpython"}


IMPORTS = """
import sys
before = set(sys.modules)
import etl.glue_job, etl.aws.catalog, etl.aws.file_io, etl.aws.intake, etl.commit, etl.large, etl.maintain
import etl.formats.jsonl, etl.formats.parquet, etl.formats.xlsx
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""


def exact(name: str) -> str:
    """The one version of a package that is pinned."""
    return str(pinned()[canonicalize_name(name)].specifier).removeprefix("==")


def pinned() -> dict[str, Requirement]:
    return {canonicalize_name((pin := Requirement(text)).name): pin for text in job_packages()}


def test_pins_are_exact_and_what_our_own_package_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = [Requirement(text) for text in (*asked["dependencies"], *asked["optional-dependencies"]["aws"])]
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pinned().values())
    assert {"duckdb", "pyarrow", "pyiceberg", "sqlglot"} <= pinned().keys()
    for need in ours:
        assert need.name not in pinned() or need.specifier.contains(exact(need.name)), need


def test_pins_hold_everything_that_they_need_themselves() -> None:
    """Nothing else is installed: what is not there fails a job's first import."""
    for pin in pinned().values():
        if version(pin.name) != exact(pin.name):
            continue  # what a newer one needs says nothing of the one that is pinned
        for text in distribution(pin.name).requires or []:
            need = Requirement(text)
            extras = ("", *pin.extras)
            if need.marker is None or any(need.marker.evaluate({**GLUE, "extra": extra}) for extra in extras):
                assert canonicalize_name(need.name) in pinned(), f"{pin.name} needs {need.name}"
                assert need.specifier.contains(exact(need.name), prereleases=True), f"{pin.name} needs {need}"


def test_everything_that_the_job_imports_is_pinned() -> None:
    told = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True).stdout.split()
    owners = {name: {canonicalize_name(one) for one in found} for name, found in packages_distributions().items()}
    foreign = [name for name in told if name in owners and not owners[name] & (set(pinned()) | {"lakegate", "pandas"})]
    assert foreign == []  # PyArrow takes pandas where it is there


def test_no_argument_lets_pip_reach_an_index() -> None:
    text = (ROOT / "infra" / "templates" / "etl.yaml").read_text(encoding="utf-8")
    (job,) = (one["Properties"] for one in template(text)["Resources"].values() if one["Type"] == "AWS::Glue::Job")
    arguments = job["DefaultArguments"]
    assert arguments["--python-modules-installer-option"] == "--no-index"
    assert arguments["--additional-python-modules"] == {"Fn::Sub": "s3://${ConfigBucket}/${JobWheelsKey}"}
    assert not {"--extra-py-files", "--pip-install", "--user-jars-first"} & set(arguments)


def test_our_own_wheel_installs_without_an_index_and_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / OURS).write_bytes(our_wheel())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    target = tmp_path / "site"
    done = subprocess.run(
        [*pip, "--target", str(target), str(tmp_path / OURS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (target / "etl" / "glue_job.py").exists()
    assert (target / "athena" / "errors.py").exists()
    assert our_wheel() == our_wheel()


def test_a_wheel_that_is_not_there_is_told() -> None:
    wheels = [f"{pin.name.replace('-', '_')}-{str(pin.specifier)[2:]}-py3-none-any.whl" for pin in pinned().values()]
    assert missing_wheels(job_packages(), wheels) == []
    assert missing_wheels(job_packages(), wheels[1:]) == [job_packages()[0]]
    assert "--no-deps" in pip_words(Path("there"))


@pytest.mark.long
def test_every_pinned_wheel_is_in_the_archive_and_the_job_imports_from_it_alone(tmp_path: Path) -> None:
    with ZipFile(BytesIO(wheelhouse())) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert missing_wheels(job_packages(), names) == []
    assert OURS in names
    assert all(name.endswith(".whl") for name in names)
    assert len(names) == len(job_packages()) + 1
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    site = tmp_path / "site"
    wheels = [str(tmp_path / name) for name in names]
    done = subprocess.run([*pip, "--target", str(site), *wheels], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # An interpreter that has nothing but these, as a job has; pyspark and Glue's library are imported when it runs.
    alone = f"import sys; sys.path.insert(0, {str(site)!r})\n{IMPORTS}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", alone], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
