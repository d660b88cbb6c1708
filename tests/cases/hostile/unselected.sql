-- WHERE on a hidden column
-- expect: not-found
SELECT count(*) FROM flights WHERE tailnum LIKE 'TAIL-1%'
----
-- WHERE on a hidden column in a dead branch
-- expect: not-found
SELECT count(*) FROM flights WHERE FALSE AND tailnum = 'x'
----
-- GROUP BY a hidden column
-- expect: not-found
SELECT count(*) FROM flights GROUP BY pilot
----
-- HAVING on a hidden column
-- expect: not-found
SELECT carrier FROM flights GROUP BY carrier HAVING max(tailnum) > 'T'
----
-- ORDER BY a hidden column
-- expect: not-found
SELECT note FROM flights ORDER BY pilot
----
-- ORDER BY an expression of a hidden column
-- expect: not-found
SELECT note FROM flights ORDER BY lower(tailnum)
----
-- ON with a hidden column
-- expect: not-found
SELECT 1 FROM flights AS f JOIN airlines AS a ON f.tailnum = a.name
----
-- USING a hidden column
-- expect: not-found
SELECT 1 FROM flights JOIN (SELECT 'TAIL-4-' AS tailnum) AS t USING (tailnum)
----
-- IN on a hidden column
-- expect: not-found
SELECT 1 FROM flights WHERE pilot IN (77000000004)
----
-- BETWEEN on a hidden column
-- expect: not-found
SELECT 1 FROM flights WHERE pilot BETWEEN 1 AND 99000000000
----
-- IS NULL on a hidden column
-- expect: not-found
SELECT count(*) FROM flights WHERE tailnum IS NULL
----
-- count of a hidden column
-- expect: not-found
SELECT count(tailnum) FROM flights
----
-- count DISTINCT of a hidden column
-- expect: not-found
SELECT count(DISTINCT pilot) FROM flights
----
-- A window over a hidden column
-- expect: not-found
SELECT rank() OVER (ORDER BY pilot) FROM flights
----
-- PARTITION BY a hidden column
-- expect: not-found
SELECT count(*) OVER (PARTITION BY tailnum) FROM flights
----
-- A named window over a hidden column
-- expect: not-found
SELECT count(*) OVER w FROM flights WINDOW w AS (ORDER BY pilot)
----
-- FILTER on a hidden column
-- expect: not-found
SELECT count(*) FILTER (WHERE tailnum > 'T') FROM flights
----
-- CASE on a hidden column
-- expect: not-found
SELECT CASE WHEN pilot > 77000000010 THEN 1 ELSE 0 END FROM flights
----
-- min_by a hidden column
-- expect: not-found
SELECT min_by(note, pilot) FROM flights
----
-- array_agg ordered by a hidden column
-- expect: not-found
SELECT array_join(array_agg(note ORDER BY pilot), ',') FROM flights
----
-- A hidden column as an outer reference
-- expect: not-found
SELECT (SELECT max(name) FROM airlines AS a WHERE a.carrier = f.tailnum) FROM flights AS f
----
-- A hidden column as an argument of UNNEST
-- expect: not-found
SELECT x FROM flights CROSS JOIN UNNEST(split(tailnum, '-')) AS t(x)
----
-- GROUPING SETS with a hidden column
-- expect: not-found
SELECT count(*) FROM flights GROUP BY GROUPING SETS ((carrier), (pilot))
----
-- CUBE with a hidden column
-- expect: not-found
SELECT count(*) FROM flights GROUP BY CUBE (carrier, pilot)
----
-- ROLLUP with a hidden column
-- expect: not-found
SELECT count(*) FROM flights GROUP BY ROLLUP (pilot)
----
-- A hidden column of the other partner only
-- expect: not-found
-- united: [[15]]
SELECT count(fare) FROM flights
----
-- LIKE with a hidden column as the pattern
-- expect: not-found
SELECT 1 FROM flights WHERE note LIKE tailnum
----
-- A hidden column under TRY_CAST
-- expect: not-found
SELECT try_cast(tailnum AS int) FROM flights
----
-- A hidden column under TRY
-- expect: not-found
SELECT try(CAST(tailnum AS int)) FROM flights
----
-- A hidden column in VALUES
-- expect: not-found
SELECT (SELECT x FROM (VALUES (f.pilot)) AS t(x)) FROM flights AS f
----
-- A hidden column in an interval's arithmetic
-- expect: not-found
SELECT day + pilot * INTERVAL '1' DAY FROM flights
