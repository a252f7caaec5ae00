"""Widened permissions: new grants in the policies of a resource, attached policies, and public access by policy."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from automation.deploying.changes import resolution
from automation.deploying.changes.model import Action, Rank, ResourceChange
from automation.deploying.verdict import data_loss, grants, strict_grants
from automation.deploying.verdict.aspects import WHOLE, Aspect
from automation.deploying.verdict.grants import Grant
from automation.deploying.verdict.property_texts import as_list, text_of, value_of

_IDENTITIES = frozenset({"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"})
_FLAT = frozenset({"AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission", "AWS::Events::EventBusPolicy"})
_FLAT_CONDITIONS = {
    "SourceArn": ("ArnLike", "aws:SourceArn"),
    "SourceAccount": ("StringEquals", "aws:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "OrganizationId": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
}
# The properties that name what a policy applies to.
_TARGETS = (
    *("Bucket", "EventBusName", "FunctionName", "Groups", "KeyId", "LayerVersionArn", "Queue", "Queues"),
    *("RepositoryName", "ResourceArn", "RoleName", "Roles", "SecretId", "TopicArn", "Topics", "Users"),
)
_BOUNDARY = "PermissionsBoundary"
_LAMBDA_POLICY = ":policy/service-role/AWSLambda"
_FIX = "grant only what the code needs"
_PUBLIC_FIX = "name the principals, or add a Condition that does"


@dataclass(frozen=True, slots=True)
class Access:
    """What the policies of one resource grant.

    Attributes:
        managed: the managed policies that are attached.
        targets: the roles, queues, … that the resource's own policy applies to.
        boundary: the permissions boundary; empty for none.
        paths: the properties that hold the policies.
    """

    grants: tuple[Grant, ...] = ()
    managed: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    boundary: str = ""
    paths: tuple[str, ...] = ()


def aspects(
    change: ResourceChange, changes: Sequence[ResourceChange], adopted: Collection[tuple[str, str]] = ()
) -> Iterator[Aspect]:
    """Yield the permissions that a change widens or narrows.

    Args:
        changes: those of every stack: a policy of a resource that is new itself widens nothing that exists.
        adopted: stack and logical id of the resources that count as new, because a new stack adopts them.
    """
    before, after = access_of(change.before), _with_old_names(access_of(change.after), change, changes)
    if before == after or (change.action is Action.REMOVE and change.type in _IDENTITIES):
        return

    new = grants.new_grants(before.grants, after.grants)
    public = [grant for grant in new if strict_grants.is_public(grant)]
    private = [grant for grant in new if not strict_grants.is_public(grant)]
    if public:
        yield _danger("public", grants.join(public), after.paths, fix=_PUBLIC_FIX)
    if _is_of_new_resource(change, changes, adopted):
        yield from _first_grants(private, after)
    else:
        yield from _widened(private, before, after)
    if not new:
        yield from _narrowed(before, after)


def _with_old_names(access: Access, change: ResourceChange, changes: Sequence[ResourceChange]) -> Access:
    """Return the access with renamed resources under their old ids: the danger is the renaming, not the grant."""
    if change.action is not Action.MODIFY:
        return access
    removed = [entry for entry in changes if entry.action is Action.REMOVE and entry.stack == change.stack]
    for entry in removed:
        twin = data_loss.twin_of(entry, changes)
        if twin is not None and twin.stack == change.stack:
            access = replace(
                access,
                grants=tuple(_with_old_name(grant, twin.logical_id, entry.logical_id) for grant in access.grants),
                targets=frozenset(_renamed(text, twin.logical_id, entry.logical_id) for text in access.targets),
            )
    return access


def _with_old_name(grant: Grant, new: str, old: str) -> Grant:
    return replace(grant, resource=_renamed(grant.resource, new, old))


def _renamed(text: str, new: str, old: str) -> str:
    return text.replace(f"${{{new}}}", f"${{{old}}}").replace(f"${{{new}.", f"${{{old}.")


def _danger(kind: str, what: str, paths: tuple[str, ...], *, fix: str = _FIX) -> Aspect:
    return Aspect(Rank.PERMISSIONS, what, kind, fix, paths=paths)


def _widened(new: Sequence[Grant], before: Access, after: Access) -> Iterator[Aspect]:
    reasons = [f"attaches {name}" for name in sorted(after.managed - before.managed)]
    if new or before.grants:
        reasons += [f"applies to {name}" for name in sorted(after.targets - before.targets)]
    if before.boundary and before.boundary != after.boundary:
        reasons.append(f"the permissions boundary {before.boundary} is {'changed' if after.boundary else 'removed'}")
    if new or reasons:
        yield _danger("widen", grants.join(new, *reasons), (*before.paths, *after.paths))


def _first_grants(new: Sequence[Grant], after: Access) -> Iterator[Aspect]:
    """Yield the grants of a new resource: they are shown, and only wide ones are a danger."""
    wide = [grant for grant in new if strict_grants.is_too_wide(grant)]
    narrow = [grant for grant in new if not strict_grants.is_too_wide(grant)]
    wide_policies = [f"attaches {name}" for name in sorted(after.managed) if _LAMBDA_POLICY not in name]
    lambda_policies = [f"attaches {name}" for name in sorted(after.managed) if _LAMBDA_POLICY in name]
    if wide or wide_policies:
        yield _danger("widen", grants.join(wide, *wide_policies), after.paths)
    if narrow or lambda_policies:
        what = f"added: {grants.join(narrow, *lambda_policies)}"
        yield Aspect(Rank.PERMISSIONS, what, needs_attention=True, paths=(WHOLE,))


def _narrowed(before: Access, after: Access) -> Iterator[Aspect]:
    lost = [grant for grant in before.grants if not grant.is_deny and not grants.is_covered(grant, after.grants)]
    if lost and after.paths:
        yield Aspect(Rank.PERMISSIONS, f"takes away: {grants.join(lost)}", paths=(*before.paths, *after.paths))


def _is_of_new_resource(
    change: ResourceChange, changes: Sequence[ResourceChange], adopted: Collection[tuple[str, str]]
) -> bool:
    if change.action is not Action.ADD:
        return False
    added = {logical_id for stack, logical_id in adopted if stack == change.stack} | {
        candidate.logical_id
        for candidate in changes
        if candidate.action is Action.ADD
        if candidate.stack == change.stack
    }
    targets = chain.from_iterable(as_list(value_of(change.after, name)) for name in _TARGETS)
    return all(resolution.references(target) & added for target in targets)


def access_of(resource: Mapping[str, Any] | None) -> Access:
    """Return what the policies of a resource grant; nothing for a missing resource."""
    properties = (resource or {}).get("Properties")
    if not isinstance(properties, Mapping):
        return Access()
    documents = tuple(policy_documents(properties, "Properties"))
    stated = chain.from_iterable(grants.grants_of(document) for _, document in documents)
    targets = chain.from_iterable(as_list(properties.get(name)) for name in _TARGETS)
    is_policy = bool(documents) or (resource or {}).get("Type") in _FLAT | _IDENTITIES
    return Access(
        grants=(*stated, *_flat_grants(resource or {}, properties)),
        managed=frozenset(map(text_of, as_list(properties.get("ManagedPolicyArns")))),
        targets=frozenset(map(text_of, targets)) if is_policy else frozenset(),
        boundary=text_of(properties[_BOUNDARY]) if _BOUNDARY in properties else "",
        paths=tuple(dict.fromkeys(path for path, _ in documents)),
    )


def policy_documents(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every policy document below a value, with the path at which its changes are reported."""
    document = grants.as_document(value)
    if document is not None:
        yield path, document
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from policy_documents(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            for _, nested in policy_documents(item, path):
                yield path, nested


def _flat_grants(resource: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[Grant]:
    """Yield the grant of a resource that is one by itself, such as AWS::Lambda::Permission."""
    if resource.get("Type") not in _FLAT or "Principal" not in properties:
        return
    conditions = {
        (operator, key, frozenset({text_of(properties[name])}))
        for name, (operator, key) in _FLAT_CONDITIONS.items()
        if name in properties
    }
    target = next((text_of(properties[name]) for name in _TARGETS if name in properties), "")
    conditions |= grants.conditions_of(properties.get("Condition"))
    action, principal = text_of(properties.get("Action")), text_of(properties["Principal"])
    yield Grant(action, target, principal, conditions=frozenset(conditions))


def is_permission_type(resource_type: str) -> bool:
    """Return whether resources of this type only grant permissions, so that removing one takes permissions away."""
    return resource_type in _FLAT or resource_type.startswith("AWS::IAM::") or resource_type.endswith("Policy")
