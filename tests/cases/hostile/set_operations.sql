-- UNION ALL with rows of its own
-- expect: same
SELECT note FROM flights UNION ALL SELECT 'own'
----
-- UNION of hidden rows with themselves
-- expect: same
SELECT note FROM flights UNION SELECT note FROM flights
----
-- INTERSECT shows nothing hidden
-- expect: same
SELECT note FROM flights INTERSECT SELECT note FROM flights WHERE carrier = 'DL'
----
-- EXCEPT shows nothing hidden
-- expect: same
SELECT note FROM flights EXCEPT SELECT note FROM flights WHERE carrier = 'UA'
----
-- EXCEPT ALL
-- expect: same
SELECT carrier FROM flights EXCEPT ALL SELECT carrier FROM airlines
----
-- INTERSECT binds before UNION
-- expect: rows [[1],[2]]
SELECT 1 UNION SELECT 2 INTERSECT SELECT 2
----
-- UNION BY NAME, as DuckDB allows
-- expect: refused
SELECT note FROM flights UNION BY NAME SELECT carrier AS note FROM flights
----
-- UNION CORRESPONDING
-- expect: refused
SELECT note FROM flights UNION CORRESPONDING SELECT note FROM flights
----
-- A star in one branch brings no hidden column
-- expect: same
SELECT * FROM airlines UNION ALL SELECT carrier, note FROM flights
----
-- A star of another width is told by what is granted
-- expect: refused 'columns'
SELECT carrier, name FROM airlines UNION ALL SELECT * FROM flights
----
-- A hidden column in the second branch
-- expect: not-found
SELECT note FROM flights UNION ALL SELECT tailnum FROM flights
----
-- ORDER BY a hidden column behind UNION
-- expect: not-found
SELECT note FROM flights UNION SELECT code FROM flights ORDER BY tailnum
----
-- ORDER BY an expression behind UNION
-- expect: refused 'ORDER BY'
SELECT note FROM flights UNION SELECT code FROM flights ORDER BY lower(note)
----
-- Brackets around branches with their own order and limit
-- expect: same
(SELECT note FROM flights ORDER BY note LIMIT 1) UNION ALL (SELECT note FROM flights ORDER BY note DESC LIMIT 1)
----
-- A WITH item over a set operation
-- expect: same
WITH a AS (SELECT note FROM flights UNION SELECT code FROM flights) SELECT count(*) FROM a
----
-- A WITH inside of one branch is not seen by the other
-- expect: not-found
(WITH payroll AS (SELECT 1 AS amount) SELECT amount FROM payroll) UNION ALL SELECT amount FROM payroll
----
-- A set operation inside of IN
-- expect: same
SELECT count(*) FROM flights WHERE note IN (SELECT note FROM flights EXCEPT SELECT 'x')
----
-- A set operation of casts
-- expect: same
SELECT CAST(code AS int) FROM flights UNION ALL SELECT seats / seats FROM flights
----
-- A condition above a union of a dataset with itself
-- expect: same
SELECT n FROM (SELECT note AS n, CAST(code AS int) AS c FROM flights UNION ALL SELECT note, 1 FROM flights) AS u WHERE c >= 0 AND n LIKE 'NOTE%'
