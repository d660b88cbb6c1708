-- GROUP BY a number
-- expect: rows [["a", 2], ["b", 1]]
SELECT s, count(*) FROM (VALUES 'a', 'a', 'b') AS t(s) GROUP BY 1
----
-- GROUP BY an expression
-- expect: rows [[0, 2], [1, 1]]
SELECT n % 2, count(*) FROM (VALUES 1, 2, 4) AS t(n) GROUP BY n % 2
----
-- HAVING
-- expect: rows [["a"]]
SELECT s FROM (VALUES 'a', 'a', 'b') AS t(s) GROUP BY s HAVING count(*) > 1
----
-- HAVING without GROUP BY
-- expect: rows [[3]]
SELECT count(*) FROM (VALUES 1, 2, 3) AS t(n) HAVING max(n) = 3
----
-- GROUPING SETS
-- expect: rows [["a", 2], ["b", 1], [null, 3]]
SELECT s, count(*) FROM (VALUES 'a', 'a', 'b') AS t(s) GROUP BY GROUPING SETS ((s), ())
----
-- ROLLUP and grouping
-- expect: rows [["a", 0], [null, 1]]
SELECT s, grouping(s) FROM (VALUES 'a') AS t(s) GROUP BY ROLLUP (s)
----
-- CUBE
-- expect: rows [[4]]
SELECT count(*) FROM (SELECT a, b FROM (VALUES (1, 2)) AS t(a, b) GROUP BY CUBE (a, b)) AS q
----
-- FILTER
-- expect: rows [[1]]
SELECT count(*) FILTER (WHERE n > 2) FROM (VALUES 1, 2, 3) AS t(n)
----
-- count DISTINCT
-- expect: rows [[2]]
SELECT count(DISTINCT s) FROM (VALUES 'a', 'a', 'b') AS t(s)
----
-- DISTINCT
-- expect: rows [["a"], ["b"]]
SELECT DISTINCT s FROM (VALUES 'a', 'a', 'b') AS t(s)
----
-- A window
-- expect: rows [[1, 1], [2, 3], [3, 6]]
SELECT n, sum(n) OVER (ORDER BY n) FROM (VALUES 1, 2, 3) AS t(n)
----
-- A window with a frame
-- expect: rows [[1, 1], [2, 3], [3, 5]]
SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1, 2, 3) AS t(n)
----
-- A named window
-- expect: rows [[1, 1, 3], [2, 2, 2], [3, 3, 1]]
SELECT n, rank() OVER w, row_number() OVER (ORDER BY n DESC) FROM (VALUES 1, 2, 3) AS t(n) WINDOW w AS (ORDER BY n)
----
-- A window over groups
-- expect: rows [["a", 2, 1], ["b", 1, 2]]
SELECT s, count(*), rank() OVER (ORDER BY count(*) DESC) FROM (VALUES 'a', 'a', 'b') AS t(s) GROUP BY s
----
-- lag with IGNORE NULLS
-- expect: rows [[3, 1]]
SELECT n, p FROM (SELECT n, k, lag(n) IGNORE NULLS OVER (ORDER BY k) AS p FROM (VALUES (1, 1), (2, NULL), (3, 3)) AS t(k, n)) AS q WHERE k = 3
----
-- UNION and UNION ALL
-- expect: rows [[1], [1], [2]]
SELECT 1 UNION ALL (SELECT 1 UNION SELECT 2)
----
-- INTERSECT and EXCEPT
-- expect: rows [[2], [9]]
(SELECT n FROM (VALUES 1, 2) AS t(n) INTERSECT SELECT 2) UNION (SELECT 9 EXCEPT SELECT 1)
----
-- ORDER BY behind UNION
-- expect: rows [[1]]
SELECT 2 AS n UNION SELECT 1 ORDER BY n LIMIT 1
----
-- LIMIT and OFFSET
-- expect: rows [[2]]
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n OFFSET 1 LIMIT 1
----
-- FETCH FIRST
-- expect: rows [[1]]
SELECT n FROM (VALUES 3, 1, 2) AS t(n) ORDER BY n FETCH FIRST 1 ROW ONLY
----
-- NULLS FIRST and LAST
-- expect: rows [[null]]
SELECT n FROM (VALUES 1, NULL) AS t(n) ORDER BY n NULLS FIRST LIMIT 1
----
-- NULLs are last either way
-- expect: rows [[2]]
SELECT n FROM (VALUES 1, 2, NULL) AS t(n) ORDER BY n DESC LIMIT 1
----
-- ORDER BY in a subquery with LIMIT
-- expect: rows [[2]]
SELECT max(n) FROM (SELECT n FROM (VALUES 1, 2, 3) AS t(n) ORDER BY n LIMIT 2) AS q
----
-- A scalar subquery without rows is NULL
-- expect: rows [[null]]
SELECT (SELECT n FROM (VALUES 1) AS t(n) WHERE n > 1)
----
-- SELECT without FROM and with WHERE
-- expect: rows []
SELECT 1 WHERE FALSE
----
-- array_agg with an order
-- expect: rows [["3,2,1"]]
SELECT array_join(array_agg(n ORDER BY n DESC), ',') FROM (VALUES 1, 3, 2) AS t(n)
----
-- max_by and min_by
-- expect: rows [["b", "a"]]
SELECT max_by(s, n), min_by(s, n) FROM (VALUES (1, 'a'), (2, 'b')) AS t(n, s)
----
-- Real rows under a grant
-- united: [[15, "UA"]]
-- kennedy: [[20, "UA"]]
SELECT count(*), max(carrier) FROM flights
----
-- Real rows under a grant, joined and grouped
-- united: [["United", 15]]
-- kennedy: [["American", 5], ["Delta", 5], ["JetBlue", 5], ["United", 5]]
SELECT a.name, count(*) FROM flights AS f JOIN airlines AS a ON f.carrier = a.carrier GROUP BY a.name
