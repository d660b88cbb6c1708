"""Athena's (Trino's) SQL on the embedded engine.

`translation.to_duckdb` makes DuckDB SQL of one query in Athena's dialect, with Trino's values and types; what DuckDB cannot do
exactly is refused by name. A connection needs `settings()` and `macros()` first. Nothing here imports DuckDB.

Source of truth: `translation.FUNCTIONS` says what the embedded engine can do right. What a caller may use is said elsewhere and
is a part of it. The way of a query:

1. `text` reads it without losing anything.
2. `queries` walks SELECT by SELECT, `scope` knows what the names mean, `types` what they are.
3. The rewrites below translate the expressions, from the leaves up, each mending one matter.
4. sqlglot writes the tree for DuckDB.
"""
