-- CASE with and without an operand
-- expect: rows [["one", "big"]]
SELECT CASE n WHEN 1 THEN 'one' ELSE 'more' END, CASE WHEN n > 0 THEN 'big' END FROM (VALUES 1) AS t(n)
----
-- IF with two and three arguments
-- expect: rows [[null, 2]]
SELECT if(1 > 2, 1), if(1 > 2, 1, 2)
----
-- COALESCE and NULLIF
-- expect: rows [[2, null]]
SELECT coalesce(NULL, 2), nullif(1, 1)
----
-- BETWEEN and NOT BETWEEN
-- expect: rows [[true, false]]
SELECT 2 BETWEEN 1 AND 3, 2 NOT BETWEEN 1 AND 3
----
-- IN and NOT IN
-- expect: rows [[true, false]]
SELECT 'a' IN ('a', 'b'), 'a' NOT IN ('a', 'b')
----
-- IN with pairs
-- expect: rows [[true]]
SELECT count(*) = 1 FROM (VALUES (1, 2), (1, 3)) AS t(a, b) WHERE (a, b) IN ((1, 2), (3, 4))
----
-- LIKE with ESCAPE
-- expect: rows [[true, false]]
SELECT 'a_b' LIKE 'a!_b' ESCAPE '!', 'axb' LIKE 'a!_b' ESCAPE '!'
----
-- IS NULL and IS NOT NULL
-- expect: rows [[true, true]]
SELECT NULL IS NULL, 1 IS NOT NULL
----
-- IS DISTINCT FROM
-- expect: rows [[false, true]]
SELECT NULL IS DISTINCT FROM NULL, NULL IS DISTINCT FROM 1
----
-- EXISTS and NOT EXISTS
-- expect: rows [[true, false]]
SELECT EXISTS (SELECT 1), NOT EXISTS (SELECT 1)
----
-- ANY and ALL
-- expect: rows [[true, false]]
SELECT 2 = ANY (SELECT n FROM (VALUES 1, 2) AS t(n)), 2 > ALL (SELECT n FROM (VALUES 1, 2) AS t(n))
----
-- Integer and decimal division
-- expect: rows [[3, "3.5", 1]]
SELECT 7 / 2, CAST(7.0 / 2 AS varchar), 7 % 2
----
-- Signs
-- expect: rows [[-1, 1, 1]]
SELECT -1, +1, - -1
----
-- Brackets change precedence
-- expect: rows [[9, 7]]
SELECT (1 + 2) * 3, 1 + 2 * 3
----
-- AND binds before OR
-- expect: rows [[true, false]]
SELECT TRUE OR TRUE AND FALSE, (TRUE OR TRUE) AND FALSE
----
-- NOT binds before AND
-- expect: rows [[false]]
SELECT NOT TRUE AND FALSE
----
-- A text with quotes, percent and a line
-- expect: rows [["a'b\"%\n"]]
SELECT 'a''b"%
'
----
-- Concatenation
-- expect: rows [["ab", "ab"]]
SELECT 'a' || 'b', concat('a', 'b')
----
-- substr, position, trim and extract
-- expect: rows [["bc", 2, "x", 2013]]
SELECT substr('abc', 2), position('b' IN 'abc'), trim(BOTH ' ' FROM ' x '), extract(year FROM DATE '2013-05-01')
----
-- substring with FROM and FOR
-- expect: rows [["b"]]
SELECT substring('abc' FROM 2 FOR 1)
----
-- Days
-- expect: rows [["2013-02-28", 27, "2013-02-01"]]
SELECT CAST(DATE '2013-02-01' + INTERVAL '27' DAY AS varchar), date_diff('day', DATE '2013-02-01', DATE '2013-02-28'), CAST(date_trunc('month', DATE '2013-02-17') AS varchar)
----
-- current_date is the day of the question
-- expect: rows [["2013-06-30"]]
SELECT CAST(current_date AS varchar)
----
-- Casts
-- expect: rows [[1, "1", true, null]]
SELECT CAST('1' AS integer), CAST(1 AS varchar), CAST('true' AS boolean), try_cast('x' AS bigint)
----
-- Lambdas, with a column from outside and a parameter in other letters
-- expect: rows [[6, true, "2,3"]]
SELECT reduce(ARRAY[1, 2, 3], 0, (s, X) -> s + x, s -> s), any_match(ARRAY[1, 2], x -> x > 1),
       array_join(transform(ARRAY[1, 2], x -> x + n), ',') FROM (VALUES 1) AS v(n)
----
-- NOT LIKE
-- expect: rows [[true, false]]
SELECT 'abc' NOT LIKE 'x%', 'a%c' NOT LIKE 'a!%c' ESCAPE '!'
----
-- UNNEST of two lists and of a map
-- expect: rows [[1, "a", "k"], [2, null, "k"]]
SELECT x, y, k FROM UNNEST(ARRAY[1, 2], ARRAY['a']) AS t(x, y)
CROSS JOIN UNNEST(map(ARRAY['k'], ARRAY[7])) AS m(k, v) ORDER BY x
----
-- TRY
-- expect: rows [[null]]
SELECT try(1 / 0)
----
-- A subscript
-- expect: rows [[20]]
SELECT ARRAY[10, 20][2]
----
-- element_at and cardinality
-- expect: rows [[null, 2]]
SELECT element_at(ARRAY[10, 20], 3), cardinality(ARRAY[10, 20])
----
-- A decimal literal keeps its scale
-- expect: rows [["1.50"]]
SELECT CAST(DECIMAL '1.50' AS varchar)
----
-- Large numbers
-- expect: rows [["9223372036854775807", "1.0E10"]]
SELECT CAST(9223372036854775807 AS varchar), CAST(1e10 AS varchar)
