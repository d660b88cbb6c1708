-- A cast that fails on hidden rows only, in SELECT
-- expect: same
SELECT CAST(code AS int) FROM flights
----
-- A cast that fails on hidden rows only, in WHERE
-- expect: same
SELECT count(*) FROM flights WHERE CAST(code AS int) >= 0
----
-- A cast that fails on hidden rows only, in ON
-- expect: same
SELECT count(*) FROM flights AS f JOIN (VALUES 0, 1, 2) AS v(n) ON CAST(f.code AS int) = v.n
----
-- A cast in ON, the dataset on the right
-- expect: same
SELECT count(*) FROM (VALUES 0, 1, 2) AS v(n) JOIN flights AS f ON v.n = CAST(f.code AS int)
----
-- A cast in a LEFT JOIN's ON
-- expect: same
SELECT count(*) FROM (VALUES 0, 1, 2) AS v(n) LEFT JOIN flights AS f ON v.n = CAST(f.code AS int)
----
-- A cast in a RIGHT JOIN's ON
-- expect: same
SELECT count(*) FROM flights AS f RIGHT JOIN (VALUES 0, 1, 2) AS v(n) ON v.n = CAST(f.code AS int)
----
-- A cast in a FULL JOIN's ON
-- expect: same
SELECT count(*) FROM flights AS f FULL JOIN (VALUES 0, 1, 9) AS v(n) ON v.n = CAST(f.code AS int)
----
-- Casts on both sides of an ON
-- expect: same
SELECT count(*) FROM flights AS f JOIN flights AS g ON CAST(f.code AS int) = CAST(g.code AS int) AND f.flight = g.flight
----
-- Casts in three joined sources
-- expect: same
SELECT count(*) FROM flights AS f JOIN flights AS g ON CAST(f.code AS int) = CAST(g.code AS int) JOIN airlines AS a ON a.carrier = g.carrier AND CAST(g.code AS int) >= 0
----
-- A cast in an IN's subquery
-- expect: same
SELECT count(*) FROM (VALUES 0, 1) AS v(n) WHERE n IN (SELECT CAST(code AS int) FROM flights)
----
-- A cast left of an IN
-- expect: same
SELECT count(*) FROM flights WHERE CAST(code AS int) IN (SELECT n FROM (VALUES 0, 1) AS v(n))
----
-- A cast in a correlated EXISTS
-- expect: same
SELECT count(*) FROM (VALUES 0, 1) AS v(n) WHERE EXISTS (SELECT 1 FROM flights AS f WHERE CAST(f.code AS int) = v.n)
----
-- A cast in a scalar subquery
-- expect: same
SELECT (SELECT max(CAST(code AS int)) FROM flights)
----
-- A cast in GROUP BY
-- expect: same
SELECT CAST(code AS int) AS c, count(*) FROM flights GROUP BY CAST(code AS int)
----
-- A cast in HAVING
-- expect: same
SELECT carrier FROM flights GROUP BY carrier HAVING max(CAST(code AS int)) >= 0
----
-- A cast in ORDER BY
-- expect: same
SELECT note FROM flights ORDER BY CAST(code AS int), note
----
-- A cast in OVER
-- expect: same
SELECT rank() OVER (ORDER BY CAST(code AS int)) FROM flights
----
-- A cast in FILTER
-- expect: same
SELECT count(*) FILTER (WHERE CAST(code AS int) > 1) FROM flights
----
-- A cast in CASE
-- expect: same
SELECT CASE WHEN carrier = 'UA' THEN CAST(code AS int) ELSE CAST(code AS int) END FROM flights
----
-- A cast behind a guess about hidden rows fails only if the guess is right
-- expect: same
SELECT count(*) FROM flights WHERE CAST(CASE WHEN note = 'NOTE-5-' THEN 'x' ELSE '1' END AS int) = 1
----
-- A guess about a prefix
-- expect: same
SELECT count(*) FROM flights WHERE CAST(CASE WHEN code LIKE 'SECRET%' THEN 'x' ELSE '1' END AS int) = 1
----
-- A guess in an ON
-- expect: same
SELECT count(*) FROM flights AS f JOIN airlines AS a ON a.carrier = f.carrier AND CAST(CASE WHEN f.code LIKE 'S%' THEN 'x' ELSE '1' END AS int) = 1
----
-- A division that fails on hidden rows only
-- expect: same
SELECT count(*) FROM flights WHERE 100 / seats > 0
----
-- A division in ON
-- expect: same
SELECT count(*) FROM flights AS f JOIN (VALUES 0, 1) AS v(n) ON 100 / f.seats = v.n
----
-- A modulus that fails on hidden rows only
-- expect: same
SELECT sum(flight % seats) FROM flights
----
-- A division behind a guess
-- expect: same
SELECT count(*) FROM flights WHERE 1 / (CASE WHEN note = 'NOTE-5-' THEN 0 ELSE 1 END) = 1
----
-- A default for hidden rows' NULLs must not fail either
-- expect: same
SELECT count(*) FROM flights WHERE CAST(coalesce(code, 'x') AS int) >= 0
----
-- A default in ON
-- expect: same
SELECT count(*) FROM flights AS f JOIN (VALUES 0, 1) AS v(n) ON 1 / coalesce(f.seats, 0) = v.n
----
-- A default in a CASE
-- expect: same
SELECT count(*) FROM flights WHERE CAST(CASE WHEN carrier IS NULL THEN 'x' ELSE '1' END AS int) = 1
----
-- The number of NULLs of hidden rows by a division
-- expect: same
SELECT 1 / count_if(dep_delay IS NULL) FROM flights
----
-- An overflow on hidden rows
-- expect: same
SELECT count(*) FROM flights WHERE seats * (CASE WHEN seats = 0 THEN 9223372036854775807 ELSE 1 END) >= 0
----
-- A scalar subquery of more than one row only on hidden rows
-- expect: same
SELECT (SELECT note FROM flights AS g WHERE g.flight = f.flight) FROM flights AS f
----
-- A scalar subquery of more than one row
-- expect: fails
SELECT (SELECT note FROM flights)
----
-- A failure on a granted row is a failure
-- expect: fails
SELECT 1 / (seats - seats) FROM flights
----
-- A cast that fails on a granted row
-- expect: fails
SELECT CAST(note AS int) FROM flights
----
-- A failure carries no value
-- expect: fails
SELECT CAST(note AS date) FROM flights WHERE carrier = 'UA'
----
-- try_cast on hidden rows
-- expect: same
SELECT count(try_cast(code AS int)), count(*) FROM flights
----
-- TRY on hidden rows
-- expect: same
SELECT count(try(CAST(code AS int))), count(*) FROM flights
----
-- A date that cannot be read on hidden rows
-- expect: same
SELECT count(*) FROM flights WHERE date_parse(concat('2013-01-0', code), '%Y-%m-%d') IS NULL
----
-- A function that fails on hidden rows
-- expect: same
SELECT count(*) FROM flights WHERE chr(seats) IS NOT NULL
----
-- A subscript that fails on hidden rows
-- expect: same
SELECT count(*) FROM flights WHERE ARRAY[1][1 - (CASE WHEN seats = 0 THEN 9 ELSE 0 END)] = 1
----
-- An index beyond the range on hidden rows
-- expect: same
SELECT count(split_part(note, '-', seats)) FROM flights
----
-- A threshold against hidden values beside a cast
-- expect: same
SELECT count(*) FROM flights WHERE flight + 0 > 1058 AND CAST(note AS int) = 1
----
-- A threshold that only hidden rows pass beside a cast
-- expect: same
SELECT count(*) FROM flights WHERE flight + 0 > 1057 AND CAST(note AS int) = 1
----
-- A threshold that no row passes beside a cast
-- expect: same
SELECT count(*) FROM flights WHERE flight + 0 > 99999 AND CAST(note AS int) = 1
----
-- The smallest hidden value beside a cast
-- expect: same
SELECT count(*) FROM flights WHERE dep_delay * 1 < -6 AND CAST(note AS int) = 1
----
-- A cast under a WITH item
-- expect: same
WITH f AS (SELECT CAST(code AS int) AS c, carrier FROM flights) SELECT count(*) FROM f WHERE carrier LIKE '%A%'
----
-- A cast under a WITH item that is read twice
-- expect: same
WITH f AS (SELECT CAST(code AS int) AS c, carrier FROM flights) SELECT count(*) FROM f AS a JOIN f AS b ON a.c = b.c WHERE a.carrier = 'UA'
----
-- A cast under DISTINCT
-- expect: same
SELECT DISTINCT CAST(code AS int) FROM flights
----
-- A cast under LIMIT with an order
-- expect: same
SELECT CAST(code AS int) AS c FROM flights ORDER BY flight LIMIT 3
----
-- A cast in UNNEST
-- expect: same
SELECT sum(x) FROM flights CROSS JOIN UNNEST(ARRAY[CAST(code AS int)]) AS t(x)
----
-- A cast in lag
-- expect: same
SELECT sum(d) FROM (SELECT lag(CAST(code AS int)) OVER (ORDER BY flight) AS d FROM flights) AS q
----
-- A cast in the caller's own filter on the policy's column
-- expect: same
SELECT count(*) FROM flights WHERE carrier IN ('UA', 'DL') AND CAST(code AS int) >= 0
----
-- A caller's filter for hidden rows only
-- expect: same
SELECT count(*) FROM flights WHERE carrier = 'DL' AND origin = 'LGA' AND CAST(code AS int) >= 0
----
-- NOT around a caller's filter
-- expect: same
SELECT count(*) FROM flights WHERE NOT (carrier = 'UA') AND CAST(code AS int) >= 0
----
-- OR around a caller's filter
-- expect: same
SELECT count(*) FROM flights WHERE (carrier = 'DL' OR CAST(code AS int) >= 0)
----
-- A pattern that is no pattern
-- expect: same
SELECT count(*) FROM flights WHERE regexp_like(note, '^NOTE-[0-9]+-$') AND CAST(code AS int) >= 0
----
-- A cast before a threshold against hidden values
-- expect: alone
SELECT count(*) FROM flights WHERE CAST(note AS int) = 1 AND flight + 0 > 1057
----
-- A cast before a threshold that no row passes
-- expect: alone
SELECT count(*) FROM flights WHERE CAST(note AS int) = 1 AND flight + 0 > 1059
----
-- A cast before a threshold below all hidden values
-- expect: alone
SELECT count(*) FROM flights WHERE CAST(note AS int) = 1 AND flight * 1 < 1001
----
-- A cast before the range of a hidden date
-- expect: alone
SELECT count(*) FROM flights WHERE CAST(note AS int) = 1 AND date_add('day', 0, day) < DATE '2013-01-02'
----
-- A cast before a question for NULLs that only hidden rows have
-- expect: alone
SELECT count(*) FROM flights WHERE CAST(note AS int) = 1 AND coalesce(dep_delay, 99.0) = 99.0
----
-- A cast in the smaller or the larger side of a join
-- expect: alone
SELECT count(*) FROM flights AS f JOIN airlines AS a ON CAST(f.note AS int) = length(a.name) AND a.carrier = 'XX'
----
-- A cast on either side of a join with nothing
-- expect: alone
SELECT count(*) FROM (SELECT carrier FROM airlines WHERE carrier = 'ZZ') AS a JOIN flights AS f ON CAST(f.note AS int) = length(a.carrier)
----
-- The order of three joins follows no hidden counts
-- expect: alone
SELECT count(*) FROM flights AS f JOIN flights AS g ON f.flight / g.seats = 1 JOIN airlines AS a ON CAST(f.note AS int) = length(a.name) AND a.carrier = 'ZZ'
