"""Prepare a deployment, as far as every one of them goes, also one that changes nothing. Fast to import."""

from collections.abc import Callable
from pathlib import Path

from automation import validate
from automation.building import builder, built, source_copies
from automation.deploying.connections import Connections
from automation.deploying.releases.records import Release
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.proof import records
from automation.system import console
from automation.system.errors import Finding

_SHORT = 9


def open_connections(scope: Scope, connect: Callable[[Scope], Connections] | None) -> Connections:
    """Return the connections to an environment's target; no call is made yet.

    Args:
        connect: opens them; None for the real ones.
    """
    # boto3 is slow to import, and --against needs none of it.
    from automation.deploying import connecting  # noqa: PLC0415

    return (connect or connecting.connect)(scope)


def inside(root: Path, file: str) -> str:
    """Return a file's path relative to the project; empty for a file elsewhere, or for none."""
    path = Path(file).resolve()
    return str(path.relative_to(root.resolve())) if file and path.is_relative_to(root.resolve()) else ""


def prepare(scope: Scope) -> None:
    """Check the templates, sync, build, prove and measure; nothing is uploaded yet.

    What has passed in the same state is neither proven nor measured again.

    Raises:
        AutomationError: a step failed.
    """
    project = scope.project
    validate.validate_once(project)
    source_copies.sync(project)
    builder.build(project, parameters={settings.stack.name: settings.parameters for settings in scope.stacks})

    as_built = built.as_built(project)
    state = records.state(as_built)
    if records.read(project.root, state) is None:
        from automation import prove  # noqa: PLC0415 - slow to import, and usually not needed

        prove.prove_once(as_built)
    if not records.is_within_limits(project.root, state):
        from automation import sizes  # noqa: PLC0415 - slow to import, and usually not needed

        sizes.require_within_limits(sizes.measure(as_built))
        records.note_within_limits(project.root, state)


def report_unchanged(session: Session, release: Release) -> Release:
    """Say that nothing has changed, and which release runs."""
    commit = f" ({release.commit[:_SHORT]}{', with uncommitted changes' if release.is_dirty else ''})"
    console.result(
        f"nothing has changed in {session.environment}: {release.name}{commit if release.commit else ''} runs"
    )
    return release


def warn(finding: Finding) -> None:
    """Print a finding that does not stop a deployment."""
    console.warning(f"{finding.where}: {finding.what}{f'; {finding.fix}' if finding.fix else ''}")
