"""The plan of a rollback: which release to restore, and what each stack gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, ReleasedStack, Status
from automation.system.errors import CheckFailedError, Finding, UsageError

_RESTORABLE = frozenset({Status.DEPLOYED, Status.ROLLED_BACK})


@dataclass(frozen=True, slots=True)
class Rollback:
    """The restoration of a release.

    Attributes:
        stacks: what each stack gets, in the order of the change: the reverse of a deployment.
        kept: the names of stacks that the restored release did not have; they stay as they are.
    """

    release: Release
    stacks: tuple[ReleasedStack, ...]
    kept: tuple[str, ...] = ()


def plan_rollback(
    known: Sequence[Release],
    to: int,
    running: Release | None,
    *,
    environment: str,
    is_replaced: bool = False,
    missing: Callable[[Release], Sequence[str]] = lambda _: (),
) -> Rollback:
    """Choose the release to restore.

    Args:
        known: the releases, newest first.
        to: its number; 0 for the last good release before the one that runs.
        running: None when it is not known.
        is_replaced: whether inv watch has replaced code of the release that runs, which can then be restored itself.
        missing: returns the S3 locations of a release's artifacts that do not exist any more.

    Raises:
        UsageError: there is no such release, it runs already, or it was never fully deployed.
        CheckFailedError: there is no good release to go back to, or its artifacts are gone.
    """
    release = _requested(known, to, environment) if to else _default(known, running, environment)
    if running is not None and not is_replaced and release.number in {running.number, running.rollback_to}:
        raise UsageError(f"{release.name} already runs in {environment}; see {_list(environment)}", where="--to")
    _require_artifacts(release, () if release.pruned else missing(release), environment)

    names = {stack.stack_name for stack in release.stacks}
    present = running.stacks if running else ()
    kept = tuple(stack.stack_name for stack in present if stack.stack_name not in names)
    return Rollback(release, tuple(reversed(release.stacks)), kept)


def _requested(known: Sequence[Release], number: int, environment: str) -> Release:
    release = next((release for release in known if release.number == number), None)
    if release is None:
        newest = f"the newest is {known[0].name}" if known else "there is none"
        message = f"{environment} has no release r{number}; {newest}; see {_list(environment)}"
        raise UsageError(message, where="--to")
    if release.status not in _RESTORABLE:
        message = f"{release.name} is {release.status}: it never ran on every stack; see {_list(environment)}"
        raise UsageError(message, where="--to")
    return release


def _default(known: Sequence[Release], running: Release | None, environment: str) -> Release:
    before = _origin(running) if running else _after(known)
    release = releases.last_good(known, before=before)
    if release is None:
        what = "no earlier release was fully deployed and passed its smoke test"
        fix = f"choose one with --to ({_list(environment)}), or fix the code and run inv deploy --env {environment}"
        message = "there is nothing to go back to; nothing was changed"
        raise CheckFailedError(message, findings=[Finding(environment, what, fix)])
    return release


def _origin(release: Release) -> int:
    """Return the release whose content a release has: after a rollback to r5, the release before it is r4."""
    return release.rollback_to or release.number


def _after(known: Sequence[Release]) -> int:
    return known[0].number + 1 if known else 0


def _require_artifacts(release: Release, missing: Sequence[str], environment: str) -> None:
    build = f"build it again: git checkout {release.commit} && inv deploy --env {environment}"
    is_in_git = release.commit and not release.is_dirty
    fix = build if is_in_git else f"choose another one: {_list(environment)}"
    findings = [
        Finding(location, f"the artifact of {release.name} does not exist any more", fix) for location in missing
    ]
    if release.pruned:
        findings = [Finding(release.name, "inv prune has deleted its artifacts", fix)]
    if findings:
        message = f"{release.name} cannot be restored; nothing was changed"
        raise CheckFailedError(message, where=environment, findings=findings)


def _list(environment: str) -> str:
    return f"inv releases --env {environment}"
