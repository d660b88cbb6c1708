"""Contracts as files: `datasets/<name>.toml`, strict on reading, pretty and stable on writing."""

import os
import secrets
import tomllib
from pathlib import Path

from athena.errors import Failed, NotFound, Refused
from etl.contract import Contract
from etl.contract_fields import contract_of
from etl.contract_text import contract_text
from etl.disk import writing
from etl.ports import Contracts
from etl.toml_place import Document
from etl.toml_syntax import syntax_refused

__all__ = ["format_contract", "parse_contract", "read_contract", "write_contract"]

format_contract = contract_text


def parse_contract(text: str, *, dataset: str, path: str = "") -> Contract:
    """The contract that `text` is; `Refused` ("contract-invalid") names file, line, key and the nearest known one;
    of several mistakes all.

    >>> parse_contract('[columns]\\nday = { type = "date" }', dataset="flights").columns[0].type
    DataType(name='date', precision=0, scale=0)
    """
    path = path or f"{dataset}.toml"
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise syntax_refused(path, text, error) from error
    return contract_of(Document(path, text, given), dataset)


def read_contract(path: Path) -> Contract:
    """The contract in the file; the dataset is the file's stem. `Refused` when wrong, `Failed` when unreadable.

    A file that is not there raises `NotFound` ("no-contract").
    """
    return parse_contract(read_text(path), dataset=path.stem, path=str(path))


def read_text(path: Path) -> str:
    """The file's text, to parse it and to see later whether it is still the same. Raises as `read_contract`."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(
            f"There is no contract {path}.", "The first load writes one; or write it by hand.", code="no-contract"
        ) from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not UTF-8: {error}.", "Save it as UTF-8.", code="contract-invalid") from error
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error


def find_text(path: Path) -> str | None:
    """The file's text, None when there is none. Raises `Refused` and `Failed` as `read_contract`."""
    try:
        return read_text(path)
    except NotFound:
        return None


def contract_in(contracts: Contracts, dataset: str) -> Contract | None:
    """The dataset's contract, None when there is none or it cannot be understood: whoever loads next is told why."""
    try:
        text = contracts.text(dataset)
        return None if text is None else parse_contract(text, dataset=dataset, path=contracts.where(dataset))
    except Refused:
        return None


class FolderContracts:
    """Contracts as files `<dataset>.toml` of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def where(self, dataset: str) -> str:
        """The file's path."""
        return str(self._folder / f"{dataset}.toml")

    def text(self, dataset: str) -> str | None:
        """The file's text, None when there is none."""
        return find_text(self._folder / f"{dataset}.toml")

    def save(self, dataset: str, text: str) -> None:
        """Write the file, whole or not at all."""
        write_text(self._folder / f"{dataset}.toml", text)


def write_contract(path: Path, contract: Contract) -> None:
    """Put the contract at `path`, whole or not at all. Raises `Failed` ("disk")."""
    write_text(path, contract_text(contract))


def write_text(path: Path, text: str) -> None:
    """The same for a contract that is text already."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with writing(path, "Check that the disk is writable and has room."):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("x", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
