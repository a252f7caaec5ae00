"""Render a deployment plan as a review comment: verdict, dangers and what needs attention first, the rest folded."""

from collections.abc import Iterable

from automation.deploying.changes.model import Danger, RankedChange
from automation.deploying.views import plan_text, plan_view
from automation.deploying.views.plan_view import RANKS, PlanView
from automation.system import markdown


def render(view: PlanView) -> str:
    """Render the whole comment."""
    assessment = view.assessment
    changes = plan_view.folded(view)
    attention = [change for change in changes if change.needs_attention]
    rest = [change for change in changes if not change.needs_attention]

    blocks = [
        f"### Deployment plan\n\n{markdown.escape(view.title)}",
        f"**{markdown.escape(plan_view.verdict_line(assessment))}**",
    ]
    blocks += ["\n".join(f"- {markdown.escape(line)}" for line in plan_text.stack_lines(view))] if view.stacks else []
    blocks += [_dangers(assessment.dangers)] if assessment.dangers else []
    blocks += [_allowed(assessment.allowed)] if assessment.allowed else []
    blocks += [_changes(attention)] if attention else []
    blocks += [markdown.folded(f"{len(rest)} more", _changes(rest))] if rest else []
    blocks += ["\n".join(f"- {markdown.escape(note)}" for note in view.all_notes)] if view.all_notes else []
    return "\n\n".join(blocks)


def _dangers(dangers: Iterable[Danger]) -> str:
    rows = [
        (danger.name, danger.stack, danger.what, danger.fix, plan_view.allow_options([danger]) or "AWS refuses it")
        for danger in dangers
    ]
    return markdown.table(("danger", "stack", "what would happen", "instead", "allow with"), rows)


def _allowed(dangers: Iterable[Danger]) -> str:
    rows = [(danger.name, danger.stack, danger.what) for danger in dangers]
    return markdown.table(("allowed", "stack", "what will happen"), rows)


def _changes(changes: Iterable[RankedChange]) -> str:
    rows = [(RANKS[change.rank], change.stack, change.resource, change.what) for change in changes]
    return markdown.table(("kind", "stack", "resource", "change"), rows)
