"""`inv remove-function`: take a function out of the templates, the sources and every list that names it."""

from pathlib import Path

from automation import new_function
from automation.authoring import file_changes, function_plans, function_removals
from automation.authoring.function_removals import Consumed, RemovalPlan
from automation.authoring.ownership import Resource
from automation.project import function_names, model
from automation.proof.registry import Route
from automation.system import console, files, git
from automation.system.errors import UsageError

_MENTIONS_SHOWN = 20


def remove(root: Path, name: str, *, yes: bool) -> RemovalPlan:
    """Remove a function and everything that `inv new-function` wrote for it, or nothing.

    Args:
        name: its logical id, code folder or module.
        yes: also remove files whose changes no commit has.

    Raises:
        UsageError: the function does not exist, or work would be lost and was not confirmed.
        CheckFailedError: other resources use what belongs to the function.
        ConfigurationError: a template, the scaffold or the registry cannot be read.
    """
    if not name:
        raise UsageError("a name is missing; type, for example, inv remove-function risk_check")
    project = model.load(root)
    names = function_names.names_of(function_names.find(name, project.functions))
    consumed = consumed_by(names, new_function.routes_of(project))
    plan = function_removals.plan(project, name, consumed=consumed)
    if not yes:
        _require_nothing_lost(root, plan, name)

    with file_changes.written(root, plan.changes):
        pass
    if plan.generated:
        files.remove(root / plan.generated)
    for folder in plan.folders:
        if not any(files.walk(root / folder, keep=function_plans.is_source)):
            files.remove(root / folder)
    return plan


def show(root: Path, plan: RemovalPlan) -> None:
    """Print what was removed, what the next deployment removes, and what still names the function."""
    console.result(f"{plan.function.logical_id} was removed from the stack {plan.stack.name}")
    removed = {*plan.changes.removed}
    console.results(f"  {'removed' if path in removed else 'edited'} {path}" for path in sorted(plan.changes.contents))

    kept = [resource.logical_id for resource in plan.resources if _is_retained(resource)]
    deleted = [resource.logical_id for resource in plan.resources if not _is_retained(resource)]
    console.result(f"the next deployment of {plan.stack.name} deletes: {', '.join(deleted)}")
    if kept:
        console.result(f"it leaves in the account, without a stack: {', '.join(kept)}")

    mentions = git.mentions(root, (*_spellings(plan.module), plan.function.logical_id))
    if mentions:
        console.result(f"{len(mentions)} line(s) still name it:")
        console.results(f"  {line}" for line in mentions[:_MENTIONS_SHOWN])
    console.result("next: inv sync build prove, then inv diff")


def _spellings(module: str) -> tuple[str, ...]:
    """Return how texts may name a module; a plain word, such as `run`, counts in quotes only."""
    return (f'"{module}"', f"'{module}'", f"`{module}`") if module.isalpha() else (module,)


def consumed_by(names: frozenset[str], routes: tuple[Route, ...]) -> tuple[Consumed, ...]:
    """Return the messages that a function with these names consumes."""
    return tuple(
        Consumed(route.message, is_its_own=not route.producers and names.issuperset(route.consumers))
        for route in routes
        if names.intersection(route.consumers)
    )


def _require_nothing_lost(root: Path, plan: RemovalPlan, name: str) -> None:
    lost = git.uncommitted(root, plan.edited)
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        command = f"inv remove-function {name} --yes"
        raise UsageError(f"{lost[0]}{more} would be lost: no commit has its text; commit it, or type {command}")


def _is_retained(resource: Resource) -> bool:
    policy = resource.body.get("DeletionPolicy")
    return policy is not None and (policy.scalar or "").startswith("Retain")
