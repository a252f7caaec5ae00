"""`inv sync`: copy the source to where SAM takes code from, or check the copies."""

from automation.building import source_copies
from automation.building.source_copies import SyncPlan
from automation.project.model import Project
from automation.system import console
from automation.system.errors import CheckFailedError


def check(project: Project) -> SyncPlan:
    """Return the empty plan of an up-to-date project; change nothing.

    Raises:
        CheckFailedError: a generated file is edited, missing or extra; there is one finding per file.
    """
    plan = source_copies.make_plan(project)
    if not plan.is_empty:
        count = len(plan.writes) + len(plan.deletes)
        message = f"{count} generated file(s) differ from the source; run inv sync"
        raise CheckFailedError(message, findings=plan.findings())
    return plan


def show(plan: SyncPlan) -> None:
    """Print in one line what was done."""
    if plan.is_empty:
        console.result(f"{plan.unchanged} files already up to date")
    else:
        console.result(f"synced: {len(plan.writes)} written, {len(plan.deletes)} deleted, {plan.unchanged} unchanged")
