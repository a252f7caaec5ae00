"""Build the stale artifacts of a project, and touch nothing else.

New artifacts are laid out beside the build and move into it by renames once all are ready, so that an interrupted or
failed build leaves the last good one.
"""

import errno
import os
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from automation.building import (
    artifacts,
    bytecode,
    dependencies,
    engines,
    manifests,
    outputs,
    shared_cache,
    source_copies,
    sources,
    stack_builds,
    store,
    up_to_date,
)
from automation.building.artifacts import Artifact
from automation.building.engines import Engine
from automation.building.manifests import BuiltArtifact, Manifest
from automation.building.rebuilds import Decision
from automation.building.requirements import UV_LOCK
from automation.building.stack_builds import StackBuild
from automation.project import model, sam_configuration, selection, skipped
from automation.project.model import Project
from automation.project.settings import PYPROJECT
from automation.system import console, files, tools
from automation.system.errors import AutomationError, ToolError

_WAIT_S = 900.0
_FAULTS_OF_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EMFILE, errno.EIO}
)


type Failures = dict[tuple[str, str], AutomationError]  # by stack and logical id


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The result of a build.

    Attributes:
        decisions: one per selected artifact, without those that failed.
        failures: why artifacts could not be built; everything else was.
        not_selected: the number of artifacts that were not selected.
        skipped: what was not built and why, as sentences.
        left_out: what of the code folders belongs to tools and was not shipped, as sentences; of built artifacts only.
        counts: how many functions and layers there are, and what became of them.
    """

    decisions: tuple[Decision, ...]
    not_selected: int
    skipped: tuple[str, ...]
    left_out: tuple[str, ...]
    counts: str
    seconds: float
    failures: tuple[AutomationError, ...] = ()

    @property
    def rebuilt(self) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if not decision.is_up_to_date)


def build(
    project: Project,
    *,
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    chosen: selection.Chosen = selection.EVERYTHING,
    force: bool = False,
    engine: Engine = Engine.UV,
    keeps_going: bool = False,
) -> BuildResult:
    """Build the stale artifacts.

    Args:
        parameters: values for template parameters, by stack; those that no artifact depends on are ignored.
        chosen: the artifacts to consider; all others stay as they are.
        force: build what is up to date, too.
        keeps_going: build the others when an artifact cannot be built, and return the failures in the result.

    Raises:
        ConfigurationError: a file to build is missing, or a property has no value.
        UsageError: a chosen artifact, stack or architecture does not exist.
        ToolError: a requirement could not be installed, the machine refused to write, or SAM failed.
    """
    started, root = time.monotonic(), project.root
    failures: Failures = {}

    def read() -> list[StackBuild]:
        leaves_out = keeps_going and engine is Engine.UV  # SAM builds a stack as a whole
        return stack_builds.read(project, parameters or {}, chosen, engine, force=force, keeps_going=leaves_out)

    with _translate_os_errors():
        builds = read()
        if not all(state.is_up_to_date for state in builds):
            with files.lock(root / ".alchemiser" / "build.lock", wait_s=_WAIT_S, doing="building"):
                # Another process may have finished this build while we waited for the lock.
                if any(manifests.read(root, state.stack.name) != state.manifest for state in builds):
                    builds = read()
                failures = _build(builds, root, engine, force=force, keeps_going=keeps_going)
    if failures and not keeps_going:
        raise next(iter(failures.values()))
    failures = _unread(builds, chosen) | failures
    return _result(builds, engine, failures, time.monotonic() - started)


def note_if_up_to_date(project: Project, result: BuildResult) -> None:
    """Write the note that everything is up to date, after a build of everything that had nothing to do.

    No note is written unless everything that the build reads lies in folders and files of the project.
    """
    root = project.root
    every_artifact = list(chain.from_iterable(artifacts.of_stack(stack, root) for stack in project.stacks))
    tops = {Path(os.path.normpath(artifact.folder)).parts[:1] for artifact in every_artifact}
    is_within_folders = not tops & {(), ("..",), ("/",)}
    is_own_python = {artifact.version for artifact in every_artifact} <= {tools.own_python_version(), ""}
    is_complete = not (result.rebuilt or result.not_selected)
    locks = {artifact.lock for artifact in every_artifact if artifact.lock}
    is_in_files = all(dependencies.is_all_in_files(lock, root) for lock in locks)
    is_in_files = is_in_files and not sam_configuration.names_files(root)
    if not (is_complete and is_in_files and is_within_folders and is_own_python):
        return

    read = {*_inputs(project, every_artifact), *chain.from_iterable(tops)}
    up_to_date.write_note(
        root,
        read=read,
        absent={name for name in (*sam_configuration.NAMES, *model.TEMPLATES, UV_LOCK) if not (root / name).exists()},
        built=_outputs(project),
        artifacts=len(result.decisions),
        says=(*result.skipped, result.counts),
    )

    # Checked after the note is written: a file saved since the build must not pass as built.
    builds = stack_builds.read(project, {}, selection.EVERYTHING, Engine.UV)
    if not (source_copies.make_plan(project).is_empty and all(state.is_up_to_date for state in builds)):
        up_to_date.remove_note(root)


def _inputs(project: Project, every_artifact: Iterable[Artifact]) -> set[str]:
    """Return the files and folders that a build reads beside the code folders, relative to the root."""
    root = project.root
    names = {PYPROJECT, *([project.settings.package] if project.settings.package else [])}
    names |= {path.name for path in [sam_configuration.find(root)] if path}
    for stack in project.stacks:
        names |= {stack.template.path, str(manifests.path_of(root, stack.name).relative_to(root))}
    for artifact in every_artifact:
        locks = dependencies.lock_files(artifact.lock, root) if artifact.lock else ()
        names |= {os.path.relpath(lock, root) for lock in locks}
    return names


def _outputs(project: Project) -> set[str]:
    """Return the files and folders that the last build wrote, relative to the root."""
    paths: set[str] = set()
    for stack in project.stacks:
        manifest = manifests.read(project.root, stack.name)
        paths |= {f"{stack.build_dir}/{name}" for name in stack_builds.names_of_outputs(manifest)}
    return paths


def _result(builds: Sequence[StackBuild], engine: Engine, failures: Failures, seconds: float) -> BuildResult:
    stacks = [state.stack for state in builds]
    built: set[tuple[str, str]] = set()
    for state in builds:
        names = {decision.logical_id for decision in state.decisions} | set(state.manifest.artifacts)
        built |= {(state.stack.name, name) for name in names & state.names}

    entries = skipped.without_tree(stacks, built | set(failures))
    if engine is Engine.SAM:
        entries = tuple((stack, entry) for stack, entry in entries if not entry.is_built_by_sam)
    decisions = chain.from_iterable(state.decisions for state in builds)
    return BuildResult(
        decisions=tuple(decision for decision in decisions if (decision.stack, decision.logical_id) not in failures),
        not_selected=sum(len(state.artifacts) - len(state.decisions) for state in builds),
        skipped=tuple(
            f"{stack.template.path}: {entry.logical_id} was not built: it {entry.why}" for stack, entry in entries
        ),
        left_out=_left_out(builds),
        counts=skipped.counts(stacks, built, failed=set(failures)),
        seconds=seconds,
        failures=tuple(dict.fromkeys(failures.values())),
    )


def _left_out(builds: Iterable[StackBuild]) -> tuple[str, ...]:
    """Return what was not shipped of each folder that was built, as sentences."""
    folders: dict[str, Path] = {}
    for state in builds:
        stale = [state.artifacts[decision.logical_id] for decision in state.stale]
        folders |= {artifact.folder: artifact.source for artifact in stale}
    names = {folder: sources.left_out(source) for folder, source in folders.items()}
    return tuple(
        f"the code folder {folder} is shipped without what belongs to tools: {', '.join(left_out)}"
        for folder, left_out in names.items()
        if left_out
    )


def _build(builds: Sequence[StackBuild], root: Path, engine: Engine, *, force: bool, keeps_going: bool) -> Failures:
    if engine is Engine.SAM:
        return _build_with_sam(builds, root)
    stale = [state for state in builds if not state.is_up_to_date]
    return _build_with_uv(stale, root, force=force, keeps_going=keeps_going)


def _build_with_uv(builds: Sequence[StackBuild], root: Path, *, force: bool, keeps_going: bool) -> Failures:
    store_dir, shared = root / store.FOLDER, shared_cache.of_user(os.environ)
    failed: dict[str, AutomationError] = {}
    stale: dict[str, Artifact] = {}
    for state in builds:
        stale |= {decision.ingredients.fingerprint: state.artifacts[decision.logical_id] for decision in state.stale}

    if stale:
        _warn_without_bytecode(stale.values())
    with console.steps("building", len(stale)) as advance:
        if stale:
            store.build_missing(
                stale,
                store_dir,
                force=force,
                similar=_similar(builds),
                shared=shared,
                on_built=advance,
                on_failure=failed.__setitem__ if keeps_going else None,
            )
        for state in reversed(builds):  # a nested stack first, for it lies in the folder of the one that nests it
            _publish(state, root, store_dir, failed)
    if stale:
        used: set[str] = set()
        for state in builds:
            built = manifests.read(root, state.stack.name).artifacts.values()
            used |= {artifact.ingredients.fingerprint for artifact in built}
        store.remove_unused(store_dir, keep=used)
        shared.remove_unused()
    return _failures(builds, failed)


def _failures(builds: Iterable[StackBuild], failed: Mapping[str, AutomationError]) -> Failures:
    """Return the failures by stack and logical id, in the order of the templates."""
    failures: Failures = {}
    for state in builds:
        for decision in state.stale:
            if failure := failed.get(decision.ingredients.fingerprint):
                failures[decision.stack, decision.logical_id] = failure
    return failures


def _unread(builds: Iterable[StackBuild], chosen: selection.Chosen) -> Failures:
    """Return why chosen artifacts, and nested templates, cannot be read."""
    failures: Failures = {}
    for state in builds:
        names = selection.of_stack(state.stack, chosen) if chosen.names else set(state.failures)
        failures |= {(state.stack.name, name): why for name, why in state.failures.items() if name in names}
    return failures


def _similar(builds: Iterable[StackBuild]) -> dict[str, str]:
    """Map an artifact's new fingerprint to that of its last build, if only its files have changed since."""
    similar: dict[str, str] = {}
    for state in builds:
        for decision in state.stale:
            last = state.manifest.artifacts.get(decision.logical_id)
            if last is not None and last.ingredients.settings == decision.ingredients.settings:
                similar[decision.ingredients.fingerprint] = last.ingredients.fingerprint
    return similar


def _publish(state: StackBuild, root: Path, store_dir: Path, failed: Container[str]) -> None:
    """Lay out the new artifacts of a stack, move them into the build, and write the manifest.

    Args:
        failed: the fingerprints of artifacts that could not be built; their last build stays.
    """
    build_dir, last = root / state.stack.build_dir, state.manifest
    new = {
        decision.logical_id: decision.ingredients
        for decision in state.stale
        if decision.ingredients.fingerprint not in failed
    }
    kept = {
        name: artifact
        for name, artifact in last.artifacts.items()
        if name in state.names and name not in new and state.is_whole(name)
    }
    keeps_templates = state.has_up_to_date_templates and {*new, *kept} == set(last.artifacts)

    staged = build_dir.with_name(f".{build_dir.name}.new")
    try:
        outputs.stage(staged, {name: store.locate(store_dir, now.fingerprint) for name, now in new.items()})
        if not keeps_templates:
            outputs.write_templates(state.stack, root, (*new, *kept), staged, nested=state.nested)
        outputs.swap_in(staged, build_dir, new=new, kept=kept, nested=state.stack.nested)
    finally:
        files.remove(staged)

    # The manifest last: a process killed before this line leaves a build that the next one finds altered.
    built = {name: BuiltArtifact(now, outputs.artifact_signatures(build_dir, name)) for name, now in new.items()}
    signatures = last.signatures if keeps_templates else outputs.template_signatures(build_dir)
    _write_manifest(state, root, signatures, {**kept, **built})


def _build_with_sam(builds: Sequence[StackBuild], root: Path) -> Failures:
    """Build each stack that is stale, or nests one that is, together with all that it nests."""
    families: dict[str, list[StackBuild]] = {}
    for state in builds:
        families.setdefault(stack_builds.family_name(state.stack.name), []).append(state)

    failures: Failures = {}
    for family in families.values():
        if not all(state.is_up_to_date for state in family):
            failures |= _build_family_with_sam(family, root)
    return failures


def _build_family_with_sam(family: Sequence[StackBuild], root: Path) -> Failures:
    """Build a deployed stack and what it nests; return the failure that left out what is not Python."""
    foreign = _foreign(family)
    try:
        _run_sam(family[0], root)
        _record(family, root)
    except ToolError as failure:
        if not foreign:
            raise
        # Whatever stops another builder, such as a program that this machine lacks, must not stop Python.
        _run_sam(family[0], root, excluded=foreign)
        _record(family, root, without=foreign)
        message = f"{failure.message}; everything but {', '.join(foreign)} was built"
        reason = ToolError(message, where=failure.where)
        failures: Failures = {}
        for state in family:
            failures |= {(state.stack.name, name): reason for name in foreign if name in state.artifacts}
        return failures
    return {}


def _foreign(family: Iterable[StackBuild]) -> tuple[str, ...]:
    """Return the logical ids of what only SAM builds."""
    entries = chain.from_iterable(state.stack.skipped for state in family)
    return tuple(entry.logical_id for entry in entries if entry.is_built_by_sam)


def _run_sam(state: StackBuild, root: Path, *, excluded: tuple[str, ...] = ()) -> None:
    build_dir, work = root / state.stack.build_dir, root / ".alchemiser" / "build" / state.stack.name
    with console.progress(f"building {state.stack.name} with sam"):
        out = engines.build_with_sam(state.stack, root, parameters=state.parameters, work=work, excluded=excluded)
    files.replace_tree(out, build_dir)


def _record(family: Iterable[StackBuild], root: Path, *, without: tuple[str, ...] = ()) -> None:
    """Write the manifests of what SAM has built."""
    for state in family:
        whole_build = {"": files.signature(root / state.stack.build_dir)}
        built = {
            decision.logical_id: BuiltArtifact(decision.ingredients, whole_build)
            for decision in state.decisions
            if decision.logical_id not in without
        }
        _write_manifest(state, root, whole_build, built)


def _write_manifest(
    state: StackBuild, root: Path, signatures: Mapping[str, str], built: Mapping[str, BuiltArtifact]
) -> None:
    manifest = Manifest(state.engine.value, state.parameters, state.template, signatures, built)
    manifests.write(root, state.stack.name, manifest)


def _warn_without_bytecode(stale: Iterable[Artifact]) -> None:
    versions = {artifact.version for artifact in stale if bytecode.is_possible(artifact.version)}
    for version in sorted(version for version in versions if bytecode.find_interpreter(version) is None):
        message = f"there is no Python {version} on this machine, so artifacts for it have no bytecode and start slower"
        console.warning(f"{message}; install it and build again with --force")


@contextmanager
def _translate_os_errors() -> Iterator[None]:
    """Raise a ToolError when the machine refuses to read or write, such as a full disk: that is not a bug."""
    try:
        yield
    except OSError as cause:
        if cause.errno not in _FAULTS_OF_MACHINE:
            raise
        message = f"{cause.strerror}; the last build is unchanged; fix the cause and build again"
        raise ToolError(message, where=str(cause.filename or "")) from cause
