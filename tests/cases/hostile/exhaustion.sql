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
