"""What a deleted stack has left in the account: the values that search, choice, import and deletion share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from automation.deploying.changes.model import Action, Rank, RankedChange
from automation.system.holdings import BUCKET, LOG_GROUP, PARAMETER, QUEUE, TABLE, TOPIC, Holding

# What names a resource to CloudFormation's import. Source: AWS CloudFormation user guide, "Resource type support".
IDENTIFIERS: Mapping[str, str] = {
    TABLE: "TableName",
    BUCKET: "BucketName",
    QUEUE: "QueueUrl",
    LOG_GROUP: "LogGroupName",
    PARAMETER: "Name",
    TOPIC: "TopicArn",
}
# What a resource has from its creation on, or keeps with its data; an update can write everything else.
_FROM_THE_START: Mapping[str, frozenset[str]] = {
    TABLE: frozenset(
        {
            *("TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "ProvisionedThroughput"),
            *("GlobalSecondaryIndexes", "LocalSecondaryIndexes"),
        }
    ),
    BUCKET: frozenset({"BucketName"}),
    QUEUE: frozenset({"QueueName", "FifoQueue"}),
    LOG_GROUP: frozenset({"LogGroupName"}),
    TOPIC: frozenset({"TopicName", "FifoTopic"}),
}
_NAMES = {**IDENTIFIERS, QUEUE: "QueueName", TOPIC: "TopicName"}


@dataclass(frozen=True, slots=True)
class RetainedResource:
    """A resource that is in no stack any more.

    Attributes:
        stack_name: of the stack that had it, in the account.
        definition: as that stack's template last had it (Type, Properties, DeletionPolicy), resolved as far as known.
        holding: what it contains; None when its type is not one of IDENTIFIERS.
    """

    stack_name: str
    logical_id: str
    type: str
    physical_id: str
    definition: Mapping[str, Any] = field(default_factory=dict)
    holding: Holding | None = None

    @property
    def is_importable(self) -> bool:
        """Whether a deployment can adopt it, and `inv destroy` can delete it."""
        return self.type in IDENTIFIERS

    @property
    def name(self) -> str:
        """Its own name, which a template may fix: of a queue the end of its URL, of a topic the end of its ARN."""
        separator = {QUEUE: "/", TOPIC: ":"}.get(self.type)
        return self.physical_id.rpartition(separator)[2] if separator else self.physical_id

    @property
    def text(self) -> str:
        """Name and content, such as `shop-Ledger-1A2B, 1,234 items`."""
        return f"{self.name}, {self.holding.text}" if self.holding and self.holding.text else self.name


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the deployment of a stack adopts before it creates the rest.

    Attributes:
        decisions: what was decided by name: a physical id or `new`, by logical id.
        left: what stays in no stack.
    """

    resources: tuple[RetainedResource, ...] = ()
    decisions: Mapping[str, str] = field(default_factory=dict)
    left: tuple[RetainedResource, ...] = ()


def name_property(resource_type: str) -> str:
    """Return the property of a template that fixes the name of a resource of this type."""
    return _NAMES[resource_type]


def of_stranger(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition of a resource that no stack has defined, such as a table from a backup.

    It has only what cannot be otherwise, so that the update after the import writes the rest of the template: backups,
    protection, encryption. A parameter is defined as a whole, because an update would reset its value.

    Args:
        definition: what the template wants.
    """
    kind, properties = str(definition["Type"]), definition.get("Properties") or {}
    kept = _FROM_THE_START.get(kind, properties.keys())
    return {**definition, "Properties": {name: value for name, value in properties.items() if name in kept}}


def as_document(resource: RetainedResource) -> dict[str, Any]:
    """Return a resource as plain values, without what it contains."""
    return {
        "stack_name": resource.stack_name,
        "logical_id": resource.logical_id,
        "type": resource.type,
        "physical_id": resource.physical_id,
        "definition": dict(resource.definition),
    }


def from_document(document: Mapping[str, Any]) -> RetainedResource:
    """Return a resource from plain values; the reverse of `as_document`."""
    return RetainedResource(**{key: document[key] for key in as_document(RetainedResource("", "", "", ""))})


def with_holding(resource: RetainedResource, holding: Holding | None) -> RetainedResource:
    """Return the resource with what it contains."""
    return replace(resource, holding=holding)


def line(stack: str, resource: RetainedResource) -> RankedChange:
    """Return the line of a plan that says what is adopted.

    Args:
        stack: its name in pyproject.toml.
    """
    what = f"adopt {resource.text}"
    return RankedChange(Rank.OTHER, stack, resource.logical_id, resource.type, Action.IMPORT, what)
