"""The function's archive, built once for all that look at it."""

from pathlib import Path

import pytest

from infra.bundle import Bundle, bundle


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """As it is deployed, for machines like this one."""
    return bundle(tmp_path_factory.mktemp("bundle") / "made", machine="x86_64")


@pytest.fixture(scope="session")
def unpacked(built: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda makes of the archive."""
    from zipfile import ZipFile

    folder = tmp_path_factory.mktemp("task")
    with ZipFile(built.archive) as archive:
        archive.extractall(folder)
    return folder
