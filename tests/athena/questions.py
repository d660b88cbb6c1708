"""Random grants and random questions over two small datasets, with all that can fail in them."""

from hypothesis import strategies as st

from athena.dataset import Column, parse_type

TYPES = {"c": "string", "s": "string", "n": "int", "k": "int", "v": "double", "d": "date"}
COLUMNS = tuple(Column(name, parse_type(kind)) for name, kind in TYPES.items())
CARRIERS = ("UA", "DL", "AA", "B6")

_Text = st.SearchStrategy[str]


def _one_of(*texts: str) -> _Text:
    return st.sampled_from(texts)


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """What a grant may say of rows: comparisons, IN, ranges, LIKE, NULLs, with AND, OR and NOT between them."""
    simple = st.one_of(
        st.builds("c = '{}'".format, st.sampled_from(CARRIERS)),
        st.builds("c IN ('{}', '{}')".format, st.sampled_from(CARRIERS), st.sampled_from(CARRIERS)),
        st.builds("c <> '{}'".format, st.sampled_from(CARRIERS)),
        st.builds("n BETWEEN {} AND {}".format, st.integers(-8, 2), st.integers(0, 50)),
        st.builds("k {} {}".format, _one_of("<", "<=", ">", ">=", "=", "<>"), st.integers(0, 6)),
        st.builds("k IN ({}, {})".format, st.integers(1, 5), st.integers(1, 5)),
        st.builds("d >= DATE '2013-01-0{}'".format, st.integers(1, 9)),
        _one_of("c LIKE 'U%'", "n IS NULL", "n IS NOT NULL", "v > 0.5", "lower(c) = 'ua'", "year(d) = 2013"),
    )
    parts = draw(st.lists(simple, min_size=1, max_size=3))
    text = parts[0]
    for part in parts[1:]:
        text = f"({text} {draw(_one_of('AND', 'OR', 'OR'))} {part})"
    return f"NOT ({text})" if draw(st.integers(0, 9)) == 0 else text


@st.composite
def numbers(draw: st.DrawFn, alias: str, depth: int = 2) -> str:
    """An integer expression on a source, mostly one that some row makes fail."""
    forms = [
        "{a}.k",
        "{a}.n",
        "CAST({a}.s AS integer)",
        "CAST({a}.s AS integer)",
        "CAST(coalesce({a}.s, 'x') AS integer)",
        "CAST({a}.c || '1' AS integer)",
        "10 / {a}.n",
        "10 / coalesce({a}.n, 0)",
        "{a}.k % {a}.n",
        "CASE WHEN {a}.c = 'UA' THEN CAST({a}.s AS integer) ELSE {a}.k END",
        "coalesce(try_cast({a}.s AS integer), 0)",
        "length({a}.c)",
    ]
    form = draw(st.sampled_from(forms)).format(a=alias)
    if depth and draw(st.integers(0, 4)) == 0:
        return f"({form} {draw(_one_of('+', '-', '*'))} {draw(numbers(alias, depth - 1))})"
    return form


@st.composite
def predicates(draw: st.DrawFn, aliases: tuple[str, ...], depth: int = 2) -> str:
    """A condition over some sources."""
    a, b = draw(st.sampled_from(aliases)), draw(st.sampled_from(aliases))
    kind = draw(st.integers(0, 9))
    if kind < 5:
        right = draw(st.one_of(numbers(b), _one_of("0", "1", "2", "60", "-100")))
        return f"{draw(numbers(a))} {draw(_one_of('=', '<', '>', '>=', '<>'))} {right}"
    if kind == 5 and depth:
        joint = draw(_one_of("AND", "OR"))
        return f"({draw(predicates(aliases, depth - 1))} {joint} {draw(predicates(aliases, depth - 1))})"
    if kind == 6 and depth:
        return f"NOT ({draw(predicates(aliases, depth - 1))})"
    if kind == 7:
        return f"{draw(numbers(a))} IN (1, 2, 3)"
    plain: str = draw(
        st.one_of(
            st.builds(f"{a}.c = '{{}}'".format, st.sampled_from(CARRIERS)),
            st.builds(f"{a}.c IN ('{{}}', '{{}}')".format, st.sampled_from(CARRIERS), st.sampled_from(CARRIERS)),
            st.builds(f"{a}.k {{}} {{}}".format, _one_of("=", "<", ">"), st.integers(0, 6)),
            st.builds(f"{a}.n + 0 > {{}}".format, st.integers(-9, 51)),
            st.builds(f"{a}.d < DATE '2013-01-0{{}}'".format, st.integers(1, 9)),
            _one_of(f"{a}.s IS NOT NULL", f"{a}.n IS NULL", f"{a}.c LIKE 'U%'"),
        )
    )
    return plain


@st.composite
def sources(draw: st.DrawFn, alias: str) -> str:
    """A dataset, or a subquery on one."""
    dataset = draw(_one_of("f", "f", "g"))
    if draw(st.integers(0, 5)):
        return f"{dataset} AS {alias}"
    where = f" WHERE {draw(predicates(('q',), 1))}" if draw(st.booleans()) else ""
    return f"(SELECT q.c, q.s, q.n, q.k, q.v, q.d FROM {dataset} AS q{where}) AS {alias}"


@st.composite
def questions(draw: st.DrawFn) -> str:
    """A SELECT with joins, casts and divisions, such as the lists allow."""
    aliases = ("t1", "t2", "t3")[: draw(st.sampled_from([1, 1, 2, 2, 3]))]
    text = draw(sources("t1"))
    for place, alias in enumerate(aliases[1:], 1):
        kind = draw(_one_of("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"))
        on = ""
        if kind != "CROSS JOIN":
            on = f" ON {draw(numbers(draw(st.sampled_from(aliases[:place]))))} = {draw(numbers(alias))}"
            if kind != "FULL JOIN" and draw(st.booleans()):
                on += f" AND {draw(predicates(aliases[: place + 1]))}"
        text += f" {kind} {draw(sources(alias))}{on}"
    conditions_ = draw(st.lists(predicates(aliases), max_size=3))
    if draw(st.integers(0, 4)) == 0:
        conditions_.append(
            f"EXISTS (SELECT 1 FROM f AS z WHERE z.k = {draw(numbers('t1'))} AND {draw(predicates(('z',)))})"
        )
    where = f" WHERE {' AND '.join(conditions_)}" if conditions_ else ""
    last = aliases[-1]
    form = draw(st.integers(0, 6))
    if form == 0:
        return f"SELECT count(*) FROM {text}{where}"
    if form == 1:
        return f"SELECT t1.c, sum({draw(numbers(last))}) FROM {text}{where} GROUP BY t1.c HAVING max(t1.k) > 1"
    if form == 2:
        inner = f"SELECT {draw(numbers('t1'))} AS a, t1.k AS k, t1.c AS c FROM {text}{where}"
        return f"SELECT q.a FROM ({inner}) AS q WHERE q.k > 1 AND q.a > 0"
    if form == 3:
        inner = f"SELECT {draw(numbers('t1'))} AS a, t1.k AS k, t1.c AS c FROM {text}{where}"
        return f"WITH w AS ({inner}) SELECT count(*) FROM w JOIN w AS v ON w.k = v.k WHERE w.a >= v.a"
    if form == 4:
        other = f"SELECT u.k FROM f AS u WHERE {draw(predicates(('u',)))}"
        return f"SELECT {draw(numbers('t1'))} FROM {text}{where} UNION ALL {other}"
    if form == 5:
        return f"SELECT max({draw(numbers('t1'))}) OVER (PARTITION BY t1.c) FROM {text}{where}"
    return f"SELECT {draw(numbers('t1'))}, {draw(numbers(last))} FROM {text}{where}"
