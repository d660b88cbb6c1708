"""A table's head as the Glue Data Catalog has it: what a reader asks while a commit may or may not have happened."""

from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from athena.aws import Patience, error_code, persist
from athena.errors import Failed, Gone, OutcomeUnknown
from athena.heads import Head
from athena.heads.catalog import head_in, history_in
from athena.s3 import Bucket


class GlueHeads:
    """Iceberg tables of the Glue database `lake`; their metadata lies in S3."""

    def __init__(self, glue: Any, s3: Any, *, lake: str, patience: Patience | None = None) -> None:
        self._glue = glue
        self._s3 = s3
        self._lake = lake
        self._patience = patience or Patience()

    def head(self, dataset: str) -> Head | None:
        """The head of the current snapshot; None without table or snapshot. Raises `Damaged`, `Failed`."""
        location = self._metadata_location(dataset)
        return None if location is None else head_in(dataset, location, self._content(dataset, location))

    def history(self, dataset: str) -> tuple[Head, ...]:
        """The table as of each snapshot that is kept, oldest first; none without a table."""
        location = self._metadata_location(dataset)
        return () if location is None else history_in(dataset, location, self._content(dataset, location))

    def _content(self, dataset: str, location: str) -> bytes:
        place = urlsplit(location)
        try:
            return Bucket(self._s3, place.netloc, patience=self._patience).get(place.path.lstrip("/"))
        except Gone as error:
            raise _unreadable(dataset) from error

    def _metadata_location(self, dataset: str) -> str | None:
        try:
            found = persist(
                lambda: self._glue.get_table(DatabaseName=self._lake, Name=dataset), patience=self._patience
            )
        except ClientError as error:
            if error_code(error) == "EntityNotFoundException":
                return None
            raise _unreadable(dataset) from error
        except OutcomeUnknown as error:
            raise _unreadable(dataset) from error
        location = found["Table"].get("Parameters", {}).get("metadata_location")
        return None if location is None else str(location)


def _unreadable(dataset: str) -> Failed:
    return Failed(
        f"The catalog does not say where table {dataset} stands.",
        "Try again; if it stays so, check the role's rights on Glue and the table's bucket.",
        code="state-unavailable",
    )
