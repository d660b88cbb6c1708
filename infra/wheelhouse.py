"""The job's libraries as one archive of wheels, so that no job asks an index: `python -m infra.wheelhouse FILE`.

pins → wheels of Glue's platform → a wheel of our own packages beside them → archive

Glue 5.0 takes such an archive ("zip of wheels", named `.gluewheels.zip`) from S3 and installs what is in it:
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
"""

import base64
import hashlib
import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from athena.errors import Failed
from infra.bundle import ROOT

JOB_REQUIREMENTS = Path(__file__).with_name("job-requirements.txt")
SUFFIX = "gluewheels.zip"
PYTHON = "3.11"
OURS = "lakegate_job-1-py3-none-any.whl"
_PACKAGES = ("athena", "etl")
# Glue 5.0 runs on Amazon Linux 2023, which has glibc 2.34. Its workers are x86.
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_27", "manylinux_2_24", "manylinux_2_17", "manylinux2014")
_MADE_AT = (1980, 1, 1, 0, 0, 0)
_METADATA = "Metadata-Version: 2.1\nName: lakegate-job\nVersion: 1\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: lakegate\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheelhouse() -> bytes:
    """The archive, the same for the same pins and sources. Raises `Failed` ("bundle-failed") when a wheel cannot be had
    for Glue's platform."""
    with tempfile.TemporaryDirectory() as folder:
        _download(Path(folder))
        wheels = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    missing = missing_wheels(job_packages(), wheels)
    if missing:
        raise Failed(
            f"The wheelhouse lacks {', '.join(missing)}.",
            f"Check the pins in {JOB_REQUIREMENTS.name}: each needs a wheel for Python {PYTHON} on Linux.",
            code="bundle-failed",
        )
    # Wheels are packed themselves.
    return zipped({**wheels, OURS: our_wheel()}.items(), compression=ZIP_STORED)


def job_packages() -> tuple[str, ...]:
    """What the job needs beside our own code, each pinned."""
    lines = JOB_REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def missing_wheels(pins: Iterable[str], wheels: Iterable[str]) -> list[str]:
    """The pins for which there is no wheel of that version.

    >>> missing_wheels(["pyiceberg[x]==0.12.0", "six==1.17.0"], ["pyiceberg-0.12.0-cp311-cp311-linux.whl"])
    ['six==1.17.0']
    """
    there = {tuple(name.split("-")[:2]) for name in wheels}
    known = {(_plain(name), version) for name, version in there}
    return [
        pin for pin in pins if (_plain(pin.partition("==")[0].partition("[")[0]), pin.partition("==")[2]) not in known
    ]


def our_wheel() -> bytes:
    """The packages that the job runs, as a wheel that needs nothing: the pins name it all."""
    files = dict(sources(*_PACKAGES))
    notes = OURS.partition("-py3")[0] + ".dist-info"
    files |= {f"{notes}/METADATA": _METADATA.encode(), f"{notes}/WHEEL": _WHEEL.encode()}
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in sorted(files.items()))
    return zipped({**files, f"{notes}/RECORD": f"{record}{notes}/RECORD,,\n".encode()}.items())


def sources(*packages: str) -> Iterable[tuple[str, bytes]]:
    """The modules of some of our packages, by their paths."""
    for package in packages:
        for path in (ROOT / package).rglob("*.py"):
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def zipped(files: Iterable[tuple[str, bytes]], *, compression: int = ZIP_DEFLATED) -> bytes:
    """An archive of files, byte for byte the same for the same content."""
    made = io.BytesIO()
    with ZipFile(made, "w") as archive:
        for name, content in sorted(files):
            info = ZipInfo(name, _MADE_AT)
            info.external_attr = 0o100644 << 16
            info.compress_type = compression
            archive.writestr(info, content)
    return made.getvalue()


def pip_words(target: Path) -> Sequence[str]:
    """How pip is asked for the wheels: for Glue's platform, each by its pin alone."""
    platforms = [word for glibc in _PLATFORMS for word in ("--platform", f"{glibc}_x86_64")]
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    words += ["--only-binary=:all:", "--implementation", "cp", "--python-version", PYTHON, *platforms]
    return [*words, "--dest", str(target), "--requirement", str(JOB_REQUIREMENTS)]


def _download(target: Path) -> None:
    done = subprocess.run(pip_words(target), capture_output=True, text=True, check=False)  # noqa: S603 our own words
    if done.returncode:
        raise Failed(
            f"pip cannot fetch what the job needs: {done.stderr.strip()[-500:]}",
            f"Check the network and the pins in {JOB_REQUIREMENTS.name}.",
            code="bundle-failed",
        )


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def main() -> None:
    """Write the archive to the file named on the command line."""
    target = Path(sys.argv[1])
    target.write_bytes(wheelhouse())
    sys.stdout.write(f"{target}: {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
