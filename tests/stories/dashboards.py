"""Random tables, grants and questions for what has to hold whenever an old answer is given again."""

from collections.abc import Mapping

from hypothesis import strategies as st

DAYS = [f"2024-{month:02}-{day:02}" for month in (1, 2, 3, 4) for day in (1, 15, 28)]
STEM = "a text of more than sixteen letters "
VALUES: Mapping[str, list[str]] = {
    "day": DAYS,
    "c": ["A", "B", "Ä", f"{STEM}1", f"{STEM}2", "\U0001f6e9", ""],
    "n": ["-2", "0", "1", "7", ""],
    "x": ["-0.0", "0.0", "1.5", "-2.25", "1e300", ""],
    "d": ["0.10", "-1.50", "12.34", ""],
    "at": [f"{day} 12:00:00" for day in DAYS[:6]] + [""],
}
CONTRACT = """
inferred = false
max_rejected = 0
[columns]
day = {{ type = "date" }}
c = {{ type = "string" }}
n = {{ type = "{whole}" }}
x = {{ type = "double" }}
d = {{ type = "decimal(9,2)" }}
at = {{ type = "timestamp" }}
{more}
[layout]
partition = {partition}
sort = {sort}
"""
LAYOUTS = (
    ("[]", "[]"),
    ("[]", '["day"]'),
    ('["month(day)"]', "[]"),
    ('["c"]', '["n"]'),
    ('["truncate(3, c)", "year(day)"]', "[]"),
    ('["bucket(2, n)"]', "[]"),
)
LITERALS: Mapping[str, list[str]] = {
    "day": [f"DATE '{day}'" for day in (*DAYS[::2], "2024-02-02")] + ["NULL"],
    "c": [f"'{value}'" for value in (*VALUES["c"], STEM[:10])] + ["NULL"],
    "n": ["-2", "0", "1", "1.5", "7e0", "5000000000", "NULL"],
    "x": ["0e0", "0", "1.5", "1.5e0", "-2", "-0.0", "1e300"],
    "d": ["0.1", "0.10", "12.34e0", "-1.5", "12", "DECIMAL '0.100'"],
    "at": [f"TIMESTAMP '{value}'" for value in VALUES["at"][:4]],
}
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")
FORMS = (
    "SELECT count(*), count(n), min(c), max(d), sum(n) FROM {t} WHERE {a}",
    "SELECT day, c, n, x, d, at FROM {t} WHERE {a} AND {b}",
    "SELECT c, count(*) FROM {t} WHERE {a} GROUP BY c HAVING count(*) > 1",
    "WITH w AS (SELECT day, n FROM {t} WHERE {a}) SELECT count(*), sum(n) FROM w WHERE {p}",
    "SELECT count(*) FROM {t} AS l JOIN {t} AS r ON l.n = r.n AND {la} WHERE {rb}",
    "SELECT count(*), count(r.n) FROM {t} AS l LEFT JOIN {t} AS r ON l.day = r.day AND {rb} WHERE {la}",
    "SELECT count(*), count(l.n) FROM {t} AS l RIGHT JOIN {t} AS r ON l.day = r.day AND {la} WHERE {rb}",
    "SELECT count(*) FROM {t} AS l FULL JOIN {t} AS r ON l.day = r.day WHERE {la}",
    "SELECT count(*) FROM {t} AS l WHERE {la} AND NOT EXISTS (SELECT 1 FROM {t} AS r WHERE r.n = l.n AND {rb})",
    "SELECT count(*) FROM {t} WHERE {a} AND n NOT IN (SELECT n FROM {t} WHERE {b} AND n IS NOT NULL)",
    "SELECT n FROM {t} WHERE {a} UNION SELECT n FROM {t} WHERE {b}",
    "SELECT count(*) FROM {t} WHERE {a} OR {b}",
    "SELECT count(*) FROM {t} WHERE NOT ({a}) AND {b}",
    "SELECT count(*) FROM (SELECT n, row_number() OVER (ORDER BY day, c, n, x, d, at) AS k FROM {t}) AS s WHERE k < 5",
    "SELECT c, n, sum(n) OVER (PARTITION BY c) FROM {t} WHERE {a}",
    # where a condition does not say which rows matter
    "SELECT count(*), count(r.n) FROM {t} AS l LEFT JOIN {t} AS r ON l.day = r.day WHERE {la} AND {rb}",
    "SELECT count(*), count(r.n) FROM {t} AS l LEFT JOIN {t} AS r ON l.day = r.day AND {la} "
    "WHERE l.day < DATE '2024-02-01'",
    "SELECT count(*), count(l.n) FROM {t} AS l RIGHT JOIN {t} AS r ON l.day = r.day WHERE {la} AND {rb}",
    "SELECT count(*), count(l.n), count(r.n) FROM {t} AS l FULL JOIN {t} AS r ON l.day = r.day AND {la} AND {rb}",
    "SELECT n, s FROM (SELECT day, c, n, x, d, at, sum(n) OVER (PARTITION BY c) AS s FROM {t}) AS w WHERE {a}",
    "SELECT count(*) FROM (SELECT day, c, n, x, d, at FROM {t} ORDER BY day, c, n, x, d, at LIMIT 3) AS w WHERE {a}",
    "SELECT count(*) FROM (SELECT day, max(c) AS c, max(n) AS n, max(x) AS x, max(d) AS d, max(at) AS at FROM {t} "
    "GROUP BY day) AS w WHERE {a}",
    "SELECT count(*) FROM (SELECT day, c, n, x, d, at FROM {t} EXCEPT SELECT day, c, n, x, d, at FROM {t} WHERE {b}) "
    "AS w WHERE {a}",
    "WITH w AS (SELECT day, c, n, x, d, at FROM {t}) SELECT (SELECT count(*) FROM w WHERE {a}), "
    "(SELECT count(*) FROM w)",
    "SELECT (SELECT max(n) FROM {t} WHERE {a}), count(*) FROM {t} WHERE {b}",
    "SELECT count(CASE WHEN {a} THEN 1 END), count_if({b}), count(*) FILTER (WHERE {a}) FROM {t}",
    "SELECT count(*) FROM {t} WHERE NOT ({a} AND {b})",
    "SELECT count(*) FROM {t} WHERE coalesce({a}, true)",
    "SELECT count(*) FROM {t} AS l WHERE {la} AND l.n < ALL (SELECT r.n FROM {t} AS r WHERE {rb})",
    "SELECT day, c, grouping(day, c), count(*) FROM {t} WHERE {a} GROUP BY GROUPING SETS ((day, c), (c), ())",
)


@st.composite
def conditions(draw: st.DrawFn, table: str = "") -> str:
    """One condition on one column."""
    column = draw(st.sampled_from(sorted(VALUES)))
    name, literals = f"{table}{column}", st.sampled_from(LITERALS[column])
    kinds = ["compare", "compare", "compare", "in", "not in", "between", "null", "like", "flip", "turned"]
    kind = draw(st.sampled_from(kinds))
    if kind == "turned":  # the column stands where a literal does elsewhere
        other, not_ = draw(literals), draw(st.sampled_from(["", "NOT "]))
        forms = [f"{other} {not_}IN ({name}, {draw(literals)})", f"{other} {not_}BETWEEN {name} AND {draw(literals)}"]
        forms += [f"{other} {not_}BETWEEN {draw(literals)} AND {name}", f"{name} IS NOT DISTINCT FROM {other}"]
        return draw(st.sampled_from([*forms, *([f"'A' {not_}LIKE c"] if name == "c" else [])]))
    if kind == "like" and column == "c":
        pattern = draw(st.sampled_from(["A%", f"{STEM}%", f"{STEM}_", "%", "B", "_"]))
        return f"{name} {draw(st.sampled_from(['', 'NOT ']))}LIKE '{pattern}'"
    if kind in ("in", "not in"):
        return f"{name} {kind} ({', '.join(draw(st.lists(literals, min_size=1, max_size=3)))})"
    if kind == "between":
        return f"{name} BETWEEN {draw(literals)} AND {draw(literals)}"
    if kind == "null":
        return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    if kind == "flip":
        return f"{draw(literals)} {draw(st.sampled_from(OPERATORS))} {name}"
    return f"{name} {draw(st.sampled_from(OPERATORS))} {draw(literals)}"


@st.composite
def questions(draw: st.DrawFn, table: str) -> str:
    """A statement over `table`, once or twice; most look at one month, as dashboards do."""
    form = draw(st.sampled_from(FORMS))
    month = f"day >= DATE '{draw(st.sampled_from(DAYS))}' AND day < DATE '2024-03-01'"
    own = st.one_of(conditions(), st.just(month), st.just("day = DATE '2024-01-15'"))
    return form.format(
        t=table,
        a=draw(own),
        b=draw(own),
        p=draw(st.sampled_from(["n > 0", "day < DATE '2024-02-01'", "n IS NULL"])),
        la=draw(conditions("l.")),
        rb=draw(conditions("r.")),
    )


@st.composite
def files(draw: st.DrawFn) -> str:
    """The rows of one file; most of one month."""
    days = st.sampled_from(draw(st.sampled_from([DAYS[:3], DAYS[3:6], DAYS[6:9], DAYS[9:], DAYS])))
    columns = {name: days if name == "day" else st.sampled_from(values) for name, values in VALUES.items()}
    kept = {name: draw(st.sampled_from([values, st.just(draw(values))])) for name, values in columns.items()}
    rows = draw(st.lists(st.tuples(*kept.values()), min_size=1, max_size=5))
    return ",".join(kept) + "\n" + "".join(",".join(row) + "\n" for row in rows)


def grants() -> st.SearchStrategy[str | None]:
    """The rows that a partner may see; None for the owner."""
    return st.one_of(
        st.none(),
        st.just("c = 'A'"),
        st.just("day < DATE '2024-02-01'"),
        st.just("n IN (0, 1) AND c <> 'B'"),
        conditions(),
    )
