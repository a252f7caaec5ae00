"""Build the artifacts that are not current, and touch no other.

New artifacts are laid out beside the build and take their places by renames once all are ready, so that an interrupted
or failed build leaves the last good one.
"""

import errno
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
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
from automation.building.manifests import Made, Manifest
from automation.building.rebuilds import Decision
from automation.project import selection
from automation.project.model import Project, Stack
from automation.system import console, files
from automation.system.errors import ToolError

_WAIT_S = 900.0
_MACHINE_FAULTS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EMFILE, errno.EIO}
)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build came to.

    Attributes:
        decisions: one an artifact that was asked for.
        left: how many artifacts were not asked for.
        unknown: functions and layers whose code folder only CloudFormation knows.
    """

    decisions: tuple[Decision, ...]
    left: int
    unknown: tuple[str, ...]
    seconds: float

    @property
    def made(self) -> tuple[Decision, ...]:
        return tuple(one for one in self.decisions if not one.is_current)


@dataclass(frozen=True, slots=True)
class _Job:
    """One stack as it is and as it was built."""

    stack: Stack
    engine: str
    parameters: Mapping[str, str]
    artifacts: Mapping[str, Artifact]
    decisions: tuple[Decision, ...]
    template: str
    manifest: Manifest
    looks: Mapping[str, str]

    @property
    def stale(self) -> tuple[Decision, ...]:
        return tuple(one for one in self.decisions if not one.is_current)

    @property
    def templates_stand(self) -> bool:
        """Whether the built templates are of this template, and as they were written."""
        looks = self.manifest.looks
        same = self.template == self.manifest.template and self.manifest.engine == self.engine
        return same and all(self.looks.get(name) == one for name, one in looks.items())

    @property
    def is_current(self) -> bool:
        return not self.stale and self.templates_stand and set(self.manifest.artifacts) <= set(self.artifacts)


def build(
    project: Project,
    *,
    parameters: Mapping[str, Mapping[str, str]] | None = None,
    chosen: selection.Chosen = selection.EVERYTHING,
    force: bool = False,
    engine: Engine = Engine.UV,
) -> Built:
    """Build what is not current.

    Args:
        parameters: values for template parameters, by stack; those that no artifact depends on are ignored.
        chosen: the artifacts to look at; those not chosen stay as they are.

    Raises:
        ConfigurationError: something to build is absent, or cannot be known from the template.
        UsageError: something chosen does not exist.
        ToolError: a requirement could not be installed, the machine refused to write, or the engine's tool failed.
    """
    started, root = time.monotonic(), project.root
    look = partial(_jobs, project, parameters or {}, chosen, engine, force=force)
    with _told_plainly():
        jobs = look()
        if not all(job.is_current for job in jobs):
            with files.lock(root / ".alchemiser" / "build.lock", wait_s=_WAIT_S, doing="building"):
                if any(manifests.read(root, job.stack.name) != job.manifest for job in jobs):
                    jobs = look()
                _build([job for job in jobs if not job.is_current], root, engine, force=force)
    return _summary(jobs, time.monotonic() - started)


def note_if_up_to_date(project: Project, built: Built) -> None:
    """Note that everything stands, after a build that had nothing to do.

    Only where all that it depends on lies in folders and files of the project. What the note tells is looked at again
    once it is written: a file saved since the build must not pass as built.
    """
    root = project.root
    found = [one for stack in project.stacks for one in artifacts.of_stack(stack, root)]
    tops = {Path(os.path.normpath(one.called)).parts[:1] for one in found}
    own = {f"{sys.version_info.major}.{sys.version_info.minor}", ""}
    if (
        built.made
        or built.unknown
        or built.left
        or tops & {(), ("..",), ("/",)}
        or not {one.version for one in found} <= own
    ):
        return
    read = {"pyproject.toml", *(top for (top,) in tops), *([project.package] if project.package else [])}
    made: set[str] = set()
    for stack in project.stacks:
        manifest = manifests.read(root, stack.name)
        read |= {stack.template.path, str(manifests.path_of(root, stack.name).relative_to(root))}
        names = {*manifest.looks, *(name for one in manifest.artifacts.values() for name in one.looks)}
        made |= {f"{stack.build_dir}/{name}" for name in names}
    for lock in {lock for one in found if one.lock for lock in sources.lock_files(one.lock)}:
        read.add(os.path.relpath(lock, root))
    up_to_date.write(root, read=read, built=made, artifacts=len(built.decisions))
    jobs = _jobs(project, {}, selection.EVERYTHING, Engine.UV)
    if not (source_copies.gather(project).is_empty and all(job.is_current for job in jobs)):
        up_to_date.forget(root)


def build_parameters(stack: Stack, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters that artifacts depend on and whose value is not the template's default."""
    names = selection.parameters_of_code(stack)
    defaults = stack.template.defaults()
    return {name: value for name, value in parameters.items() if name in names and defaults.get(name) != value}


def _summary(jobs: Sequence[_Job], seconds: float) -> Built:
    decisions = tuple(decision for job in jobs for decision in job.decisions)
    left = sum(len(job.artifacts) - len(job.decisions) for job in jobs)
    return Built(decisions, left, tuple(name for job in jobs for name in artifacts.unknown(job.stack)), seconds)


def _jobs(
    project: Project,
    parameters: Mapping[str, Mapping[str, str]],
    chosen: selection.Chosen,
    engine: Engine,
    *,
    force: bool = False,
) -> list[_Job]:
    stacks = selection.stacks(project, chosen)
    return [_job(one, project.root, parameters.get(one.name, {}), chosen, engine, force=force) for one in stacks]


def _job(
    stack: Stack, root: Path, given: Mapping[str, str], chosen: selection.Chosen, engine: Engine, *, force: bool
) -> _Job:
    resolved, parameters = selection.for_architecture(stack, build_parameters(stack, given), chosen.architecture)
    manifest = manifests.read(root, stack.name)
    found = {one.logical_id: one for one in artifacts.of_stack(resolved, root)}
    builder = engines.builder(engine, root)
    wanted = selection.of_stack(resolved, chosen) & set(found)
    now = {name: artifacts.ingredients(one, builder=builder) for name, one in found.items() if name in wanted}
    names = {name for made in manifest.artifacts.values() for name in made.looks}
    looks = outputs.signatures(root / stack.build_dir, [*names, *manifest.looks])
    decisions = rebuilds.decide(stack.name, now, manifest.artifacts, looks, force=force)
    template = files.digest((root / stack.template.path).read_bytes())
    return _Job(resolved, engine.value, parameters, found, decisions, template, manifest, looks)


def _build(stale: Sequence[_Job], root: Path, engine: Engine, *, force: bool) -> None:
    if engine is Engine.SAM:
        _build_with_sam(stale, root)
    else:
        _build_with_uv(stale, root, force=force)


def _build_with_uv(stale: Sequence[_Job], root: Path, *, force: bool) -> None:
    place = root / ".alchemiser" / "artifacts"
    wanted = {one.ingredients.fingerprint: job.artifacts[one.logical_id] for job in stale for one in job.stale}
    if wanted:
        _tell_of_bytecode(wanted.values())
        with console.steps("building", len(wanted)) as advance:
            store.make_all(wanted, place, afresh=force, like=_alike(stale), advance=advance)
    for job in stale:
        _publish(job, root, place)
    if wanted:
        used = [
            made.ingredients.fingerprint
            for job in stale
            for made in manifests.read(root, job.stack.name).artifacts.values()
        ]
        store.forget(place, keep=used)


def _alike(stale: Iterable[_Job]) -> dict[str, str]:
    """By fingerprint of an artifact to make that of its last build, where only its files are others."""
    pairs = [(one.ingredients, job.manifest.artifacts.get(one.logical_id)) for job in stale for one in job.stale]
    return {
        now.fingerprint: made.ingredients.fingerprint
        for now, made in pairs
        if made is not None and made.ingredients.settings == now.settings
    }


def _publish(job: _Job, root: Path, place: Path) -> None:
    """Lay the new artifacts out, exchange them for the old ones, and write down what the build is made of."""
    build_dir, before = root / job.stack.build_dir, job.manifest
    made = {one.logical_id: store.at(place, one.ingredients.fingerprint) for one in job.stale}
    kept = {name: one for name, one in before.artifacts.items() if name in job.artifacts and name not in made}
    kept = {name: one for name, one in kept.items() if _stands(job, name)}
    is_told = job.templates_stand and {*made, *kept} == set(before.artifacts)
    staged = build_dir.with_name(f".{build_dir.name}.new")
    try:
        outputs.stage(staged, made)
        if not is_told:
            outputs.write_templates(job.stack, root, (*made, *kept), staged)
        outputs.exchange(staged, build_dir, made=made, kept=kept)
    finally:
        files.remove(staged)
    new = {one.logical_id: Made(one.ingredients, outputs.looks(build_dir, one.logical_id)) for one in job.stale}
    looks = before.looks if is_told else outputs.looks_of_templates(build_dir)
    manifest = Manifest(job.engine, job.parameters, job.template, looks, {**kept, **new})
    manifests.write(root, job.stack.name, manifest)


def _stands(job: _Job, logical_id: str) -> bool:
    looks = job.manifest.artifacts[logical_id].looks
    return outputs.zip_name(logical_id) in looks and all(job.looks.get(name) == one for name, one in looks.items())


def _build_with_sam(stale: Sequence[_Job], root: Path) -> None:
    for job in stale:
        build_dir, work = root / job.stack.build_dir, root / ".alchemiser" / "build" / job.stack.name
        with console.progress(f"building {job.stack.name} with sam"):
            out = engines.make_with_sam(job.stack, root, parameters=job.parameters, work=work)
        files.replace_tree(out, build_dir)
        whole = {"": files.signature(build_dir)}
        made = {one.logical_id: Made(one.ingredients, whole) for one in job.decisions}
        manifests.write(root, job.stack.name, Manifest(job.engine, job.parameters, job.template, whole, made))


def _tell_of_bytecode(wanted: Iterable[Artifact]) -> None:
    missing = sorted({one.version for one in wanted if one.version and bytecode.interpreter(one.version) is None})
    for version in missing:
        message = f"there is no Python {version} on this machine, so artifacts for it have no bytecode and start slower"
        console.warning(f"{message}; install it and build again with --force")


@contextmanager
def _told_plainly() -> Iterator[None]:
    """What the machine refuses is no bug of ours."""
    try:
        yield
    except OSError as cause:
        if cause.errno not in _MACHINE_FAULTS:
            raise
        message = f"{cause.strerror}; the last build is as it was; mend that, and build again"
        raise ToolError(message, where=str(cause.filename or "")) from cause
