"""Which changes replace a resource, and which types hold data: read from the resource schemas that cfn-lint ships.

The JSON files are read directly, because importing cfn-lint takes two seconds.
"""

import importlib.util
import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from automation.deploying.changes.model import Replacement
from automation.system import packages
from automation.system.errors import ToolError

PACKAGE = "cfnlint"
_PROPERTIES = "Properties"
# The regions differ in the types that they have, not in what replaces a resource.
_REGION = "us-east-1"
_SEVERITY = tuple(Replacement)
# Types that hold data or a name that others depend on, and that cfn-lint's list lacks.
ALSO_STATEFUL = frozenset(
    {
        "AWS::AmazonMQ::Broker",
        "AWS::Cassandra::Table",
        "AWS::CodeCommit::Repository",
        "AWS::ECR::Repository",
        "AWS::Events::Archive",
        "AWS::MSK::Cluster",
        "AWS::MemoryDB::Cluster",
        "AWS::OpenSearchServerless::Collection",
        "AWS::S3Express::DirectoryBucket",
        "AWS::S3Tables::Table",
        "AWS::SSM::Parameter",
        "AWS::Timestream::Table",
    }
)
# The schema of a table omits this property, whose indexes DynamoDB creates only together with the table.
_ALSO_CONDITIONAL = {"AWS::DynamoDB::Table": ("LocalSecondaryIndexes",)}
TABLES = frozenset({"AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"})


def find_data(package: str = PACKAGE) -> Path:
    """Return the folder of cfn-lint's data.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        message = f"{package} is not installed, and its schemas say which changes replace a resource"
        raise ToolError(f"{message}; run: {packages.how_to_install('cfn-lint')}")
    return Path(spec.origin).parent / "data"


def worst(*replacements: Replacement) -> Replacement:
    """Return the most severe of some answers; NO without any."""
    return max(replacements, key=_SEVERITY.index, default=Replacement.NO)


def is_known(resource_type: str) -> bool:
    """Return whether there is a schema of this type; custom resources and modules have none.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    return resource_type in _files()


def is_stateful(resource_type: str) -> bool:
    """Return whether resources of this type hold data that is lost with them.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    return resource_type in listed_stateful() or resource_type in ALSO_STATEFUL


def replacement_of(resource_type: str, path: str, *, before: Any = None, after: Any = None) -> Replacement:
    """Return whether a change of a property replaces the resource.

    Args:
        path: of the changed property, such as `Properties.KeySchema`.
        before, after: its values, for a property that only some changes of replace the resource.

    Returns:
        NO for a type without a schema: see `is_known`. Never CONDITIONAL for a type that holds data, since a plan that
        may lose data counts as one that does.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    attribute, *names = path.split(".")
    if attribute != _PROPERTIES:
        return Replacement.NO
    if resource_type in TABLES and names == ["AttributeDefinitions"]:
        return Replacement.YES if retypes_attribute(before, after) else Replacement.NO

    schema = _schema(resource_type)
    answers = [_answer(pointer, names, Replacement.YES) for pointer in schema.get("createOnlyProperties") or ()]
    conditional = [*(schema.get("conditionalCreateOnlyProperties") or ())]
    conditional += [f"/properties/{name}" for name in _ALSO_CONDITIONAL.get(resource_type, ())]
    answers += [_answer(pointer, names, Replacement.CONDITIONAL) for pointer in conditional]
    return counted(resource_type, worst(*answers))


def counted(resource_type: str, replacement: Replacement) -> Replacement:
    """Return how a replacement counts: on a type that holds data, CONDITIONAL counts as YES.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    if replacement is Replacement.CONDITIONAL and is_stateful(resource_type):
        return Replacement.YES
    return replacement


def uncertain(resource_type: str, replacement: Replacement) -> Replacement:
    """Return how a replacement counts when only AWS knows whether the property changes at all.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    return replacement if replacement is Replacement.NO else counted(resource_type, Replacement.CONDITIONAL)


def handler_permissions(resource_type: str) -> frozenset[str]:
    """Return the actions of IAM that CloudFormation uses to create, read, update, list and delete a resource.

    Returns:
        Such as `sqs:CreateQueue`; none for a type whose schema does not say.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    handlers: Mapping[str, Mapping[str, Any]] = _schema(resource_type).get("handlers") or {}
    return frozenset(chain.from_iterable(handler.get("permissions") or () for handler in handlers.values()))


def property_names(resource_type: str) -> frozenset[str]:
    """Return the names of the properties of a resource; none for a type without a schema.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    return frozenset(_schema(resource_type).get("properties") or ())


@cache
def iam_services() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return IAM's actions with the kinds of resources that each can be limited to, by service; names in lower case.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    services: Mapping[str, Mapping[str, Mapping[str, Any]]] = _read("AdditionalSpecs", "Policies.json")
    return services


def _answer(pointer: str, names: Sequence[str], answer: Replacement) -> Replacement:
    """Return the answer of one pointer of a schema, such as `/properties/Rules/*/Name`, on a changed property."""
    pointed = pointer.split("/")[2:]
    if any(part not in {"*", name} for part, name in zip(pointed, names, strict=False)):
        return Replacement.NO
    # A change of the whole around a property that replaces may leave that property as it is.
    return answer if len(pointed) <= len(names) else Replacement.CONDITIONAL


def retypes_attribute(before: Any, after: Any) -> bool:
    """Return whether an attribute that a table keeps gets another type; the values are its AttributeDefinitions.

    New attributes, for an index, replace nothing.

    Source: AWS CloudFormation template reference, AWS::DynamoDB::Table, AttributeDefinitions.
    """
    types_before, types_after = _attribute_types(before), _attribute_types(after)
    return any(types_after.get(name, kind) != kind for name, kind in types_before.items())


def _attribute_types(definitions: Any) -> dict[str, Any]:
    entries = definitions if isinstance(definitions, list) else []
    return {
        str(entry.get("AttributeName")): entry.get("AttributeType") for entry in entries if isinstance(entry, Mapping)
    }


@cache
def _files() -> Mapping[str, str]:
    files: Mapping[str, str] = _read("schemas", "providers", f"{_REGION}.json")
    return files


@cache
def _schema(resource_type: str) -> Mapping[str, Any]:
    if not is_known(resource_type):
        return {}
    schema: Mapping[str, Any] = _read("schemas", "resources", f"{_files()[resource_type]}.json")
    return schema


@cache
def listed_stateful() -> Mapping[str, Mapping[str, Any]]:
    """Return cfn-lint's list of the types that hold data, with its notes on each.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    types: Mapping[str, Mapping[str, Any]] = _read("AdditionalSpecs", "StatefulResources.json")["ResourceTypes"]
    return types


def _read(*names: str) -> Any:
    return json.loads(find_data().joinpath(*names).read_text(encoding="utf-8"))
