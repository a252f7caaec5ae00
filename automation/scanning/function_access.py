"""What each function may do: the grants of its role, and what its own definition mentions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from automation.deploying.changes import resolution
from automation.deploying.verdict import permissions
from automation.deploying.verdict.grants import Grant
from automation.deploying.verdict.property_texts import as_list, text_of, value_of

FUNCTION = "AWS::Lambda::Function"
ROLE = "AWS::IAM::Role"
LOG_GROUP = "AWS::Logs::LogGroup"
_POLICIES = frozenset({"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"})
_SOURCE = "AWS::Lambda::EventSourceMapping"
_BELONGS = (_SOURCE, "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Url")
_ALIASES = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
# These say who runs the function and with which code, not what it works on.
_NOT_MENTIONED = frozenset({"Role", "Layers", "Code", "Tags", "FunctionName"})


@dataclass(frozen=True, slots=True)
class FunctionAccess:
    """One function: what its role grants, and what it works on.

    Attributes:
        logical_id: of the function.
        role: the logical id of its role; empty for a role from elsewhere.
        grants: of the role and the policies that apply to it.
        sources: the ARNs of its event sources, as texts.
        mentioned: the resources that its environment, its sources and its destinations mention.
        values: the values of its environment, as texts.
        log_groups: the logical ids of its own log groups.
        log_names: the names of its own log groups, as texts.
    """

    logical_id: str
    role: str
    grants: tuple[Grant, ...]
    sources: frozenset[str]
    mentioned: frozenset[str]
    values: frozenset[str]
    log_groups: frozenset[str]
    log_names: frozenset[str]


def of_resources(resources: Mapping[str, Mapping[str, Any]]) -> tuple[FunctionAccess, ...]:
    """Return the access of each function of a template, resolved."""
    functions = [name for name, resource in resources.items() if resource["Type"] == FUNCTION]
    return tuple(_access(name, resources) for name in functions)


def identity_grants(logical_id: str, resources: Mapping[str, Mapping[str, Any]]) -> tuple[Grant, ...]:
    """Return what a role may do, by its own policies and by those that apply to it."""
    role = resources[logical_id]
    named = resolution.references(value_of(role, "ManagedPolicyArns"))
    attached = [
        resource
        for name, resource in resources.items()
        if resource["Type"] in _POLICIES and (name in named or logical_id in resolution.references(_roles_of(resource)))
    ]
    stated = chain.from_iterable(permissions.access_of(resource).grants for resource in (role, *attached))
    # A grant with a principal says who may take the role.
    return tuple(grant for grant in stated if not grant.principal)


def _roles_of(policy: Mapping[str, Any]) -> list[Any]:
    return [value_of(policy, "Roles"), value_of(policy, "RoleName")]


def _access(name: str, resources: Mapping[str, Mapping[str, Any]]) -> FunctionAccess:
    function = resources[name]
    role = next((role for role in _references(value_of(function, "Role")) if _is_type(resources, role, ROLE)), "")
    belonging = [resource for resource in resources.values() if _belongs(resource, name, resources)]
    variables = [text_of(value) for value in (value_of(function, "Environment.Variables") or {}).values()]
    properties = {key: value for key, value in (function.get("Properties") or {}).items() if key not in _NOT_MENTIONED}
    log_groups = frozenset(_log_groups(name, resources))
    return FunctionAccess(
        logical_id=name,
        role=role,
        grants=identity_grants(role, resources) if role else (),
        sources=frozenset(
            text_of(value_of(resource, "EventSourceArn")) for resource in belonging if resource["Type"] == _SOURCE
        ),
        mentioned=resolution.references([properties, belonging]) - {name},
        values=frozenset(filter(None, variables)),
        log_groups=log_groups,
        log_names=frozenset(_log_names(name, function, log_groups, resources)),
    )


def _references(value: Any) -> list[str]:
    return sorted(resolution.references(value))


def _is_type(resources: Mapping[str, Mapping[str, Any]], name: str, resource_type: str) -> bool:
    return name in resources and resources[name]["Type"] == resource_type


def _belongs(resource: Mapping[str, Any], function: str, resources: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether an event source or the like belongs to a function, which it may name by an alias."""
    if resource["Type"] not in _BELONGS:
        return False
    names = resolution.references([value_of(resource, "FunctionName"), value_of(resource, "TargetFunctionArn")])
    aliases = [resources[name] for name in names if name in resources and resources[name]["Type"] in _ALIASES]
    return function in names | resolution.references([value_of(alias, "FunctionName") for alias in aliases])


def _log_groups(function: str, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the log groups of a function: the one that it names, and those that are named after it."""
    configured = resolution.references(value_of(resources[function], "LoggingConfig.LogGroup"))
    name = value_of(resources[function], "FunctionName")
    own_names = {f"/aws/lambda/${{{function}}}", f"/aws/lambda/{text_of(name)}"}
    for logical_id, resource in resources.items():
        if resource["Type"] == LOG_GROUP:
            is_named_after_it = text_of(value_of(resource, "LogGroupName")) in own_names
            if logical_id in configured or is_named_after_it:
                yield logical_id


def _log_names(
    function: str,
    resource: Mapping[str, Any],
    log_groups: frozenset[str],
    resources: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    yield f"/aws/lambda/${{{function}}}"
    configured = as_list(value_of(resource, "LoggingConfig.LogGroup"))
    named = [value_of(resources[group], "LogGroupName") for group in log_groups]
    yield from (text_of(value) for value in (*configured, *named) if value is not None)
    name = value_of(resource, "FunctionName")
    if name is not None:
        yield f"/aws/lambda/{text_of(name)}"
