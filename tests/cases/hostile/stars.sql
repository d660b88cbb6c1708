-- A star shows what is granted
-- expect: same
SELECT * FROM flights
----
-- A star of an alias
-- expect: same
SELECT f.* FROM flights AS f
----
-- A star of the dataset's name although it has an alias
-- expect: not-found
SELECT flights.* FROM flights AS f
----
-- A star of something that is not there
-- expect: not-found
SELECT p.* FROM flights
----
-- A star with the lake's name
-- expect: same
SELECT lake.flights.* FROM lake.flights
----
-- Star and hidden column
-- expect: not-found
SELECT *, tailnum FROM flights
----
-- A star in a subquery brings no hidden column out
-- expect: not-found
SELECT q.tailnum FROM (SELECT * FROM flights) AS q
----
-- A star in two subqueries
-- expect: same
SELECT * FROM (SELECT * FROM (SELECT * FROM flights) AS a) AS b
----
-- Two stars
-- expect: same
SELECT f.*, a.* FROM flights AS f JOIN airlines AS a ON f.carrier = a.carrier
----
-- A star behind USING
-- expect: same
SELECT * FROM flights JOIN airlines USING (carrier)
----
-- A star in EXISTS
-- expect: same
SELECT count(*) FROM airlines AS a WHERE EXISTS (SELECT * FROM flights AS f WHERE f.carrier = a.carrier)
----
-- A star in count
-- expect: same
SELECT count(*) FROM flights
----
-- A star in another function
-- expect: refused 'max'
SELECT max(*) FROM flights
----
-- A star in a scalar function
-- expect: refused 'concat'
SELECT concat(*) FROM flights
----
-- A star of an alias in count
-- expect: not-found
SELECT count(f.*) FROM flights AS f
----
-- EXCLUDE, as DuckDB allows
-- expect: refused
SELECT * EXCLUDE (carrier) FROM flights
----
-- REPLACE, as DuckDB allows
-- expect: syntax
SELECT * REPLACE (tailnum AS note) FROM flights
----
-- RENAME, as DuckDB allows
-- expect: refused
SELECT * RENAME (note AS n) FROM flights
----
-- COLUMNS, as DuckDB allows
-- expect: refused 'COLUMNS'
SELECT COLUMNS('.*') FROM flights
----
-- COLUMNS with a lambda
-- expect: refused
SELECT COLUMNS(c -> c LIKE 't%') FROM flights
----
-- A whole row in a function
-- expect: not-found
SELECT CAST(flights AS varchar) FROM flights
----
-- A whole row as JSON
-- expect: not-found
SELECT json_format(CAST(f AS json)) FROM flights AS f
----
-- A row value
-- expect: same
SELECT CAST(ROW(carrier, note) AS JSON) FROM flights
----
-- A tuple
-- expect: same
SELECT CAST((carrier, note) AS JSON) FROM flights
----
-- A row value with a hidden column
-- expect: not-found
SELECT CAST(ROW(carrier, (SELECT max(amount) FROM payroll)) AS JSON) FROM flights
----
-- A row value compared with one that could tell of hidden rows by failing
-- expect: same
SELECT count(*) FROM flights WHERE (carrier, CAST(note AS integer)) < ('UA', 1)
----
-- A field that is called like a hidden column
-- expect: same
SELECT r.amount FROM (SELECT CAST(ROW(carrier) AS row(amount varchar)) AS r FROM flights) AS t
----
-- A field of a column that is no row
-- expect: not-found
SELECT carrier.note FROM flights
----
-- A row compared with NULL inside
-- expect: same
SELECT count(*) FROM flights WHERE (carrier, note) = ('UA', NULL)
----
-- A struct, as DuckDB allows
-- expect: refused
SELECT {'a': note} FROM flights
----
-- A list, as DuckDB allows
-- expect: syntax
SELECT [note] FROM flights
----
-- A field of a row
-- expect: refused 'f'
SELECT f.note.x FROM flights AS f
----
-- struct_pack
-- expect: refused ':='
SELECT struct_pack(a := note) FROM flights
----
-- GROUP BY ALL, as DuckDB allows
-- expect: refused 'ALL'
SELECT carrier, count(*) FROM flights GROUP BY ALL
----
-- ORDER BY ALL, as DuckDB allows
-- expect: not-found
SELECT carrier FROM flights ORDER BY everything
----
-- DISTINCT ON, as DuckDB allows
-- expect: refused 'ON'
SELECT DISTINCT ON (carrier) note FROM flights
----
-- QUALIFY
-- expect: syntax
SELECT note FROM flights WHERE 1 = 1 QUALIFY row_number() OVER (ORDER BY note) = 1
----
-- A star with the lake's name of what is a WITH item
-- expect: not-found
WITH flights AS (SELECT 1 AS x) SELECT lake.flights.* FROM flights
