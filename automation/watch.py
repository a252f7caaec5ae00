"""`inv watch`: give deployed functions the code of each edit within a second or two, once its proof has passed."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from automation import preparing, watch_output, watch_proof
from automation.building import builder, built, built_code, source_copies, watched_files
from automation.building.built_code import Digests
from automation.deploying import scope as scopes
from automation.deploying import sessions, watched_environment
from automation.deploying.connections import Connections
from automation.deploying.releases.deployer_lock import LockedError
from automation.deploying.scope import Scope
from automation.deploying.stacks import smoke
from automation.deploying.watched_environment import MovedError, WatchedEnvironment
from automation.deploying.watching import updates
from automation.deploying.watching.updates import Update
from automation.lambda_runtime.mounts import Mount
from automation.project.model import Project
from automation.system import edits
from automation.system.errors import AutomationError, ToolError, UsageError
from automation.watch_output import Counts, Timing


class Watcher(Protocol):
    """Yields the files of each burst of edits, and an empty set now and then; edits.watch is the real one."""

    def __call__(self, folders: Sequence[Path], *, is_of_interest: Callable[[Path], bool]) -> Iterator[frozenset[Path]]:
        """Watch folders."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        invoke: send the message of the smoke test to each function that was updated, and print the answer.
    """

    invoke: bool


@dataclass(slots=True)
class _Watch:
    """One `inv watch` at work; everything that is slow to make is kept from edit to edit.

    Attributes:
        message: what is sent to updated functions; None for nothing.
        imported: the functions that a proof has imported so far.
        refused: what functions were to get when a proof refused it, by stack and logical id.
        printed: the last trouble of each function, or of all (""), so that it is printed once.
        is_due: whether the next look must build, also without an edit.
    """

    root: Path
    environment: WatchedEnvironment
    message: Mapping[str, Any] | None
    digests: Digests = field(default_factory=Digests)
    counts: Counts = field(default_factory=Counts)
    imported: frozenset[watch_proof.Key] = frozenset()
    refused: dict[watch_proof.Key, object] = field(default_factory=dict)
    printed: dict[str, str] = field(default_factory=dict)
    is_due: bool = True

    @property
    def scope(self) -> Scope:
        return self.environment.session.scope

    @property
    def name(self) -> str:
        return self.scope.environment.name

    def is_new(self, about: str, text: str) -> bool:
        """Return whether this trouble was not the last one about this."""
        is_new = self.printed.get(about) != text
        self.printed[about] = text
        return is_new


def watch(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options,
    connect: Callable[[Scope], Connections] | None = None,
    watcher: Watcher = edits.watch,
) -> None:
    """Update the functions of the environment `name` with each edit, until Ctrl-C.

    Args:
        variables: the process's environment variables.
        connect: opens the connections.
        watcher: yields the edited files of folders, as edits.watch.

    Raises:
        UsageError: the environment is changed by its word only, or there is no message to invoke with.
        CheckFailedError: no release of this project runs there, or somebody deploys.
        AutomationError: another failure before the first edit, or at the end.
    """
    scope = scopes.read(root, name, variables=variables)
    watched_environment.require_allowed(scope.environment)
    message = scope.project.settings.smoke if options.invoke else None
    if options.invoke and message is None:
        message_text = "--invoke sends the message `smoke` of [tool.alchemiser], which pyproject.toml lacks"
        raise UsageError(message_text, where=f"watch --env {name}")

    session = sessions.begin(scope, preparing.open_connections(scope, connect), None)
    state = _Watch(root, watched_environment.read(session), message)
    watch_output.started(name, state.environment.release.name, len(state.environment.functions), scope.target_text)
    _prove_all(state)
    with suppress(KeyboardInterrupt):
        _follow(state, watcher, variables)
    _finish(state)


def _prove_all(state: _Watch) -> None:
    """Build and prove everything once: later proofs then know what was imported, and find all that they load."""
    try:
        project = _build(state)
        state.imported = watch_proof.check(project, _mounts(project)).imported
    except AutomationError as cause:
        watch_output.failed((), cause)


def _follow(state: _Watch, watcher: Watcher, variables: Mapping[str, str]) -> None:
    """Wait for edits for ever; begin anew when folders come or go, or when a setting changes."""
    root, is_shown = state.root, False
    while True:
        look = _look(state.scope.project)
        for burst in watcher(look.folders, is_of_interest=lambda path: watched_files.is_of_interest(path, root)):
            if not burst and _has_moved(state, look, variables):
                # What was edited until the new watcher looks is found by the build that is due then.
                state.is_due = True
                break
            if burst or state.is_due:
                state.is_due = False
                _take(state, watch_output.relative(burst, root))
            if not is_shown:  # from now on, each edit is noticed
                watch_output.watching(watch_output.relative(look.folders, root))
                is_shown = True
        else:
            return


@dataclass(frozen=True, slots=True)
class _Look:
    """What is watched: the folders with the identity of each, and the signatures of the settings."""

    folders: tuple[Path, ...]
    identities: tuple[int, ...]
    settings: Mapping[str, str]


def _look(project: Project) -> _Look:
    folders = watched_files.folders(project)
    return _Look(folders, _identities(folders), watched_files.settings(project))


def _identities(folders: Sequence[Path]) -> tuple[int, ...]:
    """Return a number for each folder that another folder in its place does not have; 0 for a missing one."""
    return tuple(folder.stat().st_ino if folder.is_dir() else 0 for folder in folders)


def _has_moved(state: _Watch, look: _Look, variables: Mapping[str, str]) -> bool:
    """Return whether other folders or settings are there now; say so, and read the settings again."""
    now = watched_files.settings(state.scope.project)
    changed = {name for name in {*now, *look.settings} if now.get(name) != look.settings.get(name)}
    if changed:
        _read_settings(state, changed, variables)
    folders = watched_files.folders(state.scope.project)
    return bool(changed) or (folders, _identities(folders)) != (look.folders, look.identities)


def _read_settings(state: _Watch, changed: Collection[str], variables: Mapping[str, str]) -> None:
    watch_output.not_watched(changed, state.name)
    state.refused.clear()
    try:
        scope = scopes.read(state.root, state.name, variables=variables)
        session = sessions.begin(scope, state.environment.session.connections, None)
        state.environment = watched_environment.read(session)
    except AutomationError as cause:
        watch_output.failed((), cause)


def _take(state: _Watch, edited: tuple[str, ...]) -> None:
    """Build what was edited, prove it, and give it to the functions."""
    timing = Timing()
    try:
        project = _build(state)
        timing.lap("build")
        wanted = _wanted(state, project)
        if not wanted:
            if edited:
                watch_output.unchanged(edited, timing)
            return
        passed = _proven(state, project, wanted, edited, timing)
    except AutomationError as cause:
        watch_output.failed(edited, cause)
        return
    except OSError as cause:
        # A checkout or an editor has taken a file away between two steps: the next look finds what it has left.
        state.is_due = True
        if state.is_new("", str(cause)):
            watch_output.failed(edited, ToolError(f"{cause.strerror}; it is tried again", where=str(cause.filename)))
        return
    if passed:
        _apply(state, passed, edited, timing)


def _build(state: _Watch) -> Project:
    """Sync and build; what cannot be built is reported, and keeps its last build."""
    project = state.scope.project
    source_copies.sync(project)
    parameters = {settings.stack.name: settings.parameters for settings in state.scope.stacks}
    result = builder.build(project, parameters=parameters, keeps_going=True)
    for failure in result.failures:
        watch_output.failed((), failure)
    return built.as_built(project)


def _mounts(project: Project) -> dict[watch_proof.Key, Mount]:
    return {(mount.stack.name, mount.function.logical_id): mount for mount in built.mounts_of_project(project)}


def _wanted(state: _Watch, project: Project) -> list[Update]:
    """Return the updates that can be made, without those that a proof has refused before."""
    environment = state.environment
    zips = built_code.read(project, state.digests)
    planned = updates.plan(environment.functions.values(), _mounts(project), zips, environment.published)
    for update in planned:
        if update.obstacle and state.is_new(update.name, update.obstacle):
            watch_output.blocked(update.name, update.obstacle, state.name)
    ready = [update for update in planned if not update.obstacle]
    return [update for update in ready if state.refused.get(update.function.key) != update.content]


def _proven(
    state: _Watch, project: Project, wanted: Sequence[Update], edited: tuple[str, ...], timing: Timing
) -> list[Update]:
    """Return the updates whose proof has passed; print why the others are refused."""
    keys = [update.function.key for update in wanted]
    verdicts = watch_proof.check(project, keys, imported_before=state.imported)
    timing.lap("proof")
    state.imported |= verdicts.imported - verdicts.refused.keys()
    refused = [update for update in wanted if update.function.key in verdicts.refused]
    state.refused |= {update.function.key: update.content for update in refused}
    if refused:
        state.counts.refused += 1
        findings = set(chain.from_iterable(verdicts.refused.values()))
        watch_output.refused(edited, [update.name for update in refused], findings, timing)
    return [update for update in wanted if update.function.key not in verdicts.refused]


def _apply(state: _Watch, passed: Sequence[Update], edited: tuple[str, ...], timing: Timing) -> None:
    """Give functions their updates; what fails is tried again at the next look."""
    try:
        state.environment.apply(passed)
    except MovedError:
        state.is_due = True
        _read_again(state, edited)
        return
    except AutomationError as cause:
        state.is_due = True
        if state.is_new("", str(cause)):
            watch_output.failed(edited, cause)
        return
    timing.lap("update")
    state.printed.pop("", None)
    state.counts.updates += 1
    watch_output.updated(edited, [update.name for update in passed], timing)
    _invoke(state, passed)


def _read_again(state: _Watch, edited: tuple[str, ...]) -> None:
    """Read the environment after somebody else has deployed to it."""
    try:
        state.environment = watched_environment.read_again(state.environment)
    except AutomationError as cause:
        if state.is_new("", str(cause)):
            watch_output.failed(edited, cause)
    else:
        watch_output.moved(state.environment.release.name, state.name)


def _invoke(state: _Watch, updated: Sequence[Update]) -> None:
    """Ask updated functions whether they work, and print what they answer."""
    functions = state.environment.session.connections.functions
    for update in updated if state.message is not None else ():
        try:
            answer = smoke.read(
                update.name, functions.invoke(update.function.declared.physical_id, state.message or {})
            )
            watch_output.answered(update.name, f"{answer.state}{f': {answer.detail}' if answer.detail else ''}")
        except AutomationError as cause:
            watch_output.answered(update.name, str(cause))


def _finish(state: _Watch) -> None:
    """Say what runs now; when that is the release, leave no mark."""
    environment = state.environment
    left = environment.replaced()
    watch_output.finished(state.counts, left, state.name, environment.release.name)
    if not left:
        with suppress(LockedError):  # the deployment that holds the lock removes the mark
            environment.forget()
