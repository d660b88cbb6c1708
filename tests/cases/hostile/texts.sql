-- A comment inside of a word
-- expect: syntax
SEL/**/ECT * FROM flights
----
-- A comment between words
-- expect: same
SELECT/**/count(*)/* FROM payroll */FROM/**/flights -- , payroll
----
-- A nested comment
-- expect: syntax
SELECT count(*) /* a /* b */ c */ FROM flights
----
-- A comment that does not end
-- expect: syntax
SELECT 1 /* FROM flights
----
-- A comment in the middle of a name
-- expect: not-found
SELECT * FROM pay/**/roll
----
-- An executable comment of MySQL's
-- expect: same
SELECT count(*) FROM flights /*! UNION SELECT amount FROM payroll */
----
-- A hint
-- expect: same
SELECT /*+ BROADCAST(payroll) */ count(*) FROM flights
----
-- A quote inside of a text
-- expect: rows [["it's"]]
SELECT 'it''s'
----
-- A backslash before a quote
-- expect: rows [["a\\"]]
SELECT 'a\'
----
-- A backslash that would end a text elsewhere
-- expect: refused 'condition'
SELECT 'a\' OR 1=1 --'
----
-- A dollar quote of PostgreSQL's
-- expect: refused '$$'
SELECT $$payroll$$
----
-- A tagged dollar quote
-- expect: refused '$a$'
SELECT $a$payroll$a$
----
-- A Unicode text
-- expect: rows [["A"]]
SELECT U&'\0041'
----
-- A Unicode text that holds a quote
-- expect: rows [["' FROM payroll --"]]
SELECT U&'\0027 FROM payroll --'
----
-- A national text
-- expect: refused
SELECT N'a'
----
-- A raw text
-- expect: syntax
SELECT r'a' FROM (VALUES 1) AS t(x)
----
-- An escape text of PostgreSQL's
-- expect: syntax
SELECT E'\x41'
----
-- A hexadecimal text
-- expect: rows [["41"]]
SELECT to_hex(X'41')
----
-- Half a byte
-- expect: refused 'X'
SELECT to_hex(X'4')
----
-- A hexadecimal number
-- expect: syntax
SELECT 0x41
----
-- A number with underscores
-- expect: syntax
SELECT 1_000
----
-- A number with a letter
-- expect: syntax
SELECT 1d
----
-- A number with a letter behind an exponent
-- expect: syntax
SELECT 1e5x
----
-- Backticks
-- expect: refused '`'
SELECT * FROM `payroll`
----
-- Square brackets as quotes
-- expect: syntax
SELECT * FROM [payroll]
----
-- Double quotes are names, not texts
-- expect: not-found
SELECT "UA" FROM flights
----
-- A line separator as white space
-- expect: same
SELECT count(*) FROM flights
----
-- A no-break space as white space
-- expect: same
SELECT count(*) FROM flights
----
-- A vertical tab as white space
-- expect: syntax
SELECTcount(*) FROM flights
----
-- A bell
-- expect: syntax
SELECT 'a' FROM flights
----
-- A right-to-left override
-- expect: refused
SELECT 1 FROM fli‮ghts
----
-- A byte-order mark
-- expect: syntax
﻿SELECT 1
----
-- A tab and a form feed are white space
-- expect: same
SELECT	count(*)
FROM flights
----
-- A marker of our own reader
-- expect: syntax
SELECT "getenv"('HOME')
----
-- An equals sign of Java's
-- expect: refused '=='
SELECT 1 == 1
----
-- A null-safe equals sign of MySQL's
-- expect: refused '<=>'
SELECT 1 <=> 1
----
-- A shift
-- expect: refused '<'
SELECT 1 << 2
----
-- A bitwise sign
-- expect: refused '&'
SELECT 1 & 2
----
-- An assignment
-- expect: refused ':='
SELECT x := 1
----
-- A question mark without a value
-- expect: refused-parameters
SELECT ?
----
-- A named parameter without a value
-- expect: refused-parameters
SELECT :carrier
----
-- A question mark as a table
-- expect: refused
SELECT * FROM ?
----
-- A named parameter as a table
-- expect: refused
SELECT * FROM :payroll
----
-- A named parameter as an alias
-- expect: refused
SELECT note :payroll FROM flights
----
-- A parameter as a subscript
-- expect: refused
SELECT ARRAY[1, 2][?]
