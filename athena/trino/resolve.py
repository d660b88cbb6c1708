"""Which signature a call means, and the call on DuckDB that follows from it. Pure.

As in Trino's analyzer: the first signature that the types fit exactly, else the first that they widen to.
"""

from sqlglot import exp

from athena.trino import types
from athena.trino.cast import coerce
from athena.trino.function import Call, Function, Value
from athena.trino.refusal import mistyped
from athena.trino.types import Type

Binding = dict[str, Type]


def resolved(call: Call, overloads: list[Function]) -> Value:
    """The call translated by the signature that fits; `Refused` when none does, as Athena refuses it."""
    for exact in (True, False):
        for function in overloads:
            binding = _bound(call, function, exact)
            if binding is not None:
                value = _translated(call, function, binding)
                if value is not None:
                    return value
    given = ", ".join(str(a.type) if isinstance(a, Value) else "function" for a in call.arguments)
    wanted = "; ".join(_written(function) for function in overloads)
    raise mistyped(f"{call.name}({given}) does not exist.", f"It can be called as {wanted}: cast the arguments.")


def _parameters(function: Function, count: int) -> tuple[Type, ...] | None:
    if not function.variadic:
        return function.parameters if len(function.parameters) == count else None
    if count < len(function.parameters) - 1:
        return None
    fixed = function.parameters[:-1]
    return fixed + (function.parameters[-1],) * (count - len(fixed))


def _bound(call: Call, function: Function, exact: bool) -> Binding | None:
    parameters = _parameters(function, len(call.arguments))
    if parameters is None:
        return None
    binding: Binding = {}
    for parameter, argument in zip(parameters, call.arguments, strict=True):
        if isinstance(argument, Value):
            if not _match(parameter, argument.type, binding, exact):
                return None
        elif parameter.name != "function":
            return None
    return binding


def _match(pattern: Type, given: Type, binding: Binding, exact: bool) -> bool:
    if len(pattern.name) == 1:
        known = binding.get(pattern.name, types.UNKNOWN)
        both = types.common(known, given)
        if both is not None:
            binding[pattern.name] = both
        return both is not None
    if pattern.name == "varchar" and pattern.args:
        binding["x"] = given if given.name == "varchar" else types.VARCHAR
        return given.name == "varchar" or (given.name == "unknown" and not exact)
    if given.name == "unknown":
        return not exact and pattern.name != "function"
    if pattern.name in ("array", "map"):
        return given.name == pattern.name and all(
            _match(part, own, binding, exact) for part, own in zip(pattern.args, given.args, strict=True)
        )
    if given.name == pattern.name:
        return not pattern.args or pattern.name != "decimal" or pattern == given or not exact
    if exact:
        return False
    if pattern.name == "decimal" and not pattern.args:
        return given.name in types.INTEGERS
    return types.coerces(given, pattern) or (pattern.name == "timestamp" and given.name == "date")


def filled(pattern: Type, binding: Binding) -> Type:
    """A pattern with its letters replaced; a letter that nothing bound is unknown."""
    if len(pattern.name) == 1:
        return binding.get(pattern.name, types.UNKNOWN)
    if pattern.name == "varchar" and pattern.args == ("x",):
        return binding.get("x", types.VARCHAR)
    if pattern.name in ("array", "map"):
        return Type(pattern.name, tuple(filled(part, binding) for part in pattern.args))
    return pattern


def _translated(call: Call, function: Function, binding: Binding) -> Value | None:
    parameters = _parameters(function, len(call.arguments)) or ()
    given: list[exp.Expr] = []
    for parameter, argument in zip(parameters, call.arguments, strict=True):
        if isinstance(argument, Value):
            given.append(_fitted(argument, parameter, binding))
        else:
            node = _typed_lambda(call, argument, parameter, binding)
            if node is None:
                return None
            given.append(node)
    # a lambda may have widened a letter after an earlier argument was fitted to it
    for index, (parameter, argument) in enumerate(zip(parameters, call.arguments, strict=True)):
        if isinstance(argument, Value):
            given[index] = _fitted(argument, parameter, binding)
    made = call.wrap(exp.Anonymous(this=function.macro or function.body, expressions=given))
    return Value(made, filled(function.result, binding))


def _fitted(argument: Value, parameter: Type, binding: Binding) -> exp.Expr:
    if parameter.name in ("timestamp", "timestamp with time zone", "varchar", "time", "decimal"):
        bare = not parameter.args or parameter.name != "decimal"
        if bare and argument.type.name == parameter.name:
            return argument.node
        if parameter.name == "decimal" and bare:
            wanted = types.as_decimal(argument.type) or types.decimal(1, 0)
            return coerce(argument, wanted).node
    wanted = filled(parameter, binding)
    return argument.node if wanted.name == "unknown" else coerce(argument, wanted).node


def _typed_lambda(call: Call, node: exp.Lambda, parameter: Type, binding: Binding) -> exp.Expr | None:
    *inputs, output = parameter.args
    if len(inputs) != len(node.expressions):
        return None
    for _ in range(3):
        kinds = [filled(part, binding) for part in inputs]
        translated, body = call.translator.lambda_(node.copy(), kinds)
        wanted = filled(output, binding)
        if len(output.name) == 1 and wanted.name == "unknown":
            binding[output.name] = wanted = body.type
        if types.same_storage(body.type, wanted):
            return translated(body.node)
        if types.coerces(body.type, wanted) or wanted.name == "unknown":
            return translated(coerce(body, wanted).node if wanted.name != "unknown" else body.node)
        both = types.common(body.type, wanted)
        if both is None or len(output.name) != 1:
            return None
        binding[output.name] = both
    return None


def _written(function: Function) -> str:
    inner = ", ".join(str(parameter) for parameter in function.parameters)
    return f"{function.name}({inner}{'...' if function.variadic else ''})"
