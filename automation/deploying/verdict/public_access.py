"""Public access by other properties than policies: public buckets, function URLs, APIs without authorisation, …"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from automation.deploying.changes.model import Action, Rank, ResourceChange
from automation.deploying.verdict.aspects import Aspect
from automation.deploying.verdict.property_texts import as_list, is_on, text_of, value_of

_BUCKET = "AWS::S3::Bucket"
_BLOCK = "PublicAccessBlockConfiguration"
_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_PUBLIC_LISTS = frozenset({"PublicRead", "PublicReadWrite", "AuthenticatedRead"})
# What lets everybody call an API or a function: the property of each type, and its value.
_OPEN_DOORS = {
    "AWS::Lambda::Url": ("AuthType", "NONE"),
    "AWS::ApiGateway::Method": ("AuthorizationType", "NONE"),
    "AWS::ApiGatewayV2::Route": ("AuthorizationType", "NONE"),
}
_APIS = frozenset({"AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"})
_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "x-amazon-apigateway-any-method"})
_ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})


def aspects(change: ResourceChange) -> Iterator[Aspect]:
    """Yield what everybody may reach after a change, and could not before."""
    if change.action is Action.REMOVE:
        return
    before, after = (openings(change.type, resource) for resource in (change.before, change.after))
    if change.type == _BUCKET and value_of(change.before, _BLOCK) and not value_of(change.after, _BLOCK):
        after[f"{_BLOCK} is removed, so the bucket can be made public"] = _BLOCK
    for what, path in after.items():
        if what not in before:
            paths = (f"Properties.{path}",)
            yield Aspect(Rank.PERMISSIONS, what, "public", f"keep {change.logical_id} private", paths=paths)


def openings(resource_type: str, resource: Mapping[str, Any] | None) -> dict[str, str]:
    """Return how everybody reaches a resource, with the property that says so; empty for a missing resource."""
    if resource is None:
        return {}
    return dict(
        chain(
            _open_bucket(resource_type, resource),
            _open_door(resource_type, resource),
            _open_api(resource_type, resource),
            _open_network(resource),
        )
    )


def _open_bucket(resource_type: str, resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if resource_type != _BUCKET:
        return
    block = value_of(resource, _BLOCK)
    # AWS blocks public access to a new bucket by itself; an update that removes the property takes the blocks away.
    if isinstance(block, Mapping):
        for name in (name for name in _BLOCKS if not is_on(block.get(name))):
            yield f"{name} is off, so the bucket can be made public", f"{_BLOCK}.{name}"
    if value_of(resource, "AccessControl") in _PUBLIC_LISTS:
        yield f"AccessControl {value_of(resource, 'AccessControl')} lets others read the bucket", "AccessControl"


def _open_door(resource_type: str, resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if resource_type not in _OPEN_DOORS:
        return
    name, public_value = _OPEN_DOORS[resource_type]
    value = value_of(resource, name) or public_value
    if value == public_value and not is_on(value_of(resource, "ApiKeyRequired")):
        yield f"{name} {public_value} lets anyone call it", name


def _open_api(resource_type: str, resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    body = value_of(resource, "Body")
    if resource_type not in _APIS or not isinstance(body, Mapping) or body.get("security"):
        return
    paths = body.get("paths")
    for path, operations in (paths if isinstance(paths, Mapping) else {}).items():
        if not isinstance(operations, Mapping):
            continue
        for method in (name for name in operations if str(name).lower() in _METHODS):
            operation = operations[method]
            if not isinstance(operation, Mapping) or not operation.get("security"):
                yield f"anyone may call {_method_name(method)} {path}", "Body"


def _method_name(method: str) -> str:
    return "every method of" if method.startswith("x-") else method.upper()


def _open_network(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if is_on(value_of(resource, "PubliclyAccessible")):
        yield "PubliclyAccessible gives it a public address", "PubliclyAccessible"

    ingress = [("SecurityGroupIngress", rule) for rule in as_list(value_of(resource, "SecurityGroupIngress"))]
    if str(resource.get("Type")) == "AWS::EC2::SecurityGroupIngress":
        ingress.append(("CidrIp", resource.get("Properties")))
    for path, rule in ingress:
        sources = {text_of(rule.get(key)) for key in ("CidrIp", "CidrIpv6")} if isinstance(rule, Mapping) else set()
        if sources & _ANYWHERE:
            yield f"port {text_of(rule.get('FromPort'))} is open to the internet", path
