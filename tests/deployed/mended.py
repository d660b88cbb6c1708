"""Starts ministack, by its own interpreter: nothing of ours can be imported here.

Its nested stacks forget the attributes of resources that an update leaves alone, so that whoever refers to one of them
fails: they are remembered for it. It asks policies about "*" where AWS asks about a path of parameters, and about a
table where AWS asks about a database. And it tells them of no leading keys of DynamoDB's items (those of our tables are
called `pk`).
"""

import json
import re
import sys
from typing import Any

from ministack.core import iam_actions  # type: ignore[import-not-found]

_named = iam_actions.extract_resource_arn


def _resource(service: str, method: str, path: str, headers: Any, body: bytes, query: Any, *where: str) -> Any:
    target = {name.lower(): value for name, value in headers.items()}.get("x-amz-target", "")
    if service == "ssm" and target.endswith(".GetParametersByPath"):
        return f"arn:aws:ssm:{where[0]}:{where[1]}:parameter{json.loads(body)['Path'].rstrip('/')}"
    if service == "glue" and target.endswith("Database") and "Name" in json.loads(body):
        return f"arn:aws:glue:{where[0]}:{where[1]}:database/{json.loads(body)['Name']}"
    return _named(service, method, path, headers, body, query, *where)


_context = iam_actions.dynamodb_service_context


def _keyed(body: bytes) -> Any:
    asked = json.loads(body or b"{}")
    found = [asked["Key"]] if "Key" in asked else []
    for one in asked.get("RequestItems", {}).values():
        found += one["Keys"] if isinstance(one, dict) else []
    keys = [key["pk"]["S"] for key in found if "pk" in key]
    named = re.match(r"(\S+) = (:\w+)", asked.get("KeyConditionExpression", ""))
    if named and asked.get("ExpressionAttributeNames", {}).get(named[1], named[1]) == "pk":
        keys.append(asked["ExpressionAttributeValues"][named[2]]["S"])
    return {**_context(body), **({"dynamodb:LeadingKeys": keys} if keys else {})}


iam_actions.dynamodb_service_context = _keyed
iam_actions.extract_resource_arn = _resource
# Only now, as it takes the function's name over when it is imported.

from ministack.app import main  # type: ignore[import-not-found]  # noqa: E402
from ministack.services.cloudformation import provisioners  # type: ignore[import-not-found]  # noqa: E402

_ATTRIBUTES: dict[str, Any] = {}
_made, _changed = provisioners._provision_resource, provisioners._update_resource


def _provision(kind: str, logical_id: str, *more: Any, **named: Any) -> Any:
    physical_id, attributes = _made(kind, logical_id, *more, **named)
    _ATTRIBUTES[f"{kind} {physical_id}"] = attributes
    return physical_id, attributes


def _update(kind: str, physical_id: str, *more: Any, **named: Any) -> Any:
    known = _ATTRIBUTES.get(f"{kind} {physical_id}", {})
    now_id, attributes = _changed(kind, physical_id, *more, **named)
    attributes = attributes or (known if now_id == physical_id else {})
    _ATTRIBUTES[f"{kind} {now_id}"] = attributes
    return now_id, attributes


provisioners._provision_resource, provisioners._update_resource = _provision, _update

if __name__ == "__main__":
    sys.exit(main())
