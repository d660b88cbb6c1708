"""What is known of one reading, as its report."""

from collections.abc import Sequence

from athena.errors import LakegateError
from etl.formats import format_named
from etl.report import Problem, Report
from etl.tally import Tally
from etl.transform import Study


def account(
    file: str, studied: Study | None, tally: Tally, *, warnings: Sequence[str] = (), error: LakegateError | None = None
) -> Report:
    """The report of a file as far as it was read: `studied` is None when that failed already; "failed" with an error.

    Where it belongs (dataset, source, load) and how long it took is the caller's to add.
    """
    known: dict[str, object] = {"format": format_named(file)}
    if studied is not None:
        dialect = studied.dialect
        known = {
            "content": studied.content,
            "encoding": dialect.encoding,
            "format": studied.format,
            "delimiter": dialect.delimiter or None,
            "quote": dialect.quote,
            "escape": dialect.escape,
            "header": dialect.header,
            "confidence": dialect.confidence,
            "columns": {column.name: str(column.type) for column in studied.columns},
            "headings": dialect.headings,
            "warnings": (*studied.warnings, *warnings),
        }
    return Report(
        status="failed" if error else "loaded",
        dataset=None,
        source=None,
        file=file,
        lines_in=tally.lines_in,
        lines_skipped=dict(sorted(tally.lines_skipped.items())),
        rows_in=tally.rows_in,
        rows_loaded=0 if error else tally.rows_loaded,
        rows_rejected=tally.rows_rejected,
        reasons=tally.reasons,
        error=Problem.of(error) if error else None,
        **known,  # type: ignore[arg-type]
    )
