"""A deployment plan as JSON for other programs. Keys are only ever added within one format."""

from typing import Any

from automation.deploying.changes.model import Danger, RankedChange
from automation.deploying.views import plan_view
from automation.deploying.views.plan_view import RANKS, PlanView

FORMAT = 1


def as_json(view: PlanView) -> dict[str, Any]:
    """Return the plan as plain values; changes are not folded."""
    assessment = view.assessment
    return {
        "format": FORMAT,
        "environment": view.environment,
        "target": view.target,
        "from_release": view.from_release,
        "to_commit": view.to_commit,
        "verdict": str(assessment.verdict),
        "stacks": [
            {
                "name": stack.name,
                "stack_name": stack.stack_name,
                "status": stack.status,
                "is_new": stack.is_new,
                "provisional": stack.provisional,
            }
            for stack in view.stacks
        ],
        "changes": [_change(change) for change in assessment.changes],
        "dangers": [_danger(danger) for danger in assessment.dangers],
        "allowed": [_danger(danger) for danger in assessment.allowed],
        "notes": list(view.all_notes),
    }


def _change(change: RankedChange) -> dict[str, Any]:
    return {
        "rank": int(change.rank),
        "kind": RANKS[change.rank],
        "stack": change.stack,
        "resource": change.resource,
        "type": change.type,
        "action": str(change.action),
        "what": change.what,
        "needs_attention": change.needs_attention,
    }


def _danger(danger: Danger) -> dict[str, Any]:
    return {
        "name": danger.name,
        "kind": danger.kind,
        "stack": danger.stack,
        "resource": danger.resource,
        "rank": int(danger.rank),
        "what": danger.what,
        "fix": danger.fix,
        "allow": plan_view.allow_options([danger]),
    }
