"""`inv prune`: delete the versions and artifacts that no kept release uses, and change nothing that runs."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

from automation.deploying import consent, sessions
from automation.deploying import scope as scopes
from automation.deploying.connections import Connections
from automation.deploying.pruning import removal, survey
from automation.deploying.pruning.selection import Selection, digest_of
from automation.deploying.pruning.survey import MIN_AGE, Leftovers
from automation.deploying.releases import deployer_lock
from automation.deploying.scope import Scope
from automation.deploying.sessions import Session
from automation.deploying.stacks import execution
from automation.sizing.units import format_bytes
from automation.system import console
from automation.system.errors import UsageError
from automation.system.leftovers import StoredObject

_COLUMNS = ("what", "where", "count", "size", "which")
_NUMBERS = ("count", "size")
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        keep: how many of the newest releases stay restorable; 0 for the number in pyproject.toml.
        yes: confirmed in advance.
        dry_run: print what would be deleted, and delete nothing.
    """

    keep: int = 0
    yes: bool = False
    dry_run: bool = False


def connect(scope: Scope) -> Connections:
    """Open the connections to an environment; no call is made yet."""
    from automation.deploying import connecting  # noqa: PLC0415 - boto3 is slow to import

    return connecting.connect(scope)


def find_leftovers(scope: Scope) -> Leftovers:
    """Open the connections to what releases leave over; no call is made yet."""
    from automation.system import cloudformation, lambda_versions, release_table, stored_objects  # noqa: PLC0415

    target = scope.target
    return Leftovers(
        versions=lambda_versions.LambdaVersions(target),
        objects=stored_objects.StoredObjects(target),
        change_sets=cloudformation.CloudFormation(target),
        tables=lambda pattern: release_table.find_all(target, pattern=pattern),
    )


def prune(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    connect: Callable[[Scope], Connections] = connect,
    find_leftovers: Callable[[Scope], Leftovers] = find_leftovers,
    min_age: timedelta = MIN_AGE,
) -> None:
    """Delete what the releases of the environment `name` do not need any more.

    Args:
        variables: the process's environment variables.
        connect, find_leftovers: open the connections.
        min_age: what is younger stays.

    Raises:
        UsageError: the environment does not exist, too few releases would stay, or it was not confirmed.
        CheckFailedError: another deployer is at work.
        ConfigurationError: the settings or the credentials are wrong.
        DeploymentError: AWS refused a request, or did not answer.
    """
    scope = scopes.read(root, name, variables=variables)
    newest = _kept(options.keep, scope.project.settings.keep_releases)
    if not options.dry_run:
        is_interactive = console.is_interactive()
        consent.require_possible(scope.environment, yes=options.yes, is_interactive=is_interactive, command="prune")

    session = sessions.begin(scope, connect(scope), None)
    leftovers = find_leftovers(scope)
    if not session.known:
        console.result(f"nothing to prune: {name} has no releases")
        return
    select = partial(survey.select, leftovers=leftovers, newest=newest, min_age=min_age)
    if options.dry_run:
        _show(_looked_through(session, select), name)
        return
    with deployer_lock.hold(session.connections.table, session.deployer(), environment=name) as renew:
        _prune(sessions.refresh(session), leftovers, select, yes=options.yes, renew=renew)


def _prune(
    session: Session,
    leftovers: Leftovers,
    select: Callable[[Session], Selection],
    *,
    yes: bool,
    renew: Callable[[], None],
) -> None:
    name, environment = session.environment, session.scope.environment
    with execution.explain_interrupt("nothing was deleted", where=f"prune --env {name}"):
        selected = _looked_through(session, select)
        _show(selected, name)
        if selected.is_empty:
            return
        if not yes:
            consent.confirm(f"delete this from {name} for ever", environment, ask=console.ask)

    rest = f"the rest is still there; delete it: inv prune --env {name}"
    with execution.explain_interrupt(rest, where=f"prune --env {name}"):
        # The answer may have taken so long that another deployer has the lock by now.
        renew()
        removal.remove(selected, session, leftovers, renew=renew)
    console.result(f"pruned {name}: deleted {format_bytes(selected.size_bytes)}", style="bold green")


def _kept(keep: int, least: int) -> int:
    """Return how many of the newest releases stay restorable.

    Raises:
        UsageError: fewer than pyproject.toml says.
    """
    if keep and keep < least:
        raise UsageError(f"--keep must be at least {least}, got {keep}", where="prune")
    return keep or least


def _looked_through(session: Session, select: Callable[[Session], Selection]) -> Selection:
    with console.progress(f"looking through {session.environment}"):
        return select(session)


def _show(selected: Selection, environment: str) -> None:
    """Print what would be deleted, one line per function, layer, folder and stack."""
    if selected.is_empty:
        console.result(f"nothing to prune in {environment}")
        return
    console.table(_COLUMNS, list(_rows(selected, environment)), right=_NUMBERS)
    console.result(f"{format_bytes(selected.size_bytes)} in total")


def _rows(selected: Selection, environment: str) -> Iterator[Sequence[object]]:
    for stack, waiting in groupby(selected.change_sets, key=lambda entry: entry.stack_name):
        yield _row("change set", stack, [entry.name for entry in waiting])
    for function, functions in groupby(selected.functions, key=lambda entry: entry.function):
        sizes = {str(entry.version): entry.size_bytes for entry in functions}
        yield _row("function version", function, sizes, sum(sizes.values()))
    for layer, layers in groupby(selected.layers.items(), key=lambda entry: entry[0].layer):
        sizes = {str(version.version): content.size_bytes for version, content in layers}
        yield _row("layer version", layer, sizes, sum(sizes.values()))
    for folder, objects in groupby(selected.objects, key=_folder):
        listed = list(objects)
        digests = dict.fromkeys(digest_of(entry.key)[:_SHORT] for entry in listed)
        yield _row("artifact", folder, digests, sum(entry.size_bytes for entry in listed))
    if selected.releases:
        yield _row("release that cannot be restored then", environment, [entry.name for entry in selected.releases])


def _row(what: str, where: str, names: Collection[str], size_bytes: int | None = None) -> Sequence[object]:
    return (what, where, len(names), format_bytes(size_bytes), ", ".join(names))


def _folder(entry: StoredObject) -> str:
    return f"s3://{entry.bucket}/{entry.key.rpartition('/')[0]}"
