"""The parameters of lambdas under names of our own, like everything else that a caller names. Pure.

Athena folds the case of a parameter as of any name, the parser does not; and a parameter called like one of our
aliases would capture what is read through it.
"""

from collections.abc import Callable

from sqlglot import exp

from athena.sql.sources import unsupported

_OWN = "lakegate_parameter"
_NAMED_ELSEWHERE = (exp.Column, exp.TableAlias, exp.Alias, exp.ColumnDef)


def rename_parameters(node: exp.Expr, fresh: Callable[[str], str]) -> None:
    """Rename the parameters of every lambda in `node`, in place; `fresh` gives names that nothing else has.

    >>> from athena.trino.text import read
    >>> tree = read("SELECT transform(a, X -> filter(x, y -> y > n))")
    >>> numbers = iter("123")
    >>> rename_parameters(tree, lambda letter: letter + next(numbers))
    >>> tree.sql("trino")
    'SELECT TRANSFORM(a, "p2" -> FILTER("p2", "p1" -> "p1" > n))'
    """
    for each in reversed(list(node.find_all(exp.Lambda))):  # from the innermost: it hides those around it
        _rename(each, fresh)


def _rename(node: exp.Lambda, fresh: Callable[[str], str]) -> None:
    names: dict[str, str] = {}
    for parameter in node.expressions:
        if parameter.name.lower() in names:
            raise unsupported(f"A lambda with two parameters {parameter.name!r} is not supported")
        names[parameter.name.lower()] = fresh("p")
    for each in list(node.this.walk()):
        if _is_reference(each) and each.name.lower() in names:
            each.replace(_own(names[each.name.lower()]))
    node.set("expressions", [_own(name) for name in names.values()])


def _is_reference(node: exp.Expr) -> bool:
    if isinstance(node, exp.Column):
        return not node.table
    if not isinstance(node, exp.Identifier) or node.meta.get(_OWN) or isinstance(node.parent, _NAMED_ELSEWHERE):
        return False
    of_lambda = isinstance(node.parent, exp.Lambda) and node.arg_key == "expressions"
    is_field = isinstance(node.parent, exp.Dot) and node.arg_key == "expression"
    return not of_lambda and not is_field


def _own(name: str) -> exp.Identifier:
    made = exp.to_identifier(name, quoted=True)
    made.meta[_OWN] = True
    return made
