-- A file by name, as DuckDB allows
-- expect: refused
SELECT * FROM 'flights.parquet'
----
-- A file by a quoted name
-- expect: refused '"/data/flights.parquet"'
SELECT * FROM "/data/flights.parquet"
----
-- read_parquet
-- expect: refused 'read_parquet'
SELECT * FROM read_parquet('/data/*.parquet')
----
-- READ_PARQUET in capitals and blanks
-- expect: refused 'read_parquet'
SELECT * FROM READ_PARQUET  ( '/data/*.parquet' )
----
-- parquet_scan
-- expect: refused 'parquet_scan'
SELECT * FROM parquet_scan('x')
----
-- read_csv
-- expect: refused 'read_csv'
SELECT * FROM read_csv('/etc/passwd')
----
-- read_csv_auto
-- expect: refused 'read_csv_auto'
SELECT * FROM read_csv_auto('/etc/passwd')
----
-- read_text
-- expect: refused 'read_text'
SELECT content FROM read_text('/etc/passwd')
----
-- read_blob
-- expect: refused 'read_blob'
SELECT * FROM read_blob('/etc/passwd')
----
-- read_json
-- expect: refused 'read_json'
SELECT * FROM read_json('x.json')
----
-- glob
-- expect: syntax
SELECT * FROM glob('/*')
----
-- parquet_metadata
-- expect: refused 'parquet_metadata'
SELECT stats_min, stats_max FROM parquet_metadata('x')
----
-- parquet_schema
-- expect: refused 'parquet_schema'
SELECT * FROM parquet_schema('x')
----
-- query from a text
-- expect: refused 'query'
SELECT * FROM query('SELECT * FROM payroll')
----
-- query_table
-- expect: refused 'query_table'
SELECT * FROM query_table('payroll')
----
-- duckdb_tables
-- expect: refused 'duckdb_tables'
SELECT * FROM duckdb_tables()
----
-- duckdb_settings
-- expect: refused 'duckdb_settings'
SELECT * FROM duckdb_settings()
----
-- duckdb_secrets
-- expect: refused 'duckdb_secrets'
SELECT * FROM duckdb_secrets()
----
-- pragma_table_info
-- expect: refused 'pragma_table_info'
SELECT * FROM pragma_table_info('flights')
----
-- range as a table
-- expect: refused 'range'
SELECT * FROM range(10)
----
-- generate_series as a table
-- expect: refused 'generate_series'
SELECT * FROM generate_series(1, 1000000000)
----
-- json_execute_serialized_sql
-- expect: refused 'json_execute_serialized_sql'
SELECT * FROM json_execute_serialized_sql('{}')
----
-- iceberg_scan
-- expect: refused 'iceberg_scan'
SELECT * FROM iceberg_scan('x')
----
-- sniff_csv
-- expect: refused 'sniff_csv'
SELECT * FROM sniff_csv('/etc/passwd')
----
-- TABLE with a function
-- expect: refused 'TABLE'
SELECT * FROM TABLE(sequence(1, 10))
----
-- TABLE with a connector's query
-- expect: refused '=>'
SELECT * FROM TABLE(postgresql.system.query(query => 'SELECT 1'))
----
-- TABLE with a dataset
-- expect: refused '=>'
SELECT * FROM TABLE(exclude_columns(input => TABLE(flights), columns => DESCRIPTOR(note)))
----
-- A table function behind LATERAL
-- expect: refused 'read_text'
SELECT * FROM flights, LATERAL (SELECT * FROM read_text('/etc/passwd')) AS t
----
-- LATERAL over a dataset that is not granted
-- expect: not-found
SELECT 1 FROM flights, LATERAL (SELECT amount FROM payroll) AS t
----
-- LATERAL whose condition could tell of hidden rows by failing
-- expect: same
SELECT f.carrier, l.n FROM flights AS f CROSS JOIN LATERAL (SELECT count(*) AS n FROM flights AS g WHERE g.carrier = f.carrier AND CAST(f.note AS integer) > 1) AS l
----
-- LATERAL whose own rows meet the outer ones
-- expect: same
SELECT f.note, l.note FROM flights AS f LEFT JOIN LATERAL (SELECT note FROM flights AS g WHERE g.note = f.note) AS l ON true
----
-- LATERAL as a function
-- expect: refused
SELECT 1 FROM flights, LATERAL read_text('/etc/passwd') AS t
----
-- A table function in a scalar subquery
-- expect: refused 'read_text'
SELECT (SELECT content FROM read_text('/etc/passwd'))
----
-- A table function in IN
-- expect: refused 'read_csv'
SELECT 1 WHERE 1 IN (SELECT * FROM read_csv('x'))
----
-- A table function in EXISTS
-- expect: syntax
SELECT EXISTS (SELECT 1 FROM glob('/etc/*'))
----
-- A table function in WITH
-- expect: refused 'read_text'
WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT 1
----
-- A table function in UNION
-- expect: refused 'read_text'
SELECT note FROM flights UNION SELECT content FROM read_text('/etc/passwd')
----
-- A table function qualified by a schema
-- expect: refused
SELECT * FROM main.read_text('/etc/passwd')
----
-- UNNEST of a function that reads
-- expect: refused 'read_text'
SELECT * FROM UNNEST(read_text('/etc/passwd')) AS t(x)
----
-- UNNEST without a name for its column
-- expect: refused 'UNNEST'
SELECT * FROM UNNEST(ARRAY[1, 2])
----
-- JSON_TABLE
-- expect: syntax
SELECT * FROM JSON_TABLE('[]', 'lax $[*]' COLUMNS (x int PATH 'lax $'))
----
-- MATCH_RECOGNIZE
-- expect: refused 'MATCH_RECOGNIZE'
SELECT * FROM flights MATCH_RECOGNIZE (PARTITION BY carrier MEASURES FIRST(A.note) AS n PATTERN (A+) DEFINE A AS TRUE)
----
-- PIVOT behind a dataset
-- expect: refused 'PIVOT'
SELECT * FROM flights PIVOT (count(*) FOR carrier IN ('UA', 'DL'))
----
-- UNPIVOT behind a dataset
-- expect: refused
SELECT * FROM flights UNPIVOT (v FOR k IN (note, code))
----
-- TABLESAMPLE
-- expect: refused 'TABLESAMPLE'
SELECT * FROM flights TABLESAMPLE BERNOULLI (50)
----
-- USING SAMPLE, as DuckDB allows
-- expect: refused
SELECT * FROM flights USING SAMPLE 10
----
-- LATERAL VIEW
-- expect: refused 'LATERAL'
SELECT * FROM flights LATERAL VIEW explode(ARRAY[1]) t AS x
----
-- POSITIONAL JOIN
-- expect: not-found
SELECT * FROM flights POSITIONAL JOIN payroll
----
-- ASOF JOIN
-- expect: refused 'ASOF'
SELECT 1 FROM flights AS f ASOF JOIN airlines AS a ON f.carrier >= a.carrier
----
-- SEMI JOIN
-- expect: refused 'SEMI'
SELECT 1 FROM flights SEMI JOIN airlines ON flights.carrier = airlines.carrier
----
-- ANTI JOIN
-- expect: refused 'ANTI'
SELECT 1 FROM flights ANTI JOIN airlines ON flights.carrier = airlines.carrier
----
-- NATURAL JOIN
-- expect: refused 'NATURAL'
SELECT * FROM flights NATURAL JOIN airlines
