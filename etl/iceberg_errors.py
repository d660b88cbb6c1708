"""What pyiceberg and its catalog raise, as ours: refused for sure, damaged, or failed and worth another attempt."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyiceberg.exceptions import CommitFailedException, ValidationError
from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

from athena.errors import Damaged, Failed

_DOCTOR = "Stop Lakegate and run `lakegate doctor` on this home: it says what can be rebuilt."


@contextmanager
def translated(dataset: str) -> Iterator[None]:
    """Errors of one table's catalog entry and metadata. A commit that is known not to have happened is `Failed` with
    code "commit-conflict"; for whatever else is raised, only the catalog can tell."""
    try:
        yield
    except CommitFailedException as error:
        raise Failed(
            f"{dataset}: somebody else committed at the same time.",
            "Nothing was changed; try again.",
            code="commit-conflict",
        ) from error
    except SQLAlchemyError as error:
        raise catalog_error(dataset, error) from error
    except (ValidationError, EOFError) as error:
        raise Damaged(
            f"{dataset}: its table metadata is damaged: {str(error).splitlines()[0]}.", _DOCTOR, code="state-damaged"
        ) from error
    except OSError as error:
        raise Failed(
            f"{dataset}: table metadata could not be read or written: {error}.",
            "Check that the disk is there, is writable and has room, then load again.",
            code="disk",
        ) from error


def catalog_error(dataset: str, error: SQLAlchemyError) -> Failed | Damaged:
    """What an error of the SQL catalog means for its caller."""
    what = str(error).splitlines()[0]
    if isinstance(error, DatabaseError) and not isinstance(error, OperationalError):
        return Damaged(f"{dataset}: the catalog is damaged: {what}.", _DOCTOR, code="state-damaged")
    return Failed(
        f"{dataset}: the catalog could not be used: {what}.",
        "Check that catalog.sqlite can be written and the disk has room; `lakegate doctor` says more.",
        code="state-unavailable",
    )
