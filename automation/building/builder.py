"""Build the stale artifacts of a project, and touch nothing else.

New artifacts are laid out beside the build and move into it by renames once all are ready, so that an interrupted or
failed build leaves the last good one.
"""

import errno
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from automation.building import (
    artifacts,
    bytecode,
    engines,
    manifests,
    outputs,
    rebuilds,
    source_copies,
    sources,
    store,
    up_to_date,
)
from automation.building.artifacts import Artifact
from automation.building.engines import Engine
from automation.building.manifests import BuiltArtifact, Manifest
from automation.building.rebuilds import Decision
from automation.project import selection
from automation.project.model import Project, Stack
from automation.project.settings import PYPROJECT
from automation.system import console, files, tools
from automation.system.errors import ToolError

_WAIT_S = 900.0
_FAULTS_OF_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EMFILE, errno.EIO}
)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The result of a build.

    Attributes:
        decisions: one per selected artifact.
        not_selected: the number of artifacts that were not selected.
        unknown_code: functions and layers whose code path is only known at deploy time.
    """

    decisions: tuple[Decision, ...]
    not_selected: int
    unknown_code: tuple[str, ...]
    seconds: float

    @property
    def rebuilt(self) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if not decision.is_up_to_date)


@dataclass(frozen=True, slots=True)
class _StackBuild:
    """One stack now, and its last build.

    Attributes:
        artifacts: all artifacts of the stack, by logical id.
        decisions: one per selected artifact.
        template: the digest of the template.
        signatures: of the outputs of the last build as they are now, by their names in the build.
    """

    stack: Stack
    engine: Engine
    parameters: Mapping[str, str]
    artifacts: Mapping[str, Artifact]
    decisions: tuple[Decision, ...]
    template: str
    manifest: Manifest
    signatures: Mapping[str, str]

    @property
    def stale(self) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if not decision.is_up_to_date)

    @property
    def has_up_to_date_templates(self) -> bool:
        """Return whether the built templates come from this template and were not altered."""
        is_same = self.template == self.manifest.template and self.manifest.engine == self.engine.value
        return is_same and self._is_unaltered(self.manifest.signatures)

    @property
    def is_up_to_date(self) -> bool:
        is_complete = set(self.manifest.artifacts) <= set(self.artifacts)
        return not self.stale and self.has_up_to_date_templates and is_complete

    def is_whole(self, logical_id: str) -> bool:
        """Return whether the last build of an artifact has a zip and was not altered."""
        signatures = self.manifest.artifacts[logical_id].signatures
        return outputs.zip_name(logical_id) in signatures and self._is_unaltered(signatures)

    def _is_unaltered(self, signatures: Mapping[str, str]) -> bool:
        return all(self.signatures.get(name) == signature for name, signature in signatures.items())


def build(
    project: Project,
    *,
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    chosen: selection.Chosen = selection.EVERYTHING,
    force: bool = False,
    engine: Engine = Engine.UV,
) -> BuildResult:
    """Build the stale artifacts.

    Args:
        parameters: values for template parameters, by stack; those that no artifact depends on are ignored.
        chosen: the artifacts to consider; all others stay as they are.
        force: build what is up to date, too.

    Raises:
        ConfigurationError: a file to build is missing, or a property is only known at deploy time.
        UsageError: a chosen artifact, stack or architecture does not exist.
        ToolError: a requirement could not be installed, the machine refused to write, or SAM failed.
    """
    started, root = time.monotonic(), project.root
    with _translate_os_errors():
        builds = _read_state(project, parameters or {}, chosen, engine, force=force)
        if not all(state.is_up_to_date for state in builds):
            with files.lock(root / ".alchemiser" / "build.lock", wait_s=_WAIT_S, doing="building"):
                # Another process may have finished this build while we waited for the lock.
                if any(manifests.read(root, state.stack.name) != state.manifest for state in builds):
                    builds = _read_state(project, parameters or {}, chosen, engine, force=force)
                _build([state for state in builds if not state.is_up_to_date], root, engine, force=force)
    return _result(builds, time.monotonic() - started)


def note_if_up_to_date(project: Project, result: BuildResult) -> None:
    """Write the note that everything is up to date, after a build of everything that had nothing to do.

    No note is written unless everything that the build reads lies in folders and files of the project.
    """
    root = project.root
    every_artifact = list(chain.from_iterable(artifacts.of_stack(stack, root) for stack in project.stacks))
    tops = {Path(os.path.normpath(artifact.folder)).parts[:1] for artifact in every_artifact}
    is_within_folders = not tops & {(), ("..",), ("/",)}
    is_own_python = {artifact.version for artifact in every_artifact} <= {tools.own_python_version(), ""}
    is_complete = not (result.rebuilt or result.unknown_code or result.not_selected)
    if not (is_complete and is_within_folders and is_own_python):
        return

    read = {*_inputs(project, every_artifact), *chain.from_iterable(tops)}
    up_to_date.write_note(root, read=read, built=_outputs(project), artifacts=len(result.decisions))

    # Checked after the note is written: a file saved since the build must not pass as built.
    builds = _read_state(project, {}, selection.EVERYTHING, Engine.UV)
    if not (source_copies.make_plan(project).is_empty and all(state.is_up_to_date for state in builds)):
        up_to_date.remove_note(root)


def build_parameters(stack: Stack, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that artifacts depend on and whose value is not the template's default."""
    names = selection.parameters_of_code(stack)
    defaults = stack.template.defaults()
    return {name: value for name, value in parameters.items() if name in names and defaults.get(name) != value}


def _inputs(project: Project, every_artifact: Iterable[Artifact]) -> set[str]:
    """Return the files and folders that a build reads beside the code folders, relative to the root."""
    root = project.root
    names = {PYPROJECT, *([project.settings.package] if project.settings.package else [])}
    for stack in project.stacks:
        names |= {stack.template.path, str(manifests.path_of(root, stack.name).relative_to(root))}
    for artifact in every_artifact:
        names |= {os.path.relpath(lock, root) for lock in (sources.lock_files(artifact.lock) if artifact.lock else ())}
    return names


def _outputs(project: Project) -> set[str]:
    """Return the files and folders that the last build wrote, relative to the root."""
    paths: set[str] = set()
    for stack in project.stacks:
        manifest = manifests.read(project.root, stack.name)
        paths |= {f"{stack.build_dir}/{name}" for name in _names_of_outputs(manifest)}
    return paths


def _names_of_outputs(manifest: Manifest) -> set[str]:
    """Return the names of the built templates, folders and zips of a stack."""
    return {*manifest.signatures, *chain.from_iterable(built.signatures for built in manifest.artifacts.values())}


def _result(builds: Sequence[_StackBuild], seconds: float) -> BuildResult:
    return BuildResult(
        decisions=tuple(chain.from_iterable(state.decisions for state in builds)),
        not_selected=sum(len(state.artifacts) - len(state.decisions) for state in builds),
        unknown_code=tuple(chain.from_iterable(artifacts.unknown_code(state.stack) for state in builds)),
        seconds=seconds,
    )


def _read_state(
    project: Project,
    parameters: Mapping[str, Mapping[str, str]],
    chosen: selection.Chosen,
    engine: Engine,
    *,
    force: bool = False,
) -> list[_StackBuild]:
    return [
        _read_stack(stack, project.root, parameters.get(stack.name, {}), chosen, engine, force=force)
        for stack in selection.stacks(project, chosen)
    ]


def _read_stack(
    stack: Stack, root: Path, parameters: Mapping[str, str], chosen: selection.Chosen, engine: Engine, *, force: bool
) -> _StackBuild:
    own_parameters = build_parameters(stack, parameters)
    resolved, used_parameters = selection.for_architecture(stack, own_parameters, chosen.architecture)
    by_id = {artifact.logical_id: artifact for artifact in artifacts.of_stack(resolved, root)}
    selected = selection.of_stack(resolved, chosen)
    builder = engines.identify(engine, root)
    ingredients = {
        name: artifacts.ingredients(artifact, builder=builder) for name, artifact in by_id.items() if name in selected
    }

    manifest = manifests.read(root, stack.name)
    signatures = outputs.signatures(root / stack.build_dir, _names_of_outputs(manifest))
    return _StackBuild(
        stack=resolved,
        engine=engine,
        parameters=used_parameters,
        artifacts=by_id,
        decisions=rebuilds.decide(stack.name, ingredients, manifest.artifacts, signatures, force=force),
        template=files.digest((root / stack.template.path).read_bytes()),
        manifest=manifest,
        signatures=signatures,
    )


def _build(builds: Sequence[_StackBuild], root: Path, engine: Engine, *, force: bool) -> None:
    if engine is Engine.SAM:
        _build_with_sam(builds, root)
    else:
        _build_with_uv(builds, root, force=force)


def _build_with_uv(builds: Sequence[_StackBuild], root: Path, *, force: bool) -> None:
    store_dir = root / ".alchemiser" / "artifacts"
    stale: dict[str, Artifact] = {}
    for state in builds:
        stale |= {decision.ingredients.fingerprint: state.artifacts[decision.logical_id] for decision in state.stale}

    if stale:
        _warn_without_bytecode(stale.values())
        with console.steps("building", len(stale)) as advance:
            store.build_missing(stale, store_dir, force=force, similar=_similar(builds), on_built=advance)
    for state in builds:
        _publish(state, root, store_dir)
    if stale:
        used: set[str] = set()
        for state in builds:
            built = manifests.read(root, state.stack.name).artifacts.values()
            used |= {artifact.ingredients.fingerprint for artifact in built}
        store.remove_unused(store_dir, keep=used)


def _similar(builds: Iterable[_StackBuild]) -> dict[str, str]:
    """Map an artifact's new fingerprint to that of its last build, if only its files have changed since."""
    similar: dict[str, str] = {}
    for state in builds:
        for decision in state.stale:
            last = state.manifest.artifacts.get(decision.logical_id)
            if last is not None and last.ingredients.settings == decision.ingredients.settings:
                similar[decision.ingredients.fingerprint] = last.ingredients.fingerprint
    return similar


def _publish(state: _StackBuild, root: Path, store_dir: Path) -> None:
    """Lay out the new artifacts of a stack, move them into the build, and write the manifest."""
    build_dir, last = root / state.stack.build_dir, state.manifest
    new = {decision.logical_id: decision.ingredients for decision in state.stale}
    kept = {
        name: artifact
        for name, artifact in last.artifacts.items()
        if name in state.artifacts and name not in new and state.is_whole(name)
    }
    keeps_templates = state.has_up_to_date_templates and {*new, *kept} == set(last.artifacts)

    staged = build_dir.with_name(f".{build_dir.name}.new")
    try:
        outputs.stage(staged, {name: store.locate(store_dir, now.fingerprint) for name, now in new.items()})
        if not keeps_templates:
            outputs.write_templates(state.stack, root, (*new, *kept), staged)
        outputs.swap_in(staged, build_dir, new=new, kept=kept)
    finally:
        files.remove(staged)

    # The manifest last: a process killed before this line leaves a build that the next one finds altered.
    built = {name: BuiltArtifact(now, outputs.artifact_signatures(build_dir, name)) for name, now in new.items()}
    signatures = last.signatures if keeps_templates else outputs.template_signatures(build_dir)
    _write_manifest(state, root, signatures, {**kept, **built})


def _build_with_sam(builds: Sequence[_StackBuild], root: Path) -> None:
    for state in builds:
        build_dir, work = root / state.stack.build_dir, root / ".alchemiser" / "build" / state.stack.name
        with console.progress(f"building {state.stack.name} with sam"):
            out = engines.build_with_sam(state.stack, root, parameters=state.parameters, work=work)
        files.replace_tree(out, build_dir)

        whole_build = {"": files.signature(build_dir)}
        built = {decision.logical_id: BuiltArtifact(decision.ingredients, whole_build) for decision in state.decisions}
        _write_manifest(state, root, whole_build, built)


def _write_manifest(
    state: _StackBuild, root: Path, signatures: Mapping[str, str], built: Mapping[str, BuiltArtifact]
) -> None:
    manifest = Manifest(state.engine.value, state.parameters, state.template, signatures, built)
    manifests.write(root, state.stack.name, manifest)


def _warn_without_bytecode(stale: Iterable[Artifact]) -> None:
    versions = {artifact.version for artifact in stale if artifact.version}
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
