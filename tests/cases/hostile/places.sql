-- FROM
-- expect: not-found
SELECT * FROM payroll
----
-- Second in FROM
-- expect: not-found
SELECT count(*) FROM flights, payroll
----
-- JOIN
-- expect: not-found
SELECT f.carrier FROM flights AS f JOIN payroll AS p ON f.carrier = p.carrier
----
-- JOIN USING
-- expect: not-found
SELECT amount FROM flights JOIN payroll USING (carrier)
----
-- LEFT JOIN
-- expect: not-found
SELECT p.amount FROM flights AS f LEFT JOIN payroll AS p ON f.carrier = p.carrier
----
-- CROSS JOIN
-- expect: not-found
SELECT count(*) FROM flights CROSS JOIN payroll
----
-- Join in brackets
-- expect: not-found
SELECT 1 FROM (flights AS f JOIN payroll AS p ON f.carrier = p.carrier)
----
-- Brackets around a table
-- expect: not-found
SELECT * FROM (payroll)
----
-- Brackets twice around a table
-- expect: not-found
SELECT * FROM ((payroll))
----
-- Subquery in FROM
-- expect: not-found
SELECT * FROM (SELECT * FROM payroll) AS q
----
-- Subquery three deep
-- expect: not-found
SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT amount FROM payroll) AS a) AS b) AS c
----
-- Scalar subquery in SELECT
-- expect: not-found
SELECT (SELECT max(amount) FROM payroll) FROM flights
----
-- Scalar subquery in WHERE
-- expect: not-found
SELECT carrier FROM flights WHERE flight < (SELECT max(amount) FROM payroll)
----
-- Scalar subquery in an ON
-- expect: not-found
SELECT 1 FROM flights AS f JOIN airlines AS a ON a.carrier = (SELECT min(carrier) FROM payroll)
----
-- Scalar subquery in HAVING
-- expect: not-found
SELECT carrier FROM flights GROUP BY carrier HAVING count(*) > (SELECT count(*) FROM payroll)
----
-- Scalar subquery in ORDER BY
-- expect: not-found
SELECT carrier FROM flights ORDER BY (SELECT max(amount) FROM payroll)
----
-- Scalar subquery in GROUP BY
-- expect: not-found
SELECT count(*) FROM flights GROUP BY (SELECT max(amount) FROM payroll)
----
-- Scalar subquery in CASE
-- expect: not-found
SELECT CASE WHEN carrier = 'UA' THEN (SELECT max(amount) FROM payroll) END FROM flights
----
-- Scalar subquery in a function's argument
-- expect: not-found
SELECT lower((SELECT min(note) FROM payroll)) FROM flights
----
-- Scalar subquery in an aggregate
-- expect: not-found
SELECT max((SELECT max(amount) FROM payroll)) FROM flights
----
-- Scalar subquery in FILTER
-- expect: not-found
SELECT count(*) FILTER (WHERE flight < (SELECT max(amount) FROM payroll)) FROM flights
----
-- Scalar subquery in OVER
-- expect: not-found
SELECT row_number() OVER (ORDER BY (SELECT max(amount) FROM payroll)) FROM flights
----
-- Scalar subquery in WINDOW
-- expect: not-found
SELECT row_number() OVER w FROM flights WINDOW w AS (PARTITION BY (SELECT max(amount) FROM payroll))
----
-- Scalar subquery in VALUES
-- expect: not-found
SELECT * FROM (VALUES ((SELECT max(amount) FROM payroll))) AS t(x)
----
-- Scalar subquery in a statement of VALUES
-- expect: not-found
VALUES (1), ((SELECT max(amount) FROM payroll))
----
-- Scalar subquery in ARRAY
-- expect: not-found
SELECT cardinality(ARRAY[(SELECT max(amount) FROM payroll)])
----
-- Scalar subquery in UNNEST
-- expect: not-found
SELECT x FROM UNNEST(ARRAY[(SELECT max(amount) FROM payroll)]) AS t(x)
----
-- Scalar subquery in CAST
-- expect: not-found
SELECT CAST((SELECT max(amount) FROM payroll) AS varchar)
----
-- Scalar subquery in BETWEEN
-- expect: not-found
SELECT 1 FROM flights WHERE flight BETWEEN 1 AND (SELECT max(amount) FROM payroll)
----
-- Scalar subquery in LIKE
-- expect: not-found
SELECT 1 FROM flights WHERE note LIKE (SELECT max(note) FROM payroll)
----
-- Scalar subquery as a subscript
-- expect: not-found
SELECT ARRAY[1, 2][(SELECT max(amount) FROM payroll)]
----
-- IN
-- expect: not-found
SELECT carrier FROM flights WHERE carrier IN (SELECT carrier FROM payroll)
----
-- NOT IN
-- expect: not-found
SELECT carrier FROM flights WHERE carrier NOT IN (SELECT carrier FROM payroll)
----
-- IN in SELECT
-- expect: not-found
SELECT carrier IN (SELECT carrier FROM payroll) FROM flights
----
-- EXISTS
-- expect: not-found
SELECT 1 WHERE EXISTS (SELECT 1 FROM payroll)
----
-- NOT EXISTS in SELECT
-- expect: not-found
SELECT NOT EXISTS (SELECT 1 FROM payroll)
----
-- Correlated EXISTS
-- expect: not-found
SELECT 1 FROM flights AS f WHERE EXISTS (SELECT 1 FROM payroll AS p WHERE p.carrier = f.carrier AND p.amount > 88000000000)
----
-- ANY
-- expect: not-found
SELECT 1 FROM flights WHERE flight = ANY (SELECT amount FROM payroll)
----
-- ALL
-- expect: not-found
SELECT 1 FROM flights WHERE flight < ALL (SELECT amount FROM payroll)
----
-- WITH item that is never read
-- expect: not-found
WITH p AS (SELECT * FROM payroll) SELECT 1
----
-- WITH item inside of EXISTS
-- expect: not-found
SELECT 1 FROM flights WHERE EXISTS (WITH p AS (SELECT * FROM payroll) SELECT 1 FROM p)
----
-- WITH item inside of a scalar subquery
-- expect: not-found
SELECT (WITH p AS (SELECT amount FROM payroll) SELECT max(amount) FROM p)
----
-- First in UNION
-- expect: not-found
SELECT carrier FROM payroll UNION SELECT carrier FROM flights
----
-- Last in UNION ALL
-- expect: not-found
SELECT carrier FROM flights UNION ALL SELECT carrier FROM airlines UNION ALL SELECT carrier FROM payroll
----
-- UNION inside of IN
-- expect: not-found
SELECT 1 FROM flights WHERE carrier IN (SELECT carrier FROM airlines UNION SELECT carrier FROM payroll)
----
-- Dataset in a dead branch
-- expect: not-found
SELECT 1 WHERE FALSE AND EXISTS (SELECT 1 FROM payroll)
----
-- Dataset behind LIMIT 0
-- expect: not-found
SELECT * FROM (SELECT * FROM payroll LIMIT 0) AS q
----
-- Rejects of a granted dataset
-- expect: not-found
SELECT raw FROM flights__rejects
----
-- Rejects of a granted dataset, with the lake's name
-- expect: not-found
SELECT count(*) FROM lake.flights__rejects
----
-- Hidden rows behind a subquery in every place
-- expect: same
SELECT (SELECT count(*) FROM flights) AS a, (SELECT max(note) FROM flights AS g WHERE g.flight = f.flight) AS b FROM flights AS f WHERE f.flight IN (SELECT flight FROM flights) AND EXISTS (SELECT 1 FROM flights AS h WHERE h.flight = f.flight)
----
-- Hidden rows in an ON with a subquery
-- expect: same
SELECT a.name FROM airlines AS a JOIN flights AS f ON a.carrier = f.carrier AND f.flight = (SELECT max(flight) FROM flights)
----
-- Hidden rows in HAVING
-- expect: same
SELECT carrier FROM flights GROUP BY carrier HAVING count(*) = (SELECT count(*) FROM flights AS g WHERE g.carrier = flights.carrier) OR count(*) > 0
----
-- Hidden rows in ORDER BY a subquery
-- expect: same
SELECT name FROM airlines AS a ORDER BY (SELECT count(*) FROM flights AS f WHERE f.carrier = a.carrier), name
----
-- Hidden rows in VALUES
-- expect: same
SELECT x FROM (VALUES (0), ((SELECT count(*) FROM flights))) AS t(x)
----
-- Hidden rows in UNNEST
-- expect: same
SELECT x FROM UNNEST(ARRAY[(SELECT count(*) FROM flights), (SELECT max(flight) FROM flights)]) AS t(x)
----
-- Join in brackets on the right of a join
-- expect: not-found
SELECT 1 FROM airlines AS b JOIN (flights AS f JOIN payroll AS p ON f.carrier = p.carrier) ON b.carrier = f.carrier
----
-- Join in brackets on the right of a join, all granted
-- expect: refused 'brackets'
SELECT 1 FROM airlines AS b JOIN (flights AS f JOIN airlines AS p ON f.carrier = p.carrier) ON b.carrier = f.carrier
