-- Two statements
-- expect: refused ';'
SELECT 1; DROP TABLE flights
----
-- Two statements with comments between
-- expect: refused ';'
SELECT 1 ; -- done
/* now */ SELECT * FROM payroll
----
-- A semicolon behind the end is harmless
-- expect: rows [[1]]
SELECT 1;
----
-- Several semicolons behind the end
-- expect: rows [[1]]
SELECT 1 ; ;
----
-- Nothing
-- expect: syntax
;
----
-- A comment only
-- expect: syntax
-- SELECT * FROM payroll
----
-- INSERT
-- expect: refused 'INSERT'
INSERT INTO flights SELECT * FROM flights
----
-- INSERT behind WITH
-- expect: refused 'INSERT'
WITH a AS (SELECT 1) INSERT INTO flights SELECT * FROM a
----
-- UPDATE
-- expect: refused 'UPDATE'
UPDATE flights SET carrier = 'UA'
----
-- DELETE
-- expect: refused 'DELETE'
DELETE FROM flights
----
-- MERGE
-- expect: refused 'MERGE'
MERGE INTO flights USING airlines ON 1 = 1 WHEN MATCHED THEN DELETE
----
-- CREATE TABLE AS
-- expect: refused 'CREATE'
CREATE TABLE x AS SELECT * FROM flights
----
-- CREATE VIEW
-- expect: refused 'CREATE'
CREATE VIEW x AS SELECT * FROM flights
----
-- CREATE FUNCTION
-- expect: refused 'CREATE'
CREATE MACRO f(x) AS x
----
-- DROP
-- expect: refused 'DROP'
DROP TABLE flights
----
-- ALTER
-- expect: refused 'ALTER'
ALTER TABLE flights ADD COLUMN x int
----
-- TRUNCATE
-- expect: refused 'TRUNCATE'
TRUNCATE TABLE flights
----
-- EXPLAIN
-- expect: refused 'EXPLAIN'
EXPLAIN SELECT * FROM flights
----
-- EXPLAIN ANALYZE
-- expect: refused 'EXPLAIN'
EXPLAIN ANALYZE SELECT count(*) FROM payroll
----
-- DESCRIBE
-- expect: refused 'DESCRIBE'
DESCRIBE flights
----
-- SHOW TABLES
-- expect: refused 'SHOW'
SHOW TABLES
----
-- SHOW COLUMNS
-- expect: refused 'SHOW'
SHOW COLUMNS FROM payroll
----
-- SHOW CREATE TABLE
-- expect: refused 'SHOW'
SHOW CREATE TABLE lake.flights
----
-- SET
-- expect: refused 'SET'
SET enable_external_access = true
----
-- RESET
-- expect: refused 'RESET'
RESET lock_configuration
----
-- USE
-- expect: refused 'USE'
USE lake
----
-- PREPARE
-- expect: refused 'PREPARE'
PREPARE p FROM SELECT * FROM payroll
----
-- EXECUTE
-- expect: refused 'EXECUTE'
EXECUTE p
----
-- UNLOAD
-- expect: refused 'UNLOAD'
UNLOAD (SELECT * FROM flights) TO 's3://elsewhere/' WITH (format = 'CSV')
----
-- COPY to a file
-- expect: refused 'COPY'
COPY (SELECT 1) TO '/tmp/x.csv'
----
-- COPY from a file
-- expect: refused 'COPY'
COPY flights FROM '/etc/passwd'
----
-- CALL
-- expect: refused 'CALL'
CALL system.runtime.kill_query('x')
----
-- GRANT
-- expect: refused 'GRANT'
GRANT SELECT ON flights TO public
----
-- ATTACH
-- expect: refused 'ATTACH'
ATTACH 'other.db' AS other
----
-- INSTALL
-- expect: refused 'INSTALL'
INSTALL httpfs
----
-- LOAD
-- expect: refused 'LOAD'
LOAD httpfs
----
-- PRAGMA
-- expect: refused 'PRAGMA'
PRAGMA database_list
----
-- EXPORT
-- expect: refused 'EXPORT'
EXPORT DATABASE '/tmp/x'
----
-- VACUUM
-- expect: refused 'VACUUM'
VACUUM flights
----
-- OPTIMIZE
-- expect: refused 'OPTIMIZE'
OPTIMIZE flights REWRITE DATA USING BIN_PACK
----
-- START TRANSACTION
-- expect: refused 'START'
START TRANSACTION
----
-- ROLLBACK
-- expect: refused 'ROLLBACK'
ROLLBACK
----
-- FROM first, as DuckDB allows
-- expect: refused 'FROM'
FROM payroll
----
-- TABLE as a statement
-- expect: refused 'TABLE'
TABLE payroll
----
-- PIVOT as a statement
-- expect: refused 'PIVOT'
PIVOT flights ON carrier USING count(*)
----
-- SUMMARIZE
-- expect: refused 'SUMMARIZE'
SUMMARIZE flights
----
-- SELECT INTO
-- expect: refused 'INTO'
SELECT carrier INTO stolen FROM flights
----
-- A statement in a comment that ends early
-- expect: refused 'UPDATE'
/* SELECT 1 */ UPDATE flights SET carrier = 'UA'
----
-- A function written in WITH
-- expect: refused
WITH FUNCTION f(x bigint) RETURNS bigint RETURN x + 1 SELECT f(1)
----
-- RECURSIVE
-- expect: refused 'RECURSIVE'
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n
----
-- A misspelt SELECT
-- expect: syntax
SELEKT * FROM payroll
----
-- A NUL byte cannot end the text early
-- expect: syntax
SELECT 1 WHERE note = 'a
