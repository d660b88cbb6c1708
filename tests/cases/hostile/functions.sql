-- getenv
-- expect: refused 'getenv'
SELECT getenv('HOME')
----
-- current_setting
-- expect: refused 'current_setting'
SELECT current_setting('lock_configuration')
----
-- getvariable
-- expect: refused 'getvariable'
SELECT getvariable('x')
----
-- read_text as a scalar
-- expect: refused 'read_text'
SELECT read_text('/etc/passwd')
----
-- version
-- expect: refused 'version'
SELECT version()
----
-- current_database
-- expect: refused 'current_database'
SELECT current_database()
----
-- nextval
-- expect: refused 'nextval'
SELECT nextval('s')
----
-- error
-- expect: refused 'error'
SELECT error(note) FROM flights
----
-- query_table in an expression
-- expect: refused 'query_table'
SELECT query_table('payroll')
----
-- json_serialize_sql
-- expect: refused 'json_serialize_sql'
SELECT json_serialize_sql('SELECT 1')
----
-- in_search_path
-- expect: refused 'in_search_path'
SELECT in_search_path('lake', 'main')
----
-- has_table_privilege
-- expect: refused 'has_table_privilege'
SELECT has_table_privilege('payroll', 'select')
----
-- pg_typeof
-- expect: refused 'pg_typeof'
SELECT pg_typeof(note) FROM flights
----
-- stats
-- expect: refused 'stats'
SELECT stats(note) FROM flights
----
-- alias
-- expect: refused 'alias'
SELECT alias(note) FROM flights
----
-- vector_type
-- expect: refused 'vector_type'
SELECT vector_type(note) FROM flights
----
-- write_log
-- expect: refused 'write_log'
SELECT write_log(note) FROM flights
----
-- sleep_ms
-- expect: refused 'sleep_ms'
SELECT sleep_ms(10000)
----
-- setseed
-- expect: refused 'setseed'
SELECT setseed(0.5)
----
-- hash
-- expect: refused 'hash'
SELECT hash(note) FROM flights
----
-- list_transform with a lambda
-- expect: refused
SELECT list_transform(ARRAY[1], x -> x + 1)
----
-- A lambda where none is taken
-- expect: refused '->'
SELECT lower(x -> note) FROM flights
----
-- A lambda with an aggregate
-- expect: refused '->'
SELECT transform(ARRAY[1], x -> count(*)) FROM flights
----
-- filter with a lambda that reads a dataset
-- expect: refused
SELECT filter(ARRAY[1], x -> EXISTS (SELECT 1 FROM payroll))
----
-- A parameter called like an alias of ours
-- expect: not-found
SELECT cardinality(transform(ARRAY[1], t1 -> t1.note)) FROM payroll
----
-- A parameter called like an alias of ours, over a dataset that may be read
-- expect: refused 'note'
SELECT cardinality(transform(ARRAY[1], t1 -> t1.note)) FROM flights
----
-- A parameter called like the field that is read of it
-- expect: same
SELECT transform(ARRAY[ROW(carrier)], x -> cast(x AS row(x varchar)).x)[1] FROM flights
----
-- A function with a schema
-- expect: refused
SELECT main.getenv('HOME')
----
-- A function with the lake's name
-- expect: refused
SELECT lake.count(note) FROM flights
----
-- A quoted function name
-- expect: refused 'getenv'
SELECT "getenv"('HOME')
----
-- A quoted function name in capitals
-- expect: refused 'GetEnv'
SELECT "GetEnv"('HOME')
----
-- A function as a method, as DuckDB allows
-- expect: refused
SELECT note.lower() FROM flights
----
-- A function of Athena's that is not listed
-- expect: refused 'from_geojson_geometry'
SELECT from_geojson_geometry('{}')
----
-- An external function of Athena's
-- expect: refused 'USING'
USING EXTERNAL FUNCTION f(x varchar) RETURNS varchar LAMBDA 'x' SELECT f(note) FROM flights
----
-- A function of another dialect
-- expect: refused 'nvl'
SELECT nvl(note, 'x') FROM flights
----
-- A cast to a row type
-- expect: refused
SELECT CAST(note AS ROW(x varchar)) FROM flights
----
-- A cast to a struct type, as DuckDB allows
-- expect: refused
SELECT CAST(note AS STRUCT(x varchar)) FROM flights
----
-- A cast to a type that does not exist
-- expect: syntax
SELECT CAST(note AS nonesuch) FROM flights
----
-- A cast to a table's row type
-- expect: syntax
SELECT CAST('flights' AS regclass)
----
-- The engine's cast sign
-- expect: refused '::'
SELECT 'flights'::regclass
----
-- A regular expression operator
-- expect: refused '~'
SELECT note FROM flights WHERE note ~ 'SECRET'
----
-- SIMILAR TO
-- expect: refused 'SIMILAR'
SELECT note FROM flights WHERE note SIMILAR TO 'SECRET.*'
----
-- GLOB
-- expect: refused 'GLOB'
SELECT note FROM flights WHERE note GLOB 'SECRET*'
----
-- ILIKE
-- expect: refused 'ILIKE'
SELECT note FROM flights WHERE note ILIKE 'secret%'
----
-- COLLATE
-- expect: refused 'COLLATE'
SELECT note FROM flights ORDER BY note COLLATE nocase
----
-- Integer division, as DuckDB writes it
-- expect: syntax
SELECT flight // 2 FROM flights
----
-- A power sign, as DuckDB writes it
-- expect: syntax
SELECT 2 ** 3
----
-- A JSON arrow
-- expect: refused '->'
SELECT note -> 'x' FROM flights
----
-- A slice, as DuckDB allows
-- expect: refused
SELECT note[1:2] FROM flights
----
-- A list comprehension, as DuckDB allows
-- expect: syntax
SELECT [x FOR x IN [1, 2]]
----
-- An aggregate with an unknown modifier
-- expect: refused
SELECT any_value(note HAVING MAX flight) FROM flights

----
-- json_value whose default could tell of hidden rows by failing
-- expect: same
SELECT count(*) FROM flights WHERE json_value(note, 'lax $.a' RETURNING bigint DEFAULT CAST(note AS bigint) ON ERROR) = 1
----
-- json_query over a hidden column
-- expect: not-found
SELECT json_query(amount, 'lax $') FROM flights
----
-- The operator that json_query shares its node with
-- expect: refused
SELECT note -> 'a' FROM flights
----
-- A lambda of regexp_replace that reads another dataset
-- expect: refused
SELECT regexp_replace(note, '(x)', m -> (SELECT max(amount) FROM payroll)) FROM flights
