-- Join in brackets
-- expect: rows [["United"]]
SELECT name FROM ((SELECT 'UA') AS f(c) JOIN airlines AS a ON f.c = a.carrier)
----
-- Joins in brackets in brackets, then more joins
-- expect: rows [["United", 1]]
SELECT a.name, v.n FROM (((SELECT 1, 'UA') AS f(n, c) JOIN airlines AS a ON f.c = a.carrier) JOIN (VALUES 1) AS w(m) ON w.m = f.n) JOIN (VALUES 1) AS v(n) ON f.n = v.n
----
-- A table in brackets with an alias
-- expect: rows [[4]]
SELECT count(*) FROM (airlines) AS a
----
-- Brackets around brackets
-- expect: rows [[1]]
SELECT x FROM (((SELECT 1 AS x))) AS t
----
-- A list of tables
-- expect: rows [[8]]
SELECT count(*) FROM airlines, (VALUES 1, 2) AS v(n)
----
-- A list of tables and a join
-- expect: rows [["United"]]
SELECT a.name FROM (VALUES 1) AS v(n), (VALUES 'UA') AS f(c) JOIN airlines AS a ON f.c = a.carrier
----
-- USING merges the column
-- expect: rows [["UA", 1, "United"]]
SELECT * FROM (VALUES ('UA', 1)) AS f(carrier, n) JOIN (SELECT carrier, name FROM airlines) AS a USING (carrier) ORDER BY 1
----
-- USING in a FULL JOIN takes whichever is there
-- expect: rows [["AA", 1, null], ["B6", null, 2]]
SELECT c, l.n, r.n FROM (VALUES ('AA', 1)) AS l(c, n) FULL JOIN (VALUES ('B6', 2)) AS r(c, n) USING (c)
----
-- USING in a RIGHT JOIN
-- expect: rows [["B6", null]]
SELECT c, n FROM (VALUES ('AA', 1)) AS l(c, n) RIGHT JOIN (VALUES 'B6') AS r(c) USING (c)
----
-- USING with two columns
-- expect: rows [[1, 2]]
SELECT a, b FROM (VALUES (1, 2)) AS l(a, b) JOIN (VALUES (1, 2), (1, 3)) AS r(a, b) USING (a, b)
----
-- USING twice
-- expect: rows [[1]]
SELECT k FROM (VALUES 1) AS a(k) JOIN (VALUES 1) AS b(k) USING (k) JOIN (VALUES 1, 2) AS c(k) USING (k)
----
-- LEFT JOIN keeps rows without a match
-- expect: rows [["XX", null]]
SELECT f.c, a.name FROM (VALUES 'XX') AS f(c) LEFT JOIN airlines AS a ON f.c = a.carrier
----
-- An ON with a condition on one side
-- expect: rows [["UA", null], ["AA", "American"]]
SELECT f.c, a.name FROM (VALUES 'UA', 'AA') AS f(c) LEFT JOIN airlines AS a ON f.c = a.carrier AND a.carrier = 'AA'
----
-- A self join
-- expect: rows [[6]]
SELECT count(*) FROM airlines AS a JOIN airlines AS b ON a.carrier < b.carrier
----
-- UNNEST
-- expect: rows [["a"], ["b"]]
SELECT x FROM UNNEST(split('a,b', ',')) AS t(x)
----
-- UNNEST of a column before it
-- expect: rows [["a", 1], ["b", 2]]
SELECT x, n FROM (VALUES 'a,b') AS v(s) CROSS JOIN UNNEST(split(s, ',')) WITH ORDINALITY AS t(x, n)
----
-- JOIN ON TRUE
-- expect: rows [[4]]
SELECT count(*) FROM airlines JOIN (VALUES 1) AS v(n) ON TRUE
----
-- Datasets joined in brackets
-- united: [[15]]
-- kennedy: [[20]]
SELECT count(*) FROM (flights AS f JOIN airlines AS a ON f.carrier = a.carrier)
