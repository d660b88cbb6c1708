"""What a statement may be built of: kinds of nodes with the parts that each may have. Pure.

Default-deny, by part and not only by node: sqlglot keeps PIVOT, TABLESAMPLE, FOR VERSION AS OF and the like in
parts of harmless nodes, and leaves some of them out when it writes the statement back.
"""

from collections.abc import Mapping

from sqlglot import exp

# A text of 64 KiB of the shortest tokens stays under a tenth of a second from parse to the last check.
MAX_TOKENS = 20_000
MAX_NODES = 30_000
# Brackets and CASE open at once. sqlglot's compiled parser does not watch the C stack: 10,000 end the process.
MAX_NESTING = 64
MAX_DEPTH = 160
MAX_BOOLEAN_TERMS = 500
# SELECT, FROM, JOIN, set operations: each is one.
MAX_SOURCES = 200
MAX_NAME = 128
# Signs and NOTs in a row, and dots in a name.
MAX_RUN = 16
MAX_DOTS = 3

_QUERY = "with_ order limit offset"

# Node → the parts that may be filled. A part that is not named here must be empty.
NODES: Mapping[type[exp.Expr], frozenset[str]] = {
    kind: frozenset(parts.split())
    for kind, parts in {
        exp.Select: f"expressions distinct from_ joins where group having windows {_QUERY}",
        exp.Union: f"this expression distinct {_QUERY}",
        exp.Intersect: f"this expression distinct {_QUERY}",
        exp.Except: f"this expression distinct {_QUERY}",
        exp.Subquery: f"this alias joins {_QUERY}",
        exp.Values: "expressions alias",
        exp.With: "expressions",
        exp.CTE: "this alias",
        exp.From: "this",
        exp.Table: "this db alias joins",
        exp.TableAlias: "this columns",
        exp.Unnest: "expressions alias offset",
        exp.Lateral: "this alias",
        exp.Join: "this on using side kind",
        exp.Where: "this",
        exp.Group: "expressions",
        exp.GroupingSets: "expressions",
        exp.Rollup: "expressions",
        exp.Cube: "expressions",
        exp.Having: "this",
        exp.Order: "this expressions",
        exp.Ordered: "this desc nulls_first",
        exp.Limit: "expression",
        exp.Offset: "expression",
        exp.Fetch: "direction count limit_options",
        exp.LimitOptions: "rows with_ties",
        exp.Distinct: "expressions",
        exp.Window: "this partition_by order spec alias over",
        exp.WindowSpec: "kind start start_side end end_side",
        exp.Filter: "this expression",
        exp.IgnoreNulls: "this",
        exp.RespectNulls: "this",
        exp.Column: "this table db",
        exp.Identifier: "this quoted",
        exp.Star: "",
        exp.Alias: "this alias",
        exp.Literal: "this is_string",
        exp.HexString: "this",
        exp.UnicodeString: "this escape",
        exp.Boolean: "this",
        exp.Null: "",
        exp.Placeholder: "this",
        exp.Interval: "this unit",
        exp.Var: "this",
        exp.Paren: "this",
        exp.Tuple: "expressions",
        exp.Struct: "expressions",
        exp.Dot: "this expression",
        exp.Array: "expressions value_constructor",
        exp.Bracket: "this expressions",
        exp.Map: "keys values",
        exp.And: "this expression",
        exp.Or: "this expression",
        exp.Not: "this",
        exp.Neg: "this",
        exp.Add: "this expression",
        exp.Sub: "this expression",
        exp.Mul: "this expression",
        exp.Div: "this expression typed safe",
        exp.Mod: "this expression",
        exp.DPipe: "this expression safe",
        exp.EQ: "this expression",
        exp.NEQ: "this expression",
        exp.GT: "this expression",
        exp.GTE: "this expression",
        exp.LT: "this expression",
        exp.LTE: "this expression",
        exp.NullSafeEQ: "this expression",
        exp.NullSafeNEQ: "this expression",
        exp.Is: "this expression",
        exp.In: "this expressions query",
        exp.Between: "this low high",
        exp.Like: "this expression negate",
        exp.Escape: "this expression",
        exp.Exists: "this",
        exp.Any: "this",
        exp.All: "this",
        exp.Case: "this ifs default",
        exp.If: "this true false",
        exp.Cast: "this to",
        exp.TryCast: "this to safe requires_string",
        exp.Extract: "this expression",
        exp.Trim: "this expression position",
        exp.GroupConcat: "this separator",
        exp.Anonymous: "this expressions",
        exp.Lambda: "this expressions",
        exp.Normalize: "this form",
        exp.JSONValue: "this path returning on_condition",
        exp.JSONExtract: "this expression json_query option quote",
        exp.JSONExtractQuote: "option",
        exp.OnCondition: "empty error",
        exp.CurrentDate: "",
        exp.CurrentTimestamp: "",
        exp.Localtimestamp: "",
        exp.DataType: "this expressions nested",
        exp.DataTypeParam: "this",
        exp.ColumnDef: "this kind",
        exp.IntervalSpan: "this expression",
    }.items()
}

# Where a node makes sense only below some others. Elsewhere it would mean something else, or a row value.
PARENTS: Mapping[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Alias: (exp.Select,),
    exp.Values: (exp.From, exp.Join, exp.Subquery),
    exp.Star: (exp.Select, exp.Column, exp.Anonymous),
    # A list of expressions in the first row, a row value in the others; nowhere one inside of the other.
    exp.Tuple: (
        *(exp.In, exp.Values, exp.Group, exp.GroupingSets, exp.Rollup, exp.Cube),
        *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between),
        *(exp.Array, exp.Anonymous, exp.Lambda, exp.Struct, exp.Cast, exp.Bracket, exp.Is, exp.Case, exp.If),
        *(exp.Alias, exp.Select, exp.Paren, exp.Dot, exp.Distinct),
    ),
    exp.Lateral: (exp.Join,),
    exp.ColumnDef: (exp.DataType,),
    exp.Distinct: (exp.Select, exp.Order, exp.Anonymous, exp.GroupConcat),
    exp.Order: (exp.Query, exp.Window, exp.Anonymous, exp.GroupConcat),
    exp.Any: (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    exp.All: (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    exp.Interval: (
        *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren, exp.WindowSpec, exp.Between, exp.Cast, exp.In),
        *(exp.Anonymous, exp.Extract, exp.If, exp.Case, exp.Tuple, exp.Array),
        *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    ),
    exp.Lambda: (exp.Anonymous,),
}

# The caller's word for a part that is refused, where it differs from sqlglot's.
PART_WORDS: Mapping[str, str] = {
    "pivots": "PIVOT",
    "sample": "TABLESAMPLE",
    "version": "FOR",
    "when": "FOR",
    "changes": "CHANGES",
    "laterals": "LATERAL",
    "match": "MATCH_RECOGNIZE",
    "recursive": "RECURSIVE",
    "except_": "EXCEPT",
    "except": "EXCEPT",
    "rename": "RENAME",
    "unnest": "UNNEST",
}

TYPES = frozenset(
    {
        exp.DType.BOOLEAN,
        exp.DType.TINYINT,
        exp.DType.SMALLINT,
        exp.DType.INT,
        exp.DType.BIGINT,
        exp.DType.FLOAT,
        exp.DType.DOUBLE,
        exp.DType.DECIMAL,
        exp.DType.VARCHAR,
        exp.DType.DATE,
        exp.DType.TIMESTAMP,
        exp.DType.TIMESTAMPTZ,
        exp.DType.JSON,
        exp.DType.ARRAY,
        exp.DType.MAP,
        exp.DType.VARBINARY,
        exp.DType.STRUCT,
        exp.DType.UUID,
    }
)

JOIN_KINDS = frozenset({"", "INNER", "OUTER", "CROSS"})
JOIN_SIDES = frozenset({"", "LEFT", "RIGHT", "FULL"})
WINDOW_UNITS = frozenset({"ROWS", "RANGE", "GROUPS"})
# What DAY may say in intervals, and 'day' in date functions.
UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND"})
EXTRACTS = UNITS - {"MILLISECOND"} | {"DOW", "DOY", "DAY_OF_WEEK", "DAY_OF_YEAR", "DAY_OF_MONTH", "YOW", "YEAR_OF_WEEK"}
EXTRACTS |= {"TIMEZONE_HOUR", "TIMEZONE_MINUTE"}

SYMBOLS = frozenset([*"()[],.-+*/%<>=?:;", "<=", ">=", "<>", "!=", "||", "->"])
FIRST_WORDS = frozenset({"SELECT", "WITH", "VALUES", "("})
