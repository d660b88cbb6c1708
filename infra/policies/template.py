"""Templates as values: read once, with CloudFormation's short forms written out, and walked. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that something breaks; `where` is `<file>/<logical id>`."""

    rule: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of one template."""

    file: str
    name: str
    kind: str
    properties: Mapping[str, Any]
    whole: Mapping[str, Any]

    @property
    def where(self) -> str:
        """Its place in reports and exceptions."""
        return f"{self.file}/{self.name}"


Stacks = Mapping[str, Mapping[str, Any]]
Rule = Callable[[Stacks], Iterator[Fault]]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _long(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: str(text).split(".", 1) if suffix == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has no fourth kind of node
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _long)


def template(text: str) -> dict[str, Any]:
    """A template as a value.

    >>> template("A: !Sub x-${B}\\nC: !GetAtt D.Arn")
    {'A': {'Fn::Sub': 'x-${B}'}, 'C': {'Fn::GetAtt': ['D', 'Arn']}}
    """
    found: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader's child
    return found


def resources(stacks: Stacks, *kinds: str) -> Iterator[Resource]:
    """The resources of these kinds (of all kinds without any), in the order of files."""
    for file, content in stacks.items():
        for name, whole in content["Resources"].items():
            if not kinds or whole["Type"] in kinds:
                yield Resource(file, name, whole["Type"], whole.get("Properties", {}), whole)


def leaves(value: Any) -> Iterator[Any]:
    """Every scalar within a value.

    >>> list(leaves({"a": [1, {"b": "c"}]}))
    [1, 'c']
    """
    if isinstance(value, Mapping):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    else:
        yield value


def names_used(value: Any) -> Iterator[str]:
    """Names that a value refers to: by Ref, GetAtt or within a Sub.

    >>> sorted(names_used({"a": {"Ref": "X"}, "b": {"Fn::Sub": "${Y.Arn}-${AWS::Region}"}}))
    ['AWS::Region', 'X', 'Y']
    """
    if isinstance(value, list):
        for one in value:
            yield from names_used(one)
    if not isinstance(value, Mapping):
        return
    for key, one in value.items():
        if key == "Ref":
            yield one
        elif key == "Fn::GetAtt":
            yield one[0]
        elif key == "Fn::Sub":
            text = one if isinstance(one, str) else one[0]
            yield from (name.partition(".")[0] for name in re.findall(r"\$\{([^}!]+)\}", text))
        yield from names_used(one)


def at(value: Any, path: str) -> Any:
    """What lies at a path of keys with dots between; None where there is nothing.

    >>> at({"a": {"b": 1}}, "a.b"), at({}, "a.b")
    (1, None)
    """
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def listed(value: Any) -> list[Any]:
    """A value that may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]
