-- count
-- expect: same
SELECT count(*) FROM flights
----
-- count of a column
-- expect: same
SELECT count(note), count(DISTINCT carrier), count(DISTINCT origin) FROM flights
----
-- approx_distinct
-- expect: same
SELECT approx_distinct(note) FROM flights
----
-- Sums and extremes
-- expect: same
SELECT sum(flight), min(flight), max(flight), min(note), max(note), min(day), max(day) FROM flights
----
-- Averages
-- expect: same
SELECT avg(dep_delay), avg(distance), stddev(distance), variance(distance) FROM flights
----
-- Percentiles
-- expect: same
SELECT approx_percentile(flight, 0.5), approx_percentile(flight, 1.0) FROM flights
----
-- GROUP BY a hidden value shows no group
-- expect: same
SELECT carrier, origin, count(*) FROM flights GROUP BY carrier, origin
----
-- ROLLUP's total counts granted rows
-- expect: same
SELECT carrier, count(*) FROM flights GROUP BY ROLLUP (carrier)
----
-- CUBE's totals
-- expect: same
SELECT carrier, origin, count(*) FROM flights GROUP BY CUBE (carrier, origin)
----
-- GROUPING SETS' total
-- expect: same
SELECT count(*) FROM flights GROUP BY GROUPING SETS (())
----
-- A window over everything
-- expect: same
SELECT note, count(*) OVER (), row_number() OVER (ORDER BY flight), max(flight) OVER () FROM flights
----
-- lag and lead do not reach hidden neighbours
-- expect: same
SELECT note, lag(note) OVER (ORDER BY flight), lead(note) OVER (ORDER BY flight) FROM flights
----
-- first_value and last_value
-- expect: same
SELECT first_value(note) OVER (ORDER BY flight), last_value(note) OVER (ORDER BY flight ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM flights
----
-- min_by and max_by
-- expect: same
SELECT min_by(note, flight), max_by(note, flight) FROM flights
----
-- array_agg
-- expect: same
SELECT array_join(array_agg(note ORDER BY flight), ',') FROM flights
----
-- listagg
-- expect: same
SELECT listagg(note, ',') WITHIN GROUP (ORDER BY flight) FROM flights
----
-- LIMIT after ORDER BY
-- expect: same
SELECT note FROM flights ORDER BY flight DESC LIMIT 1
----
-- OFFSET beyond what is granted
-- expect: same
SELECT note FROM flights ORDER BY flight OFFSET 20 LIMIT 50
----
-- FETCH FIRST
-- expect: same
SELECT note FROM flights ORDER BY flight FETCH FIRST 2 ROWS ONLY
----
-- NOT IN shows what is missing only among granted rows
-- expect: same
SELECT a.carrier FROM airlines AS a WHERE a.carrier NOT IN (SELECT carrier FROM flights)
----
-- An anti join by LEFT JOIN
-- expect: same
SELECT a.carrier FROM airlines AS a LEFT JOIN flights AS f ON a.carrier = f.carrier WHERE f.carrier IS NULL
----
-- A LEFT JOIN from granted to granted
-- expect: same
SELECT f.note, g.note FROM flights AS f LEFT JOIN flights AS g ON g.flight = f.flight + 1
----
-- A FULL JOIN of a dataset with itself
-- expect: same
SELECT f.note, g.note FROM flights AS f FULL JOIN flights AS g ON g.flight = f.flight + 2
----
-- A filter on the policy's column for hidden values
-- expect: same
SELECT count(*) FROM flights WHERE carrier = 'DL' OR origin = 'LGA'
----
-- A filter that says the policy's opposite
-- expect: same
SELECT count(*) FROM flights WHERE carrier <> 'UA' AND origin <> 'JFK'
----
-- A filter that is always true
-- expect: same
SELECT count(*) FROM flights WHERE 1 = 1 OR carrier = 'DL'
----
-- NULL is not the policy's value
-- expect: same
SELECT count(*) FROM flights WHERE carrier IS NULL OR carrier IS NOT NULL
----
-- IS DISTINCT FROM
-- expect: same
SELECT count(*) FROM flights WHERE carrier IS DISTINCT FROM 'UA'
----
-- ANY and ALL
-- expect: same
SELECT count(*) FROM flights WHERE flight >= ALL (SELECT flight FROM flights) OR flight = ANY (SELECT 1005)
----
-- A correlated count
-- expect: same
SELECT a.name, (SELECT count(*) FROM flights AS f WHERE f.carrier = a.carrier) FROM airlines AS a
----
-- A masked or missing column of the other partner is not counted
-- expect: same
SELECT count(DISTINCT code), count(seats) FROM flights
