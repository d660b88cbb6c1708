"""Starts ministack, by its own interpreter: nothing of ours can be imported here.

Its nested stacks forget the attributes of resources that an update leaves alone, so that whoever refers to one of them
fails: they are remembered for it. They delete what a template says is retained, leave behind what a failed creation
made, and take over what is there without being told to: here they do as AWS says it does. It asks policies about "*"
where AWS asks about a path of parameters, and about one table or catalog where AWS asks about a database or a table.
And it tells them of no leading keys of DynamoDB's items (those of our tables are called `pk`).
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
    if service == "glue" and target.endswith(".GetTable"):
        asked = json.loads(body)
        return f"arn:aws:glue:{where[0]}:{where[1]}:table/{asked['DatabaseName']}/{asked['Name']}"
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
from ministack.services import cloudformation  # type: ignore[import-not-found]  # noqa: E402
from ministack.services.cloudformation import changesets, provisioners  # type: ignore[import-not-found]  # noqa: E402

_stacks, _change_sets = cloudformation._stacks, cloudformation._change_sets
_ATTRIBUTES: dict[str, Any] = {}
_IMPORTED: set[str] = set()
_NAMED = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup")
_made, _changed = provisioners._provision_resource, provisioners._update_resource
_NESTED = provisioners._RESOURCE_HANDLERS["AWS::CloudFormation::Stack"]
_nested_made, _nested_deleted = _NESTED["create"], _NESTED["delete"]


def _defined(stack: str, logical_id: str) -> dict[str, Any]:
    found: dict[str, Any] = _stacks.get(stack, {}).get("_template", {}).get("Resources", {}).get(logical_id, {})
    return found


def _provision(kind: str, logical_id: str, properties: Any, stack: str, *more: Any) -> Any:
    parent = _stacks.get(stack, {}).get("_parent_stack_name")
    if kind in _NAMED and parent and _exists(kind, properties):
        physical_id, attributes = _imported(kind, _defined(stack, logical_id), parent)
    else:
        physical_id, attributes = _made(kind, logical_id, properties, stack, *more)
    _ATTRIBUTES[f"{kind} {physical_id}"] = attributes
    return physical_id, attributes


def _exists(kind: str, properties: Any) -> bool:
    (key,), problem = changesets._IMPORT_LOOKUPS[kind]
    return problem(properties[key]) is None


def _imported(kind: str, defined: dict[str, Any], parent: str) -> Any:
    """Taken over where the template names it in plain letters and the change set says so."""
    key = changesets._IMPORT_LOOKUPS[kind][0][0]
    name = defined["Properties"][key]
    if not (isinstance(name, str) and "DeletionPolicy" in defined and _takes_over(parent)):
        raise ValueError(f"{name} already exists")
    _IMPORTED.add(f"{kind} {name}")
    return provisioners._import_resource(kind, {key: name})


def _takes_over(parent: str) -> bool:
    return any(one["StackName"] == parent and one.get("ImportExistingResources") for one in _change_sets.values())


def _delete_nested(physical_id: str, properties: Any) -> None:
    """Takes out of the nested stack's hands what is retained, unless its own creation is being taken back."""
    name = provisioners._nested_stack_lookup_name(physical_id)
    stack = _stacks.get(name, {})
    failing = stack.get("StackStatus") == "CREATE_FAILED"
    failing = failing or _stacks.get(stack.get("_parent_stack_name"), {}).get("StackStatus") == "ROLLBACK_IN_PROGRESS"
    for logical_id, one in list(stack.get("_resources", {}).items()):
        policy = _defined(name, logical_id).get("DeletionPolicy")
        known = f"{one['ResourceType']} {one['PhysicalResourceId']}"
        if policy == "Retain" or (policy == "RetainExceptOnCreate" and (not failing or known in _IMPORTED)):
            del stack["_resources"][logical_id]
    _nested_deleted(physical_id, properties)


def _make_nested(logical_id: str, properties: Any, parent: str) -> Any:
    try:
        return _nested_made(logical_id, properties, parent)
    except Exception:
        for name, one in list(_stacks.items()):
            if one.get("_parent_stack_name") == parent and one["StackStatus"] == "CREATE_FAILED":
                _delete_nested(name, {})
        raise


_NESTED.update(create=_make_nested, delete=_delete_nested)


def _update(kind: str, physical_id: str, *more: Any, **named: Any) -> Any:
    known = _ATTRIBUTES.get(f"{kind} {physical_id}", {})
    now_id, attributes = _changed(kind, physical_id, *more, **named)
    attributes = attributes or (known if now_id == physical_id else {})
    _ATTRIBUTES[f"{kind} {now_id}"] = attributes
    return now_id, attributes


provisioners._provision_resource, provisioners._update_resource = _provision, _update

if __name__ == "__main__":
    sys.exit(main())
