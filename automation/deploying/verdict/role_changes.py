"""A function, schedule or pipe that takes another role: it is a danger unless the new role grants the same or less."""

from collections.abc import Iterator, Sequence

from automation.deploying.changes import resolution
from automation.deploying.changes.comparison import is_same
from automation.deploying.changes.model import Rank, ResourceChange
from automation.deploying.verdict import grants, permissions
from automation.deploying.verdict.aspects import Aspect, is_update
from automation.deploying.verdict.property_texts import change_text, value_of

_ROLES = ("Role", "RoleArn", "Target.RoleArn", "ExecutionRoleArn", "TaskRoleArn")


def aspects(change: ResourceChange, changes: Sequence[ResourceChange]) -> Iterator[Aspect]:
    """Yield that a resource acts with the permissions of another role.

    Args:
        changes: those of every stack; only roles among them can be compared.
    """
    if not is_update(change):
        return
    for path in _ROLES:
        before, after = value_of(change.before, path), value_of(change.after, path)
        if before is None or is_same(before, after):
            continue
        what, paths = change_text(path, before, after), (f"Properties.{path}",)
        reason = _reason(resolution.references(before), resolution.references(after), change.stack, changes)
        if reason:
            fix = f"keep the role of {change.logical_id}, and change the grants of that role"
            yield Aspect(Rank.PERMISSIONS, f"{what}: {reason}", "widen", fix, paths=paths)
        else:
            yield Aspect(Rank.PERMISSIONS, f"{what}: grants nothing new", needs_attention=True, paths=paths)


def _reason(before: frozenset[str], after: frozenset[str], stack: str, changes: Sequence[ResourceChange]) -> str:
    """Return why the other role may grant more; empty when it does not."""
    roles = {change.logical_id: change for change in changes if change.stack == stack}
    old = [roles[name] for name in before if name in roles]
    new = [roles[name] for name in after if name in roles]
    if len(old) != 1 or len(new) != 1:
        return "another role, whose grants are not part of this plan"

    access_before, access_after = permissions.access_of(old[0].before), permissions.access_of(new[0].after)
    attached = [f"attaches {name}" for name in sorted(access_after.managed - access_before.managed)]
    return grants.join(grants.new_grants(access_before.grants, access_after.grants), *attached)
