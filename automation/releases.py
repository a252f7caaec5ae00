"""`inv releases`: list the releases of an environment, the newest first, and say which of them runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from automation.deploying import scope as scopes
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release
from automation.deploying.scope import Scope
from automation.system import console
from automation.system.cloudformation import CloudFormation
from automation.system.errors import UsageError
from automation.system.release_table import ReleaseTable
from automation.system.stacks import StackState

DEFAULT_LIMIT = 20
_COLUMNS = ("release", "runs", "what", "commit", "when", "who", "verdict", "status", "smoke test")


class Stacks(Protocol):
    """The call to CloudFormation that the list needs; cloudformation.CloudFormation is the real one."""

    def stack_state(self, stack: str) -> StackState:
        """Return the current state of a stack."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the list comes from."""

    table: releases.Table
    stacks: Stacks


@dataclass(frozen=True, slots=True)
class ReleaseList:
    """The newest releases, and the one that runs (None: none runs on every stack)."""

    environment: str
    releases: tuple[Release, ...]
    running: Release | None


def connect(scope: Scope) -> Sources:
    """Open the connections to an environment; no call is made yet."""
    return Sources(ReleaseTable(scope.target, releases.table_name(scope.stack_names)), CloudFormation(scope.target))


def find(scope: Scope, sources: Sources) -> ReleaseList:
    """Read the releases of an environment, and which of them runs.

    Raises:
        DeploymentError: AWS did not answer.
    """
    known = releases.read(sources.table)
    states = [sources.stacks.stack_state(name) for name in scope.stack_names]
    return ReleaseList(scope.environment.name, known, releases.running(known, states))


def report(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    json: bool = False,
    limit: int = DEFAULT_LIMIT,
    connect: Callable[[Scope], Sources] = connect,
) -> None:
    """Print the newest releases of the environment `name`.

    Args:
        variables: the process's environment variables.
        limit: how many.

    Raises:
        UsageError: there is no such environment, or the limit is less than 1.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
    """
    if limit < 1:
        raise UsageError(f"--limit must be at least 1, got {limit}", where="releases")
    scope = scopes.read(root, name, variables=variables)
    listed = find(scope, connect(scope))
    (show_json if json else show)(listed, limit=limit)


def show(listed: ReleaseList, *, limit: int) -> None:
    """Print a table for people."""
    if not listed.releases:
        console.result(f"{listed.environment} has no releases; make the first: inv deploy --env {listed.environment}")
        return
    number = listed.running.number if listed.running else 0
    console.table(_COLUMNS, [_row(release, is_running=release.number == number) for release in listed.releases[:limit]])
    if listed.running is None:
        console.result(f"none of them runs on every stack; see why: inv status --env {listed.environment}")


def show_json(listed: ReleaseList, *, limit: int) -> None:
    """Print JSON for programs."""
    rows = [{"release": release.number, **releases.as_document(release)} for release in listed.releases[:limit]]
    running = listed.running.number if listed.running else None
    console.result_json({"format": 1, "environment": listed.environment, "running": running, "releases": rows})


def _row(release: Release, *, is_running: bool) -> Sequence[str]:
    commit = f"{release.commit[:12]}{' (dirty)' if release.is_dirty else ''}"
    when = release.created_at[:16].replace("T", " ")
    runs = "yes" if is_running else ""
    return (
        release.name,
        runs,
        release.kind,
        commit,
        when,
        release.person,
        release.verdict,
        f"{release.status}, pruned" if release.pruned else release.status,
        release.smoke,
    )
