"""`inv size --history`: what each release of an environment weighed, and which of them made an artifact grow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from automation.deploying import scope as scopes
from automation.deploying.releases import records as releases
from automation.deploying.releases.records import Release, Status
from automation.deploying.scope import Scope
from automation.project import function_names, model
from automation.project.model import LAMBDA_LIMIT_BYTES, Project
from automation.sizing import history, history_page, history_record, history_text
from automation.sizing.history import History, ReleaseSizes, SeriesKey, SeriesKind
from automation.system import console, git
from automation.system.errors import UsageError
from automation.system.release_table import ReleaseTable

PAGE = ".alchemiser/size-history.html"
_REACHED_EVERY_STACK = frozenset({Status.DEPLOYED, Status.ROLLED_BACK})
_MAX_TAGS = 5


def connect(scope: Scope) -> releases.Table:
    """Open the connection to the table of releases; no call is made yet."""
    return ReleaseTable(scope.target, releases.table_name(scope.stack_names))


def require_consistent(*, history: bool, baseline: str, markdown: bool) -> None:
    """Refuse options of `inv size` that exclude each other.

    Raises:
        UsageError: two of them do.
    """
    if not history:
        raise UsageError("--env is only for --history; add it: inv size --history --env ENV", where="size")
    if baseline or markdown:
        option = "--baseline" if baseline else "--markdown"
        raise UsageError(f"--history and {option} exclude each other; choose one", where="size")


def report(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    names: Iterable[str] = (),
    json: bool = False,
    html: str | bool = "",
    connect: Callable[[Scope], releases.Table] = connect,
) -> None:
    """Show the sizes of the releases of the environment `name`, as text, JSON or a page.

    Args:
        variables: the process's environment variables.
        names: logical ids of functions and layers; empty means all.
        html: a path, or True for `.alchemiser/size-history.html`.

    Raises:
        UsageError: the environment, a function or a layer does not exist, or more than one format was chosen.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: DynamoDB did not answer.
    """
    if json and html:
        raise UsageError("--json and --html exclude each other; choose one", where="size --history")
    scope = scopes.read(root, name, variables=variables)
    known = releases.read(connect(scope))
    owners = chain.from_iterable(stack.owners for stack in scope.project.stacks)
    chosen = function_names.ids_or_names(names, tuple(owners))
    sizes = gather(known, git.tags(root), scope.project, environment=name, names=chosen)

    if json:
        console.result_json(history_record.as_json(sizes))
    elif html:
        path = root / PAGE if html is True else Path(html)
        history_page.write(sizes, path)
        console.result(str(path))
    elif sizes.releases:
        history_text.show(sizes)
    else:
        console.results([_nothing_yet(known, name), *(f"note: {note}" for note in sizes.notes)])


def gather(
    known: Sequence[Release],
    tags: Mapping[str, tuple[str, ...]],
    project: Project,
    *,
    environment: str,
    names: frozenset[str] = frozenset(),
) -> History:
    """Combine the releases of an environment with the tags of their commits and with today's limits.

    Args:
        known: newest first.
        tags: by commit.
        names: as in `report`.

    Raises:
        UsageError: no release has a function or layer with that name.
    """
    deployed = [release for release in reversed(known) if release.status in _REACHED_EVERY_STACK]
    sized = [_sizes_of(release, tags.get(release.commit, ())) for release in deployed]
    measured = tuple(release for release in sized if release.is_measured)
    every = history.series_of(measured, limits_of(project))
    unknown = sorted(names - {series.logical_id for series in every})
    if every and unknown:
        message = f"no release of {environment} has {unknown[0]}"
        raise UsageError(f"{message}; see all: inv size --history --env {environment}", where="size --history")
    selected = tuple(series for series in every if not names or series.logical_id in names)
    return History(environment, measured, selected, tuple(_notes(known, sized, tags, environment)))


def limits_of(project: Project) -> dict[SeriesKey, int]:
    """Return the limit of each series today: the budgets of the working copy, and AWS's limit."""
    limits: dict[SeriesKey, int] = {}
    for stack in project.stacks:
        functions = {function.logical_id for function in stack.functions}
        for owner in stack.owners:
            kind = SeriesKind.FUNCTION if owner.logical_id in functions else SeriesKind.LAYER
            budget = model.budget_bytes(owner, project.settings)
            if budget is not None:
                limits[kind, stack.name, owner.logical_id] = budget
            limits[SeriesKind.MOUNTED, stack.name, owner.logical_id] = LAMBDA_LIMIT_BYTES
    return limits


def _sizes_of(release: Release, tags: tuple[str, ...]) -> ReleaseSizes:
    artifacts, mounts = {}, {}
    for stack in release.stacks:
        for logical_id, contents in stack.contents.items():
            artifacts[stack.stack, logical_id] = history.parts_of(contents)
        for logical_id, layers in stack.mounts.items():
            mounts[stack.stack, logical_id] = tuple(layers)
    return ReleaseSizes(
        release.name, release.commit, release.is_dirty, release.created_at, tags, artifacts=artifacts, mounts=mounts
    )


def _nothing_yet(known: Sequence[Release], environment: str) -> str:
    advice = f"inv deploy --env {environment}"
    if not known:
        return f"{environment} has no releases; make the first: {advice}"
    return f"no release of {environment} has recorded its sizes yet; the next one does: {advice}"


def _notes(
    known: Sequence[Release], sized: Sequence[ReleaseSizes], tags: Mapping[str, tuple[str, ...]], environment: str
) -> list[str]:
    """Return what has no size, and why."""
    notes = [
        f"{release.name} ({release.status}) did not reach every stack, and is left out"
        for release in reversed(known)
        if release.status not in _REACHED_EVERY_STACK
    ]
    unmeasured = [release.name for release in sized if not release.is_measured]
    if unmeasured:
        notes.append(f"{', '.join(unmeasured)} recorded no bytes per distribution: an earlier version deployed them")

    commits = {release.commit for release in sized}
    unreleased: list[str] = []
    for commit, names in tags.items():
        unreleased += [] if commit in commits else names
    if unreleased:
        more = f" and {len(unreleased) - _MAX_TAGS} more" if len(unreleased) > _MAX_TAGS else ""
        shown = ", ".join(unreleased[-_MAX_TAGS:])
        scope = f"the newest {releases.READ_LIMIT} releases of {environment}"
        notes.append(f"no size for {'tag' if len(unreleased) == 1 else 'tags'} {shown}{more}: not in {scope}")
    return notes
