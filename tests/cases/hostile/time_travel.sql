-- A version by number
-- expect: refused 'FOR'
SELECT * FROM flights FOR VERSION AS OF 1
----
-- A version of a dataset that is not granted
-- expect: refused 'FOR'
SELECT * FROM payroll FOR VERSION AS OF 1
----
-- A version by time
-- expect: refused 'FOR'
SELECT * FROM flights FOR TIMESTAMP AS OF TIMESTAMP '2020-01-01 00:00:00 UTC'
----
-- A version in the old spelling
-- expect: syntax
SELECT * FROM flights FOR SYSTEM_VERSION AS OF 1
----
-- A time in the old spelling
-- expect: refused 'FOR'
SELECT * FROM flights FOR SYSTEM_TIME AS OF now()
----
-- A version in a join
-- expect: refused 'FOR'
SELECT 1 FROM airlines AS a JOIN flights FOR VERSION AS OF 1 AS f ON a.carrier = f.carrier
----
-- A version in a subquery
-- expect: refused 'FOR'
SELECT (SELECT count(*) FROM flights FOR VERSION AS OF 1)
----
-- A version in a WITH item
-- expect: refused 'FOR'
WITH old AS (SELECT * FROM flights FOR VERSION AS OF 1) SELECT count(*) FROM old
----
-- A version in DuckDB's spelling
-- expect: refused
SELECT * FROM flights AT (VERSION => 1)
----
-- A version as part of the name
-- expect: refused '"flights@1"'
SELECT * FROM "flights@1"
----
-- Changes between versions
-- expect: refused
SELECT * FROM TABLE(system.table_changes('lake', 'flights', 1, 2))
