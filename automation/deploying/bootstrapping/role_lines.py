"""Say in few lines what the roles gain and lose: one line per service and resources, and whom each role trusts.

The lines of a deployment name every action. Those of our roles fill pages, and come from the templates anyhow, so
they need the confirmation of the plan and no name of their own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from automation.deploying.bootstrapping.grants import VIA_CLOUDFORMATION
from automation.deploying.bootstrapping.stack_template import POLICIES
from automation.deploying.changes.model import Action, Assessment, Rank, RankedChange
from automation.deploying.planning import PlannedStack
from automation.deploying.verdict import grants as policy_grants
from automation.deploying.verdict.grants import Grant

WIDEN = "widen"
_SHOWN = 4
_ANY = "*"
_COUNTED = ("added", "removed")

type Template = Mapping[str, Any]


def allowed_names(stack: PlannedStack) -> tuple[str, ...]:
    """Return the dangers of the roles' own resources, which the lines of this module say in other words."""
    return tuple(f"{WIDEN}:{name}" for name in _own(stack.after.template))


def summarised(assessment: Assessment, stack: PlannedStack) -> Assessment:
    """Return the assessment with the lines of this module in place of those about each action of the roles."""
    before = stack.before.template if stack.before else {}
    own = {*_own(before), *_own(stack.after.template)}
    kept = [line for line in assessment.changes if line.resource not in own or line.what in _COUNTED]
    lines = [*kept, *lines_of(before, stack.after.template, stack=stack.name)]
    return replace(
        assessment,
        changes=tuple(sorted(lines, key=lambda line: line.rank)),
        allowed=tuple(danger for danger in assessment.allowed if danger.resource not in own),
    )


def lines_of(before: Template, after: Template, *, stack: str) -> Iterator[RankedChange]:
    """Yield what differs between the roles of two templates; the first one may be empty."""
    for role in POLICIES:
        if (trusted := _trusted(after, role)) != (earlier := _trusted(before, role)):
            no_longer = f", and no longer {earlier}" if earlier else ""
            yield _line(stack, role, f"may be assumed by {trusted or 'nobody'}{no_longer}", needs_attention=True)
        old, new = _grants(before, role), _grants(after, role)
        for text in _texts(new - old):
            yield _line(stack, role, f"may {text}", needs_attention=True)
        for text in _texts(old - new):
            yield _line(stack, role, f"may no longer {text}", needs_attention=False)


def _own(template: Template) -> tuple[str, ...]:
    names: Mapping[str, Any] = template.get("Resources") or {}
    return tuple(name for name in names if name.startswith((*POLICIES, *POLICIES.values())))


def _trusted(template: Template, name: str) -> str:
    """Return the subject of the tokens that the role accepts; empty without a role."""
    role = (template.get("Resources") or {}).get(name) or {}
    statements = (role.get("Properties") or {}).get("AssumeRolePolicyDocument", {}).get("Statement", ())
    for statement in statements:
        for key, value in statement["Condition"]["StringEquals"].items():
            if key.endswith(":sub"):
                return str(value)
    return ""


def _grants(template: Template, role: str) -> frozenset[Grant]:
    grants: set[Grant] = set()
    for name, resource in (template.get("Resources") or {}).items():
        if name.startswith(POLICIES[role]):
            grants.update(policy_grants.grants_of(resource["Properties"]["PolicyDocument"]))
    return frozenset(grants)


def _texts(grants: Iterable[Grant]) -> Iterator[str]:
    """Yield one text per service, condition and resources: `sqs: 8 actions on shop-*, only through CloudFormation`."""
    resources: dict[tuple[str, str], set[str]] = {}
    for grant in grants:
        resources.setdefault((grant.action, _condition(grant)), set()).add(_end(grant.resource))

    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (action, condition), names in sorted(resources.items()):
        service = _ANY if _ANY in names else action.partition(":")[0]
        groups.setdefault((service, condition, tuple(sorted(names))), []).append(action)
    for (service, condition, names_of_group), actions in sorted(groups.items()):
        if service == _ANY:
            yield f"on *, because IAM cannot limit them{condition}: {', '.join(actions)}"
            continue
        short = [action.partition(":")[2] for action in actions]
        named = ", ".join(short) if len(short) <= _SHOWN else f"{len(short)} actions"
        yield f"{service}: {named} on {_shortened(names_of_group)}{condition}"


def _condition(grant: Grant) -> str:
    if not grant.conditions:
        return ""
    if grant.conditions == policy_grants.conditions_of(VIA_CLOUDFORMATION):
        return ", only through CloudFormation"
    keys = sorted(f"{key} {', '.join(sorted(values))}" for _, key, values in grant.conditions)
    return f", only if {' and '.join(keys)}"


def _end(arn: str) -> str:
    """Return what follows the account in an ARN; an intrinsic as it is."""
    parts = arn.split(":", 5)
    return parts[5] if len(parts) == 6 else arn


def _shortened(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _line(stack: str, role: str, what: str, *, needs_attention: bool) -> RankedChange:
    return RankedChange(Rank.PERMISSIONS, stack, role, "AWS::IAM::Role", Action.MODIFY, what, needs_attention)
