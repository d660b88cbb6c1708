"""Athena's SQL → DuckDB's."""

from collections.abc import Mapping

from sqlglot import exp

from athena.dataset import DataType


def to_duckdb(tree: exp.Expr, schema: Mapping[str, Mapping[str, DataType]]) -> str:
    """The statement in DuckDB's dialect with Athena's meaning."""
    return tree.sql("duckdb")
