"""One way to use DynamoDB: a table with the keys `pk` and `sk`, every access by key, every write conditional.

A write whose answer is lost is repeated. If the repetition then meets its own condition, the item that DynamoDB
hands back tells whose write stands: every write leaves its own id in the attribute `written_by`. Nothing is
assumed about a write that timed out, and nothing happens twice.

Item shapes and access patterns: `docs/aws-stores.md`.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from athena.aws import Patience, Unreachable, error_code, persist
from athena.errors import Busy, Damaged, Failed, OutcomeUnknown

Value = str | int | bytes | frozenset[str]
Item = dict[str, Value]

MOST_AT_ONCE = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOT_YET = "(attribute_not_exists(written_by) OR written_by <> :written_by)"
# DynamoDB deletes what has expired within days, not at once, and reads of its own see it until then.
_ATTRIBUTE = re.compile(r"(?<![:#\w])[a-z][a-z0-9_]*\b(?!\()")


@dataclass(frozen=True, slots=True)
class Key:
    """One item: `pk` names what it is about, `sk` which record of it."""

    pk: str
    sk: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a conditional write is the one that stands, and the item as it is now (None: there is none)."""

    won: bool
    item: Item | None


class Table:
    """A DynamoDB table. Reads are consistent. Raises `Busy`, `Failed`, and `OutcomeUnknown` for writes alone."""

    def __init__(self, client: Any, name: str, patience: Patience | None = None) -> None:
        self.name = name
        self._client = client
        self._patience = patience or Patience()

    def get(self, key: Key, *, only: str | None = None) -> Item | None:
        """The item, or None; `only` names the attributes to fetch, separated by commas."""
        found = self._read(
            lambda: self._client.get_item(TableName=self.name, Key=_key(key), ConsistentRead=True, **_projection(only))
        )
        return _item(found["Item"]) if found.get("Item") else None

    def several(self, keys: Sequence[Key]) -> list[Item]:
        """Those of the items that exist, in no order, in one call for every `MOST_AT_ONCE` of them."""
        if len(keys) == 1:
            found = self.get(keys[0])
            return [] if found is None else [found]
        items: list[Item] = []
        wanted, failures = [_key(key) for key in dict.fromkeys(keys)], 0
        while wanted:
            request: dict[str, Any] = {"Keys": wanted[:MOST_AT_ONCE], "ConsistentRead": True}
            given = self._several(request)
            items += [_item(item) for item in given["Responses"].get(self.name, [])]
            # What did not fit into one answer, or was throttled, is handed back.
            rest = given.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            failures = failures + 1 if len(rest) == len(request["Keys"]) else 0
            if failures == self._patience.tries:
                raise Busy("DynamoDB is asked too much at the moment.", "Ask again in a few seconds.")
            if failures:
                self._patience.pause(failures)
            wanted = [*rest, *wanted[MOST_AT_ONCE:]]
        return items

    def last(self, pk: str, *, only: str | None = None) -> Item | None:
        """The item of `pk` with the highest `sk`, or None. Reads that one alone."""
        found = self._query(pk, only, ScanIndexForward=False, Limit=1)
        return _item(found["Items"][0]) if found["Items"] else None

    def each(self, pk: str, *, only: str | None = None) -> tuple[Item, ...]:
        """All items of `pk`, by `sk`."""
        return tuple(self._pages(pk, only))

    def above(self, pk: str, sk: str, *, only: str | None = None) -> tuple[Item, ...]:
        """The items of `pk` whose `sk` is greater, by `sk`."""
        return tuple(self._pages(pk, only, above=sk))

    def backwards(self, pk: str, *, only: str | None = None) -> Iterator[Item]:
        """All items of `pk`, the highest `sk` first, fetched as they are asked for."""
        return self._pages(pk, only, ScanIndexForward=False, Limit=25)

    def _pages(self, pk: str, only: str | None, **asked: Any) -> Iterator[Item]:
        while True:
            found = self._query(pk, only, **asked)
            yield from (_item(item) for item in found["Items"])
            if not found.get("LastEvaluatedKey"):
                return
            asked = {**asked, "ExclusiveStartKey": found["LastEvaluatedKey"]}

    def change(self, key: Key, update: str, *, when: str | None = None, **values: Value) -> Outcome:
        """Apply `update` if the item is as `when` says, in one step. Keywords are written in capitals, so that
        attributes may have any name: `SET state = :state, askers = :askers`."""
        when = f"({when}) AND {_NOT_YET}" if when else _NOT_YET  # what adds is not to add again when repeated
        update, write = _with_writer(update), uuid.uuid4().hex
        request = {
            "TableName": self.name,
            "Key": _key(key),
            "UpdateExpression": aliased(update),
            "ExpressionAttributeValues": _values({**values, "written_by": write}),
            "ReturnValues": "ALL_NEW",
        }
        return self._write(self._client.update_item, request, update, when, write)

    def remove(self, key: Key, *, when: str | None = None, **values: Value) -> Outcome:
        """Delete the item if it is as `when` says."""
        request: dict[str, Any] = {"TableName": self.name, "Key": _key(key)}
        if values:
            request["ExpressionAttributeValues"] = _values(values)
        return self._write(self._client.delete_item, request, "", when, "")

    def _write(
        self, call: Callable[..., Any], request: dict[str, Any], update: str, when: str | None, write: str
    ) -> Outcome:
        if when is not None:
            request["ConditionExpression"] = aliased(when)
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        names = _names(update + " " + (when or ""))
        if names:
            request["ExpressionAttributeNames"] = names
        try:
            done = self._called(lambda: call(**request))
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise self._misused(error) from error
            return _lost(error, write)
        return Outcome(won=True, item=_item(done["Attributes"]) if done.get("Attributes") else None)

    def _query(self, pk: str, only: str | None, *, above: str | None = None, **more: Any) -> Any:
        projection = _projection(only)
        names = {"#pk": "pk", **projection.pop("ExpressionAttributeNames", {})}
        condition, values = "#pk = :pk", _values({"pk": pk})
        if above is not None:
            condition, names["#sk"], values[":sk"] = f"{condition} AND #sk > :sk", "sk", {"S": above}
        return self._read(
            lambda: self._client.query(
                TableName=self.name,
                ConsistentRead=True,
                KeyConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                **projection,
                **more,
            )
        )

    def _several(self, request: dict[str, Any]) -> Any:
        return self._read(lambda: self._client.batch_get_item(RequestItems={self.name: request}))

    def _read(self, call: Callable[[], Any]) -> Any:
        try:
            return self._called(call)
        except OutcomeUnknown as error:
            raise Failed(error.message, "Try again.", code="state-unavailable") from error
        except ClientError as error:
            raise self._misused(error) from error

    def _called(self, call: Callable[[], Any]) -> Any:
        try:
            return persist(call, patience=self._patience)
        except Unreachable as error:
            raise Failed(error.message, error.remedy, code="state-unavailable") from error

    def _misused(self, error: ClientError) -> Failed:
        return Failed(
            f"DynamoDB refuses {error.operation_name} on table {self.name} ({error_code(error)}).",
            "Check that the table exists in this region with the keys pk and sk, and that the role may use it.",
            code="state-unavailable",
        )


def micros(at: datetime) -> int:
    """An instant as DynamoDB keeps it: whole microseconds since 1970.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (at - _EPOCH) // _MICROSECOND


def instant(value: Value) -> datetime:
    """The instant that `micros` wrote.

    >>> instant(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    return _EPOCH + number(value) * _MICROSECOND


def number(value: Value) -> int:
    """`value` as the whole number that it must be; raises `Damaged` otherwise."""
    if isinstance(value, int):
        return value
    raise _damaged("a number")


def text(value: Value) -> str:
    """`value` as the text that it must be; raises `Damaged` otherwise."""
    if isinstance(value, str):
        return value
    raise _damaged("a text")


def aliased(expression: str) -> str:
    """`expression` with every attribute behind `#`, because hundreds of plain words are reserved.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html

    >>> aliased("SET state = :state, token = if_not_exists(token, :none)")
    'SET #state = :state, #token = if_not_exists(#token, :none)'
    """
    return _ATTRIBUTE.sub(lambda match: "#" + match[0], expression)


def _names(expression: str) -> dict[str, str]:
    return {"#" + name: name for name in _ATTRIBUTE.findall(expression)}


def _projection(only: str | None) -> dict[str, Any]:
    if only is None:
        return {}
    return {"ProjectionExpression": aliased(only), "ExpressionAttributeNames": _names(only)}


def _with_writer(update: str) -> str:
    """
    >>> _with_writer("SET a = :a REMOVE b")
    'SET written_by = :written_by, a = :a REMOVE b'
    """
    mark = "SET written_by = :written_by"
    return mark + ", " + update.removeprefix("SET ") if update.startswith("SET ") else f"{mark} {update}"


def _lost(error: ClientError, write: str) -> Outcome:
    found = error.response.get("Item")
    item = _item(found) if found else None
    # Our own write, whose answer was lost on the way, is what the repetition ran into.
    won = bool(write) and item is not None and item.get("written_by") == write
    return Outcome(won=won, item=item)


def _key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _values(values: Mapping[str, Value]) -> dict[str, Any]:
    return {":" + name: _encoded(value) for name, value in values.items()}


def _encoded(value: Value) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, bytes):
        return {"B": value}
    return {"SS": sorted(value)}


def _item(item: Mapping[str, Mapping[str, Any]]) -> Item:
    return {name: _decoded(kind, value) for name, typed in item.items() for kind, value in typed.items()}


def _decoded(kind: str, value: Any) -> Value:
    if kind == "N":
        return int(value)
    if kind == "SS":
        return frozenset(value)
    if kind == "B":
        return bytes(value)
    if kind == "S":
        return str(value)
    raise _damaged(f"a value of kind {kind}")


def _damaged(what: str) -> Damaged:
    return Damaged(
        f"A DynamoDB item does not hold {what} where it must.",
        "Something else wrote to the table: find out what, then remove the item.",
        code="state-damaged",
    )
