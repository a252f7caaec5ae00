"""What each function may do: the grants of its role, and what its own definition mentions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from automation.deploying.changes import resolution
from automation.deploying.verdict import grants as grant_texts
from automation.deploying.verdict import permissions
from automation.deploying.verdict.grants import Grant
from automation.deploying.verdict.property_texts import as_list, text_of, value_of

FUNCTION = "AWS::Lambda::Function"
ROLE = "AWS::IAM::Role"
LOG_GROUP = "AWS::Logs::LogGroup"
SOURCE = "AWS::Lambda::EventSourceMapping"
IDENTITIES = frozenset({ROLE, "AWS::IAM::User", "AWS::IAM::Group"})
_POLICIES = frozenset({"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"})
_BELONGS = (SOURCE, "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Url")
_ALIASES = ("AWS::Lambda::Alias", "AWS::Lambda::Version")
# These say with which code the function runs, not what it works on.
_NOT_MENTIONED = frozenset({"Layers", "Code", "Tags"})


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


def actions_by_resource(grants: Iterable[Grant], names: Iterable[str]) -> dict[str, list[str]]:
    """Return, by resource, the actions that include one of the named actions."""
    lowered = [name.lower() for name in names]
    actions: dict[str, list[str]] = defaultdict(list)
    for grant in grants:
        if any(grant_texts.is_match(grant.action.lower(), name) for name in lowered):
            actions[grant.resource].append(grant.action)
    return actions


def _roles_of(policy: Mapping[str, Any]) -> list[Any]:
    return [value_of(policy, "Roles"), value_of(policy, "RoleName")]


def _access(name: str, resources: Mapping[str, Mapping[str, Any]]) -> FunctionAccess:
    function = resources[name]
    roles = {key for key, resource in resources.items() if resource["Type"] == ROLE}
    role = min(resolution.references(value_of(function, "Role")) & roles, default="")
    belonging = [resource for resource in resources.values() if _belongs(resource, name, resources)]
    variables = [text_of(value) for value in (value_of(function, "Environment.Variables") or {}).values()]
    properties = {key: value for key, value in (function.get("Properties") or {}).items() if key not in _NOT_MENTIONED}
    log_names = _log_names(name, function)
    log_groups = _log_groups(function, log_names, resources)
    return FunctionAccess(
        logical_id=name,
        role=role,
        grants=identity_grants(role, resources) if role else (),
        sources=frozenset(
            text_of(value_of(resource, "EventSourceArn")) for resource in belonging if resource["Type"] == SOURCE
        ),
        mentioned=resolution.references([properties, belonging]) - {name},
        values=frozenset(filter(None, variables)),
        log_groups=frozenset(log_groups),
        log_names=log_names | set(log_groups.values()),
    )


def _belongs(resource: Mapping[str, Any], function: str, resources: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether an event source or the like belongs to a function, which it may name by an alias."""
    if resource["Type"] not in _BELONGS:
        return False
    names = resolution.references([value_of(resource, "FunctionName"), value_of(resource, "TargetFunctionArn")])
    aliases = [resources[name] for name in names if name in resources and resources[name]["Type"] in _ALIASES]
    return function in names | resolution.references([value_of(alias, "FunctionName") for alias in aliases])


def _log_names(name: str, function: Mapping[str, Any]) -> frozenset[str]:
    """Return the names that a function's log group can have: the configured one, and those after the function."""
    configured = as_list(value_of(function, "LoggingConfig.LogGroup"))
    own = [f"/aws/lambda/{text_of(text)}" for text in as_list(value_of(function, "FunctionName"))]
    return frozenset([f"/aws/lambda/${{{name}}}", *own, *map(text_of, configured)])


def _log_groups(
    function: Mapping[str, Any], names: frozenset[str], resources: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Return the log groups of the template that a function has, with their names."""
    configured = resolution.references(value_of(function, "LoggingConfig.LogGroup"))
    groups = {
        key: text_of(value_of(resource, "LogGroupName"))
        for key, resource in resources.items()
        if resource["Type"] == LOG_GROUP
    }
    return {key: name for key, name in groups.items() if key in configured or name in names}
