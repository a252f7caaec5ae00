"""Names that a template gives its resources, and whether a resource of another owner has one of them already.

CloudFormation would find out in the middle of a deployment, and roll it back: `already exists`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from automation.deploying.remarks import Level, Remark
from automation.project import templates
from automation.project.environments import StackSettings
from automation.system import aws_commands
from automation.system.stacks import StackResource
from automation.system.targets import Target


@dataclass(frozen=True, slots=True)
class NameKind:
    """How a type of resource is named.

    Attributes:
        type: the CloudFormation type.
        property: the property that has the name.
        look: the command of the AWS CLI that shows the resource, without the name at its end.
        delete: likewise for deleting it; empty when that takes more than one command.
    """

    type: str
    property: str
    look: str
    delete: str = ""


_KINDS = (
    NameKind(
        "AWS::CloudWatch::Alarm",
        "AlarmName",
        "cloudwatch describe-alarms --alarm-names",
        "cloudwatch delete-alarms --alarm-names",
    ),
    NameKind(
        "AWS::DynamoDB::Table",
        "TableName",
        "dynamodb describe-table --table-name",
        "dynamodb delete-table --table-name",
    ),
    NameKind("AWS::Events::EventBus", "Name", "events describe-event-bus --name", "events delete-event-bus --name"),
    NameKind("AWS::IAM::Role", "RoleName", "iam get-role --role-name"),
    NameKind(
        "AWS::Lambda::Function",
        "FunctionName",
        "lambda get-function --function-name",
        "lambda delete-function --function-name",
    ),
    NameKind(
        "AWS::Logs::LogGroup",
        "LogGroupName",
        "logs describe-log-groups --log-group-name-prefix",
        "logs delete-log-group --log-group-name",
    ),
    NameKind("AWS::S3::Bucket", "BucketName", "s3api list-objects-v2 --bucket", "s3api delete-bucket --bucket"),
    NameKind("AWS::SQS::Queue", "QueueName", "sqs get-queue-url --queue-name"),
    NameKind("AWS::SSM::Parameter", "Name", "ssm get-parameter-history --name", "ssm delete-parameter --name"),
    NameKind(
        "AWS::SecretsManager::Secret",
        "Name",
        "secretsmanager describe-secret --secret-id",
        "secretsmanager delete-secret --secret-id",
    ),
)
# By the type in the template: SAM's own types become CloudFormation's.
KINDS: Mapping[str, NameKind] = {
    **{kind.type: kind for kind in _KINDS},
    "AWS::Serverless::Function": next(kind for kind in _KINDS if kind.type == "AWS::Lambda::Function"),
    "AWS::Serverless::SimpleTable": next(kind for kind in _KINDS if kind.type == "AWS::DynamoDB::Table"),
}


@dataclass(frozen=True, slots=True)
class NamedResource:
    """A resource whose name is written in its template."""

    template: str
    logical_id: str
    kind: NameKind
    name: str


def named_resources(settings: StackSettings, *, account: str, region: str) -> tuple[NamedResource, ...]:
    """Return the resources of a stack with a name that is known before the deployment."""
    template = settings.stack.template
    values = {
        **settings.values(),
        "AWS::AccountId": account,
        "AWS::Region": region,
        "AWS::StackName": settings.stack_name,
    }
    resources: list[NamedResource] = []
    for logical_id, resource in template.resources.items():
        kind = KINDS.get(resource["Type"])
        if kind is None or not _exists(resource, template, values):
            continue
        name = templates.resolve((resource.get("Properties") or {}).get(kind.property), template, values)
        if isinstance(name, str):
            resources.append(NamedResource(template.path, logical_id, kind, name))
    return tuple(resources)


def new_names(resources: Iterable[NamedResource], deployed: Iterable[StackResource]) -> tuple[NamedResource, ...]:
    """Return the resources whose name no resource of the deployed stacks has."""
    owned = tuple(deployed)
    return tuple(resource for resource in resources if not any(_is_named(entry, resource) for entry in owned))


def adoptable(resource: NamedResource, environment: str) -> Remark:
    """Return the remark on a name that is taken by what a new stack may adopt: the plan says what happens to it."""
    what = f"{resource.kind.type} {resource.name} exists already"
    fix = f"inv diff --env {environment} shows whether the new stack adopts it"
    return Remark(Level.INFO, f"{resource.template}: {resource.logical_id}", what, fix)


def conflict(resource: NamedResource, target: Target) -> Remark:
    """Return the remark on a name that is taken."""
    kind, name = resource.kind, resource.name
    where = f"{resource.template}: {resource.logical_id}"
    what = f"{kind.type} {name} exists, but belongs to none of these stacks, so it cannot be created"
    fix = f"look at it: {aws_commands.line(target, *kind.look.split(), name)}; if nobody needs it, delete it"
    fix += f": {aws_commands.line(target, *kind.delete.split(), name)}" if kind.delete else ""
    return Remark(Level.STOP, where, what, f"{fix}; otherwise change {kind.property} of {resource.logical_id}")


def _exists(resource: Mapping[str, object], template: templates.Template, values: Mapping[str, str]) -> bool:
    condition = resource.get("Condition")
    return condition is None or templates.resolve({"Fn::If": [condition, True, False]}, template, values) is True


def _is_named(entry: StackResource, resource: NamedResource) -> bool:
    """Return whether a deployed resource is the named one: its id is the name, or a URL or an ARN that ends in it."""
    name, physical_id = resource.name, entry.physical_id
    is_same = physical_id == name or physical_id.endswith(f"/{name}") or f":secret:{name}-" in physical_id
    return entry.type == resource.kind.type and is_same
