"""`inv sync`: copy the source to where SAM takes code from, or check the copies."""

from automation.building import source_copies
from automation.building.source_copies import Plan
from automation.project.model import Project
from automation.system import console
from automation.system.errors import CheckFailedError


def check(project: Project) -> Plan:
    """Change nothing.

    Raises:
        CheckFailedError: a generated file is edited, missing or extra; its findings name each.
    """
    made = source_copies.gather(project)
    if not made.is_empty:
        count = len(made.writes) + len(made.deletes)
        raise CheckFailedError(
            f"{count} generated file(s) differ from the source; run inv sync", findings=made.findings()
        )
    return made


def show(done: Plan) -> None:
    """Say what was done, in one line."""
    if done.is_empty:
        console.result(f"nothing to sync: {done.unchanged} files are as their source")
    else:
        told = f"{len(done.writes)} written, {len(done.deletes)} deleted, {done.unchanged} unchanged"
        console.result(f"synced: {told}")
