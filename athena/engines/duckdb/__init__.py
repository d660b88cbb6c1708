"""DuckDB as the engine of one machine, in child processes that can be killed.

A job goes through: ``plan.py`` (which files of the pinned snapshot), ``prune.py`` (fewer of them),
``translate.py`` (Athena's SQL → DuckDB's), ``pool.py`` (a free child), and inside of the child
``sandbox.py`` (a fresh database that can reach nothing but these files) and ``export.py`` (the result as one
Parquet file with its first page). ``engine.py`` is the port.
"""
