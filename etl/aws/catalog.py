"""The lake's Iceberg catalog in Glue, whose compare-and-swap is the fence between writers.

pyiceberg takes "concurrent modification" for a commit that did not happen, and removes its manifests. A client that
repeats `UpdateTable` on its own after a lost answer would get exactly that for a commit that did happen, and the table
would point to manifests that are gone. So a commit is sent once; what came of it is looked up (`etl/publish.py`).
"""

from typing import Any

from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.io import FileIO
from pyiceberg.typedef import Properties

from athena.aws import Patience, Unreachable, error_code, persist
from athena.errors import Busy, Failed

# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html#aws-glue-api-catalog-tables-Column
MOST_COMMENT_BYTES = 255
# What readers of ours find in the table's metadata: Glue takes keys and values of limited length, and needs neither.
_OWN = "lakegate."
# The service's answers that pyiceberg understands.
_KNOWN = frozenset(["AlreadyExistsException", "ConcurrentModificationException", "EntityNotFoundException"])


class LakeCatalog(GlueCatalog):
    """The tables of database `lake`, below the location `tables`."""

    def __init__(self, lake: str, calls: "GlueCalls", *, tables: str, io: FileIO) -> None:
        super().__init__(lake, client=calls, warehouse=tables)
        self._tables = tables
        self._file_io = io

    def _load_file_io(self, properties: Properties = {}, location: str | None = None) -> FileIO:  # noqa: B006
        return self._file_io

    def _resolve_table_location(self, location: str | None, database_name: str, table_name: str) -> str:
        return location or f"{self._tables}{database_name}/{table_name}"


class GlueCalls:
    """The calls of the Glue client that the catalog makes; failures are ours unless pyiceberg knows them."""

    def __init__(self, client: Any, patience: Patience | None = None) -> None:
        self._client = client
        self._patience = patience or Patience()
        self.exceptions = client.exceptions

    def get_table(self, **asked: Any) -> Any:
        """Read, so repeated while that can help."""
        return self._repeated("get_table", asked)

    def get_database(self, **asked: Any) -> Any:
        """The same."""
        return self._repeated("get_database", asked)

    def create_table(self, **asked: Any) -> Any:
        """A table that our own lost call made is there already, which is as good."""
        return self._repeated("create_table", {**asked, "TableInput": accepted(asked["TableInput"])})

    def update_table(self, **asked: Any) -> Any:
        """Sent once, and again only when it was refused before anything happened. A conflict with itself is none."""
        once, asked = Patience(tries=1), {**asked, "TableInput": accepted(asked["TableInput"])}
        for failures in range(1, self._patience.tries + 1):
            try:
                return self._judged(lambda: persist(lambda: self._client.update_table(**asked), patience=once))
            except (Busy, Unreachable):
                if failures == self._patience.tries:
                    raise
                self._patience.pause(failures)
            except self.exceptions.ConcurrentModificationException:
                # A call that came twice on its way met its own version.
                if not self._stands(asked):
                    raise
                return {}
        raise AssertionError("unreachable")

    def _stands(self, asked: dict[str, Any]) -> bool:
        wanted = asked["TableInput"]
        there = self.get_table(DatabaseName=asked["DatabaseName"], Name=wanted["Name"])["Table"]["Parameters"]
        return bool(there.get("metadata_location") == wanted["Parameters"]["metadata_location"])

    def _repeated(self, name: str, asked: dict[str, Any]) -> Any:
        call = getattr(self._client, name)
        return self._judged(lambda: persist(lambda: call(**asked), patience=self._patience))

    def _judged(self, call: Any) -> Any:
        try:
            return call()
        except ClientError as error:
            if error_code(error) in _KNOWN:
                raise
            raise Failed(
                f"Glue refuses {error.operation_name} ({error_code(error)}).",
                "Check that the database is there and that the role may use it.",
                code="state-unavailable",
            ) from error


def accepted(table: dict[str, Any]) -> dict[str, Any]:
    """Glue's entry of a table, with nothing in it that Glue refuses: it takes comments of 255 bytes in one line, where
    a contract describes a column at any length.

    >>> accepted({"Parameters": {"lakegate.columns": "{}", "table_type": "ICEBERG"},
    ...           "StorageDescriptor": {"Columns": [{"Name": "a", "Comment": "one\\ntwo"}], "Location": "s3://b/t"}})
    {'Parameters': {'table_type': 'ICEBERG'}, 'StorageDescriptor': {'Columns': [{'Name': 'a', 'Comment': 'one two'}], \
'Location': 's3://b/t'}}
    """
    stored = table["StorageDescriptor"]
    parameters = {name: value for name, value in table["Parameters"].items() if not name.startswith(_OWN)}
    columns = [
        {**column, "Comment": _comment(column["Comment"])} if "Comment" in column else column
        for column in stored["Columns"]
    ]
    return {**table, "Parameters": parameters, "StorageDescriptor": {**stored, "Columns": columns}}


def _comment(text: str) -> str:
    # "Single-line string": no control character but the tab. A character is cut off whole.
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line.encode()[:MOST_COMMENT_BYTES].decode(errors="ignore").rstrip()
