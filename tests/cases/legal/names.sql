-- Words that are keywords elsewhere as aliases
-- expect: rows [[1, 2, 3]]
SELECT 1 AS "select", 2 AS "from", 3 AS "order"
----
-- A quoted name of digits
-- expect: rows [[1]]
SELECT "1" FROM (SELECT 1 AS "1") AS "2"
----
-- An alias without AS
-- expect: rows [[1]]
SELECT x FROM (SELECT 1 x) t
----
-- Aliases of derived columns
-- expect: rows [[1, "a"]]
SELECT p, q FROM (SELECT 1, 'a') AS t(p, q)
----
-- Aliases of VALUES
-- expect: rows [[1, "a"], [2, "b"]]
SELECT n, s FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s)
----
-- VALUES without an alias
-- expect: rows [[1], [2]]
SELECT * FROM (VALUES 1, 2)
----
-- A statement of VALUES
-- expect: rows [[1, "a"], [2, "b"]]
VALUES (1, 'a'), (2, 'b')
----
-- A statement of VALUES in brackets
-- expect: rows [[1]]
(VALUES 1)
----
-- Names in any case
-- expect: rows [[1]]
SELECT T.X FROM (SELECT 1 AS x) AS t WHERE t.x = T.x
----
-- A WITH item with column names
-- expect: rows [[1, 2]]
WITH a(p, q) AS (SELECT 1, 2) SELECT p, q FROM a
----
-- A WITH item read twice
-- expect: rows [[1, 1]]
WITH a AS (SELECT 1 AS x) SELECT l.x, r.x FROM a AS l JOIN a AS r ON l.x = r.x
----
-- A WITH item on a WITH item
-- expect: rows [[2]]
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b
----
-- WITH inside of WITH
-- expect: rows [[3]]
WITH a AS (WITH b AS (SELECT 3 AS x) SELECT x FROM b) SELECT x FROM a
----
-- An inner WITH reads the outer one of another name
-- expect: rows [[2]]
WITH a AS (SELECT 1 AS x) SELECT y FROM (WITH b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b) AS q
----
-- A WITH item that is never read
-- expect: rows [[1]]
WITH a AS (SELECT 1 AS x), b AS (SELECT 1 / 0 AS y) SELECT x FROM a
----
-- Two columns of one name in a subquery are no harm
-- expect: rows [[1, 2]]
SELECT * FROM (SELECT 1 AS a, 2 AS a) AS t
----
-- Columns without a name in a subquery are no harm
-- expect: rows [[1, 2]]
SELECT * FROM (SELECT 1, 1 + 1) AS t
----
-- An alias in ORDER BY goes before a column
-- expect: rows [["UA"]]
SELECT carrier FROM (SELECT 0 - rank AS rank, carrier FROM (VALUES (1, 'AA'), (2, 'UA')) AS v(rank, carrier)) AS t ORDER BY rank LIMIT 1
----
-- An alias inside of an expression in ORDER BY
-- expect: rows [[3]]
SELECT n * 1 AS m FROM (VALUES 1, 2, 3) AS t(n) ORDER BY m * -1 LIMIT 1
----
-- A source's column in ORDER BY that is not selected
-- expect: rows [["b"]]
SELECT s FROM (VALUES (2, 'a'), (1, 'b')) AS t(n, s) ORDER BY n LIMIT 1
----
-- A number in ORDER BY
-- expect: rows [[2, "a"]]
SELECT n, s FROM (VALUES (1, 'b'), (2, 'a')) AS t(n, s) ORDER BY 2 LIMIT 1
----
-- A qualified column in ORDER BY where an alias has its name
-- expect: rows [[-1]]
SELECT 0 - t.n AS n FROM (VALUES 1, 2) AS t(n) ORDER BY t.n LIMIT 1
----
-- A subquery does not see the alias of its SELECT
-- expect: rows [[1, 1]]
SELECT n AS m, (SELECT t.n) FROM (VALUES 1) AS t(n)
----
-- An inner alias shadows an outer one
-- expect: rows [[2]]
SELECT (SELECT t.n FROM (VALUES 2) AS t(n)) FROM (VALUES 1) AS t(n)
----
-- A correlated name past a source of the same alias
-- expect: rows [[2]]
SELECT (SELECT count(*) FROM (VALUES 1, 2) AS t(m) WHERE n = 1) FROM (VALUES 1) AS t(n)
----
-- Two levels of correlation
-- expect: rows [[1]]
SELECT (SELECT max(b.y) FROM (VALUES 1) AS b(y) WHERE EXISTS (SELECT 1 FROM (VALUES 1) AS c(z) WHERE c.z = a.x AND c.z = b.y)) FROM (VALUES 1) AS a(x)
