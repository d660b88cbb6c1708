-- A WITH item takes the dataset's name and reads it
-- expect: same
WITH flights AS (SELECT * FROM flights) SELECT count(*) FROM flights
----
-- A WITH item takes the name of a dataset that is not granted
-- expect: rows [[1]]
WITH payroll AS (SELECT 1 AS amount) SELECT amount FROM payroll
----
-- A WITH item of that name reads the dataset that is not granted
-- expect: not-found
WITH payroll AS (SELECT * FROM payroll) SELECT amount FROM payroll
----
-- A later WITH item is no table for an earlier one
-- expect: not-found
WITH a AS (SELECT * FROM payroll), payroll AS (SELECT 1 AS amount) SELECT * FROM a
----
-- A WITH item inside of a subquery does not reach outside
-- expect: not-found
SELECT amount FROM (WITH payroll AS (SELECT 1 AS amount) SELECT amount FROM payroll) AS x, payroll
----
-- An inner WITH item shadows an outer one
-- expect: rows [[2]]
WITH a AS (SELECT 1 AS x) SELECT x FROM (WITH a AS (SELECT x + 1 AS x FROM a) SELECT x FROM a) AS q
----
-- The lake's name in front skips the WITH item
-- expect: not-found
WITH payroll AS (SELECT 1 AS amount) SELECT amount FROM lake.payroll
----
-- The lake's name in front of a granted dataset skips the WITH item
-- expect: same
WITH flights AS (SELECT 1 AS x) SELECT count(*) FROM lake.flights
----
-- A WITH item named like the lake
-- expect: same
WITH lake AS (SELECT 1 AS x) SELECT count(*) FROM lake.flights, lake
----
-- Two WITH items of one name
-- expect: refused 'WITH'
WITH a AS (SELECT 1 AS x), a AS (SELECT * FROM flights) SELECT * FROM a
----
-- A WITH item at three depths
-- expect: same
WITH a AS (WITH b AS (WITH flights AS (SELECT * FROM flights) SELECT carrier FROM flights) SELECT carrier FROM b) SELECT count(*), min(carrier), max(carrier) FROM a
----
-- A WITH item named like our own aliases
-- expect: same
WITH r AS (SELECT 'DL' AS carrier), g AS (SELECT TRUE AS i0), t1 AS (SELECT * FROM flights) SELECT count(*), min(t1.carrier) FROM t1, r, g
----
-- Columns of our own guard's names
-- expect: not-found
SELECT i0 FROM flights WHERE CAST(code AS int) > 0
----
-- An alias of our guard's name
-- expect: same
SELECT g.carrier FROM flights AS g WHERE CAST(g.code AS int) >= 0
----
-- An alias that is a policy's column
-- expect: same
SELECT carrier.flight FROM flights AS carrier
----
-- An alias that is a policy's column, in capitals
-- expect: same
SELECT CARRIER.flight FROM flights AS CARRIER WHERE CARRIER.carrier IS NOT NULL
----
-- A column alias that is a policy's column
-- expect: same
SELECT 'UA' AS carrier, 'JFK' AS origin, note FROM flights
----
-- A derived column named like a policy's column does not feed the policy
-- expect: same
SELECT count(*) FROM (SELECT 'UA' AS carrier, 'JFK' AS origin, note FROM flights) AS q WHERE q.carrier = 'UA'
----
-- Outer columns do not feed the policy of a subquery
-- expect: same
SELECT (SELECT count(*) FROM flights AS f WHERE f.flight > a.c) FROM (SELECT 1000 AS c, 'UA' AS carrier, 'JFK' AS origin) AS a
----
-- Capitals
-- expect: same
SELECT COUNT(*) FROM FLIGHTS
----
-- Quoted capitals
-- expect: same
SELECT count(*) FROM "FLIGHTS"
----
-- Quoted capitals of a dataset that is not granted
-- expect: not-found
SELECT * FROM "PayRoll"
----
-- Quoted lake and dataset
-- expect: same
SELECT count(*) FROM "lake"."flights"
----
-- Both names in one pair of quotes
-- expect: refused '"lake.flights"'
SELECT count(*) FROM "lake.flights"
----
-- Three-part name
-- expect: refused 'awsdatacatalog'
SELECT count(*) FROM awsdatacatalog.lake.flights
----
-- Four-part name
-- expect: refused 'dots'
SELECT count(*) FROM a.b.c.d.e
----
-- Another database
-- expect: refused 'other'
SELECT count(*) FROM other.flights
----
-- The engine's default schema
-- expect: refused 'main'
SELECT count(*) FROM main.flights
----
-- An empty quoted name
-- expect: refused '""'
SELECT * FROM ""
----
-- A name with a blank
-- expect: refused '"flights "'
SELECT * FROM "flights "
----
-- A name with a dot and a quote
-- expect: refused '"flights""x"'
SELECT * FROM "flights""x"
----
-- The Kelvin sign folds to k in Python
-- expect: refused
SELECT * FROM "flights" AS "blacK"
----
-- Full-width letters
-- expect: refused
SELECT * FROM "ｆlights"
----
-- A Cyrillic letter in an unquoted name
-- expect: refused
SELECT * FROM flіghts
----
-- A combining mark in a column
-- expect: refused
SELECT "carrieŕ" FROM flights
----
-- A zero-width joiner in a name
-- expect: refused
SELECT * FROM "fl‍ights"
----
-- A dotless i in an alias
-- expect: refused
SELECT 1 AS "ı"
----
-- The long s folds to s
-- expect: refused
SELECT * FROM flightſ
----
-- A hidden column by its qualified name
-- expect: not-found
SELECT flights.tailnum FROM flights
----
-- A hidden column by lake and dataset
-- expect: not-found
SELECT lake.flights.tailnum FROM lake.flights
----
-- A column by lake and dataset
-- expect: same
SELECT lake.flights.carrier FROM lake.flights
----
-- A column by lake and a WITH item's name
-- expect: not-found
WITH flights AS (SELECT 1 AS carrier) SELECT lake.flights.carrier FROM flights
----
-- A column by the dataset's name although it has an alias
-- expect: not-found
SELECT flights.carrier FROM flights AS f
----
-- A hidden column by alias
-- expect: not-found
SELECT f.pilot FROM flights AS f
----
-- A hidden column in quotes and capitals
-- expect: not-found
SELECT "TAILNUM" FROM flights
----
-- A column that is in no table reads as one that is hidden
-- expect: not-found
SELECT nonesuch FROM flights
----
-- A hidden dataset and one that is not there read the same
-- expect: not-found
SELECT 1 FROM nonesuch
----
-- Renaming all columns by the table's alias does not bring the hidden ones
-- expect: not-found
SELECT tailnum FROM flights AS f WHERE f.tailnum = 'x'
----
-- An alias with more names than columns to be seen
-- expect: refused 'names'
SELECT * FROM airlines AS a(x, y, z)
----
-- An alias with names moves no hidden column into sight
-- expect: rows [["UA"],["AA"],["DL"],["B6"]]
SELECT x FROM airlines AS a(x, y)
----
-- The same alias twice
-- expect: refused 'twice'
SELECT f.carrier FROM flights AS f, airlines AS f
----
-- The same dataset twice without aliases
-- expect: refused 'twice'
SELECT 1 FROM flights, flights
----
-- An ambiguous column
-- expect: refused 'carrier'
SELECT carrier FROM flights, airlines
----
-- A column is ambiguous only among columns that are granted
-- expect: same
SELECT f.note, amount FROM flights AS f, (SELECT 1 AS amount) AS p
----
-- A column of a neighbour in FROM is not in sight of a subquery there
-- expect: not-found
SELECT 1 FROM flights AS f, (SELECT f.carrier AS c) AS q
----
-- A dataset as a column
-- expect: not-found
SELECT flights FROM flights
----
-- A dataset's alias as a column
-- expect: not-found
SELECT f FROM flights AS f
----
-- A parameter sign with a number
-- expect: refused '$1'
SELECT $1
----
-- An at-variable
-- expect: refused '@'
SELECT @carrier
----
-- ORDER BY a hidden column
-- expect: not-found
SELECT carrier FROM flights ORDER BY tailnum
----
-- ORDER BY an alias that is a hidden column's name orders by the alias
-- expect: same
SELECT carrier AS tailnum FROM flights ORDER BY tailnum
