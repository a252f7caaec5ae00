"""Print a deployment plan on the terminal: stacks, ranked changes, dangers with what to do instead, the verdict."""

from collections.abc import Iterator

from automation.deploying.changes.model import RankedChange, Verdict
from automation.deploying.views import plan_view
from automation.deploying.views.plan_view import RANKS, PlanView
from automation.system import console

_COLUMNS = ("", "kind", "stack", "resource", "change")
_ATTENTION = "!"
_STYLES = {
    Verdict.FORBIDDEN: "bold red",
    Verdict.CONSENT: "bold yellow",
    Verdict.SAFE: "bold green",
    Verdict.NOTHING: "bold green",
}


def show(view: PlanView, *, with_dangers: bool = True) -> None:
    """Print the whole plan; a line that needs attention starts with `!` and is yellow, one with a danger is red.

    Args:
        with_dangers: whether the dangers are explained; not where the error that follows explains them.
    """
    console.result(view.title, style="bold")
    console.results(stack_lines(view))

    changes = plan_view.folded(view)
    if changes:
        styles = {number: style(change, view) for number, change in enumerate(changes)}
        console.table(_COLUMNS, [_row(change) for change in changes], styles=styles)
    if with_dangers:
        console.results(danger_lines(view))

    for note in view.all_notes:
        console.result(f"note: {note}", style="dim")
    console.result(plan_view.verdict_line(view.assessment), style=_STYLES[view.assessment.verdict])


def stack_lines(view: PlanView) -> Iterator[str]:
    """Yield one line per stack, with its status and why it is provisional."""
    for stack in view.stacks:
        status = f": {stack.status}" if stack.status else ""
        provisional = f" (provisional: {stack.provisional})" if stack.provisional else ""
        yield f"{stack.name} {stack.stack_name}{status}{provisional}"


def danger_lines(view: PlanView) -> Iterator[str]:
    """Yield what each danger would do, what to do instead, and how to allow it."""
    for danger in view.assessment.dangers:
        yield f"{danger.name} ({danger.stack}): {danger.what}"
        if danger.fix:
            yield f"  instead: {danger.fix}"
        if plan_view.is_allowable(danger):
            yield f"  or allow it: {plan_view.allow_options([danger])}"
    for danger in view.assessment.allowed:
        yield f"allowed: {danger.name} ({danger.stack}): {danger.what}"


def _row(change: RankedChange) -> tuple[str, ...]:
    attention = _ATTENTION if change.needs_attention else ""
    return (attention, RANKS[change.rank], change.stack, change.resource, change.what)


def style(change: RankedChange, view: PlanView) -> str:
    """Return the rich style of a line: red with a danger, yellow when it needs attention."""
    # The sentences about one resource are joined in its danger.
    if any(danger.stack == change.stack and change.what in danger.what for danger in view.assessment.dangers):
        return "red"
    return "yellow" if change.needs_attention else ""
