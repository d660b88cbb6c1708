-- Brackets beyond the bound
-- expect: refused 'Nesting'
SELECT <<65 x (>>1<<65 x )>>
----
-- Ten thousand brackets
-- expect: refused 'words'
SELECT <<10000 x (>>1<<10000 x )>>
----
-- Subqueries nested three thousand times
-- expect: refused
SELECT * FROM <<3000 x (SELECT * FROM >>flights<<3000 x )>>
----
-- CASE nested beyond the bound
-- expect: refused 'Nesting'
SELECT <<100 x CASE WHEN TRUE THEN >>1<<100 x  END>>
----
-- NOT in a row
-- expect: refused 'signs'
SELECT <<40 x NOT >>TRUE
----
-- Minus signs in a row
-- expect: refused 'signs'
SELECT <<5000 x - >>1
----
-- ANDs beyond the bound
-- expect: refused 'ANDs'
SELECT 1 FROM flights WHERE 1 = 1<<600 x  AND 1 = 1>>
----
-- ORs beyond the bound
-- expect: refused 'words'
SELECT 1 FROM flights WHERE 1 = 0<<5000 x  OR 1 = 1>>
----
-- Sums in a row
-- expect: refused
SELECT 1<<2000 x  + 1>>
----
-- Concatenations in a row
-- expect: refused
SELECT 'a'<<3000 x  || 'a'>>
----
-- IS NULL in a row
-- expect: refused
SELECT 1 FROM flights WHERE note<<1000 x  IS NULL>>
----
-- UNIONs beyond the bound
-- expect: refused 'SELECTs'
SELECT 1<<300 x  UNION ALL SELECT 1>>
----
-- Joins beyond the bound
-- expect: refused 'SELECTs'
SELECT count(*) FROM flights<<300 x  CROSS JOIN flights>>
----
-- Subscripts in a row
-- expect: refused
SELECT ARRAY[1]<<400 x [1]>>
----
-- Dots in a row
-- expect: refused 'dots'
SELECT a<<5000 x .a>>
----
-- Functions nested
-- expect: refused 'Nesting'
SELECT <<200 x lower(>>note<<200 x )>> FROM flights
----
-- Intervals in a row
-- expect: refused
SELECT <<1000 x INTERVAL >>'1' DAY
----
-- EXISTS nested
-- expect: refused 'Nesting'
SELECT 1 WHERE <<100 x EXISTS (SELECT 1 WHERE >>TRUE<<100 x )>>
----
-- WITH nested
-- expect: refused 'Nesting'
SELECT * FROM <<70 x (WITH a AS (SELECT 1) SELECT * FROM >>a<<70 x )>>
----
-- More bytes than allowed
-- expect: refused 'bytes'
SELECT '<<66000 x x>>'
----
-- More words than allowed
-- expect: refused 'words'
SELECT 1 WHERE 1 IN (1<<12000 x ,1>>)
----
-- A long name
-- expect: refused
SELECT 1 AS <<200 x a>>
----
-- A long number
-- expect: syntax
SELECT <<300 x 9>>
----
-- Types nested
-- expect: refused
SELECT CAST(NULL AS <<100 x ARRAY(>>int<<100 x )>>)
----
-- Windows nested in each other
-- expect: refused
SELECT <<60 x sum(>>1<<60 x ) OVER ()>><<60 x  OVER ()>>
----
-- A long text is allowed
-- expect: same
SELECT length(rpad('a', 1000000, 'b'))
----
-- A long list is allowed
-- expect: same
SELECT count(*) FROM flights WHERE flight IN (0<<3000 x ,1>>)
----
-- WITH items that each join the one before with itself: twice as many columns each time
-- expect: refused 'stand for more than'
WITH a0 AS (SELECT * FROM flights), a1 AS (SELECT * FROM a0 x, a0 y), a2 AS (SELECT * FROM a1 x, a1 y), a3 AS (SELECT * FROM a2 x, a2 y), a4 AS (SELECT * FROM a3 x, a3 y), a5 AS (SELECT * FROM a4 x, a4 y), a6 AS (SELECT * FROM a5 x, a5 y), a7 AS (SELECT * FROM a6 x, a6 y), a8 AS (SELECT * FROM a7 x, a7 y), a9 AS (SELECT * FROM a8 x, a8 y), a10 AS (SELECT * FROM a9 x, a9 y), a11 AS (SELECT * FROM a10 x, a10 y) SELECT count(*) FROM a11
----
-- Stars in a row over many tables
-- expect: refused 'stand for more than'
SELECT *<<1500 x , *>> FROM flights a, flights b, flights c, flights d
----
-- A column of USING in a chain of outer joins, read again and again
-- expect: refused 'stand for more than'
SELECT note<<1500 x , note>> FROM flights FULL JOIN flights f0 USING (note) FULL JOIN flights f1 USING (note) FULL JOIN flights f2 USING (note) FULL JOIN flights f3 USING (note) FULL JOIN flights f4 USING (note) FULL JOIN flights f5 USING (note) FULL JOIN flights f6 USING (note) FULL JOIN flights f7 USING (note) FULL JOIN flights f8 USING (note) FULL JOIN flights f9 USING (note) FULL JOIN flights f10 USING (note) FULL JOIN flights f11 USING (note)
----
-- A long expression's alias, again and again in ORDER BY
-- expect: refused 'stand for more than'
SELECT 1<<120 x  + 1>> AS a FROM flights ORDER BY a<<120 x  + a>>
----
-- Five hundred columns by stars are allowed
-- expect: same
SELECT count(*) FROM (SELECT *<<50 x , *>> FROM flights) AS t
