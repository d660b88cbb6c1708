-- Iceberg's files
-- expect: refused '"flights$files"'
SELECT * FROM "flights$files"
----
-- Iceberg's files with the lake's name
-- expect: refused '"flights$files"'
SELECT file_path, lower_bounds FROM lake."flights$files"
----
-- Iceberg's snapshots
-- expect: refused '"flights$snapshots"'
SELECT * FROM "flights$snapshots"
----
-- Iceberg's partitions
-- expect: refused '"flights$partitions"'
SELECT * FROM "flights$partitions"
----
-- Iceberg's manifests
-- expect: refused '"flights$manifests"'
SELECT * FROM "flights$manifests"
----
-- Iceberg's history
-- expect: refused '"flights$history"'
SELECT * FROM "flights$history"
----
-- An unquoted metadata name
-- expect: refused
SELECT * FROM flights$files
----
-- information_schema
-- expect: refused 'information_schema'
SELECT * FROM information_schema.tables
----
-- information_schema in quotes
-- expect: refused '"information_schema"'
SELECT * FROM "information_schema"."columns"
----
-- pg_catalog
-- expect: refused 'pg_catalog'
SELECT * FROM pg_catalog.pg_tables
----
-- sqlite_master
-- expect: not-found
SELECT * FROM sqlite_master
----
-- duckdb_columns as a table
-- expect: not-found
SELECT * FROM duckdb_columns
----
-- system's queries
-- expect: refused 'system'
SELECT query FROM system.runtime.queries
----
-- The path column of Athena
-- expect: refused '"$path"'
SELECT "$path" FROM flights
----
-- The path column by alias
-- expect: refused '"$path"'
SELECT f."$path" FROM flights AS f
----
-- The modified-time column of Athena
-- expect: refused '"$file_modified_time"'
SELECT "$file_modified_time" FROM flights
----
-- A row's number in DuckDB
-- expect: not-found
SELECT rowid FROM flights
----
-- A file's name in DuckDB
-- expect: not-found
SELECT filename FROM flights
----
-- A row's number in the file
-- expect: not-found
SELECT file_row_number FROM flights
----
-- Our own system column for the file
-- expect: not-found
SELECT _file FROM flights
----
-- Our own system column for the line
-- expect: not-found
SELECT max(_line) FROM flights
----
-- Our own system column for the content, by alias
-- expect: not-found
SELECT f._content FROM flights AS f
----
-- Our own system column for the time
-- expect: not-found
SELECT carrier FROM flights WHERE _loaded_at > TIMESTAMP '2020-01-01 00:00:00'
----
-- Our own system column in capitals and quotes
-- expect: not-found
SELECT "_FILE" FROM flights
----
-- A column of the catalog
-- expect: not-found
SELECT snapshot_id FROM flights
----
-- current_user
-- expect: refused 'current_user'
SELECT current_user
----
-- session_user
-- expect: not-found
SELECT session_user
----
-- current_catalog
-- expect: refused 'current_catalog'
SELECT current_catalog
----
-- current_schema
-- expect: not-found
SELECT current_schema
----
-- current_role
-- expect: not-found
SELECT current_role
