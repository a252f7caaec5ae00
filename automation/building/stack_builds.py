"""Read what a build of each stack would do: its artifacts now, its last build, and what differs."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from automation.building import artifacts, engines, manifests, outputs, rebuilds
from automation.building.artifacts import Artifact
from automation.building.engines import Engine
from automation.building.manifests import Manifest
from automation.building.rebuilds import Decision
from automation.project import model, selection
from automation.project.model import Project, Stack
from automation.system import files
from automation.system.errors import AutomationError, ConfigurationError


@dataclass(frozen=True, slots=True)
class StackBuild:
    """One stack now, and its last build.

    Attributes:
        artifacts: all artifacts of the stack, by logical id.
        decisions: one per selected artifact.
        template: the digest of the template, and of which nested ones are built.
        nested: the logical ids of the nested stacks that have a build after this one.
        failures: why artifacts, or nested templates, cannot be read, by logical id.
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
    nested: tuple[str, ...] = ()
    failures: Mapping[str, AutomationError] = field(default_factory=dict)

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
        is_complete = set(self.manifest.artifacts) <= self.names
        return not self.stale and self.has_up_to_date_templates and is_complete

    @property
    def names(self) -> set[str]:
        """Return the logical ids of the stack's artifacts, those that cannot be read included."""
        return {*self.artifacts, *self.failures}

    def is_whole(self, logical_id: str) -> bool:
        """Return whether the last build of an artifact has a zip and was not altered."""
        signatures = self.manifest.artifacts[logical_id].signatures
        return outputs.zip_name(logical_id) in signatures and self._is_unaltered(signatures)

    def _is_unaltered(self, signatures: Mapping[str, str]) -> bool:
        return all(self.signatures.get(name) == signature for name, signature in signatures.items())


def read(
    project: Project,
    parameters: Mapping[str, Mapping[str, str]],
    chosen: selection.Chosen,
    engine: Engine,
    *,
    force: bool = False,
    keeps_going: bool = False,
) -> list[StackBuild]:
    """Read what a build of the chosen artifacts would do, by stack; a stack stands before those that it nests.

    Args:
        keeps_going: leave out what cannot be read, with the reason.

    Raises:
        ConfigurationError, UsageError: as `builder.build`.
    """
    by_stack, root = model.parameters_by_stack(project, parameters), project.root
    selected = {stack.name for stack in selection.stacks(project, chosen)}
    if engine is Engine.SAM:  # it builds a stack and what that nests at once
        families = set(map(family_name, selected))
        selected = {stack.name for stack in project.stacks if family_name(stack.name) in families}
    states: list[StackBuild] = []
    for stack in project.stacks:
        if stack.name in selected:
            options = {"force": force, "keeps_going": keeps_going}
            state = _read_stack(stack, root, by_stack[stack.name], chosen, engine, **options)
            states.append(_with_nested(state, root, selected))
    return states


def family_name(name: str) -> str:
    """Return the name of the deployed stack to which a stack belongs: its own, or that of the one around it."""
    return name.partition("/")[0]


def _with_nested(state: StackBuild, root: Path, selected: Set[str]) -> StackBuild:
    """Note which nested stacks have a build: the built template names those, and the source of the others."""
    stack, folder = state.stack, root / state.stack.build_dir
    nested = tuple(
        name
        for name in stack.nested
        if f"{stack.name}/{name}" in selected or (folder / name / outputs.TEMPLATE).is_file()
    )
    return replace(state, nested=nested, template=files.digest_of([state.template, *nested])) if nested else state


def _read_stack(
    stack: Stack,
    root: Path,
    parameters: Mapping[str, str],
    chosen: selection.Chosen,
    engine: Engine,
    *,
    force: bool,
    keeps_going: bool,
) -> StackBuild:
    own_parameters = _parameters_of_code(stack, parameters)
    resolved, used_parameters = selection.for_architecture(stack, own_parameters, chosen.architecture)
    failures: dict[str, AutomationError] = {}
    on_failure = failures.__setitem__ if keeps_going else None
    for name, failure in _missing_templates(resolved).items():
        if not keeps_going:
            raise failure
        failures[name] = failure
    every_artifact = artifacts.of_stack(resolved, root, with_foreign=engine is Engine.SAM, on_failure=on_failure)
    selected = selection.of_stack(resolved, chosen)
    builder = engines.identify(engine, root)
    ingredients = artifacts.all_ingredients(
        (artifact for artifact in every_artifact if artifact.logical_id in selected),
        builder=builder,
        on_failure=on_failure,
    )

    manifest = manifests.read(root, stack.name)
    signatures = outputs.signatures(root / stack.build_dir, names_of_outputs(manifest))
    return StackBuild(
        stack=resolved,
        engine=engine,
        parameters=used_parameters,
        artifacts={artifact.logical_id: artifact for artifact in every_artifact if artifact.logical_id not in failures},
        decisions=rebuilds.decide(stack.name, ingredients, manifest.artifacts, signatures, force=force),
        template=files.digest((root / stack.template.path).read_bytes()),
        manifest=manifest,
        signatures=signatures,
        failures=failures,
    )


def _missing_templates(stack: Stack) -> dict[str, ConfigurationError]:
    """Return the faults of the nested applications whose template does not exist, by logical id."""
    return {
        entry.logical_id: ConfigurationError(f"it {entry.why}", where=f"{stack.template.path}: {entry.logical_id}")
        for entry in stack.skipped
        if entry.is_fault
    }


def names_of_outputs(manifest: Manifest) -> set[str]:
    """Return the names of the built templates, folders and zips of a stack."""
    return {*manifest.signatures, *chain.from_iterable(built.signatures for built in manifest.artifacts.values())}


def _parameters_of_code(stack: Stack, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that artifacts depend on and whose value is not the template's default."""
    names = selection.parameters_of_code(stack)
    defaults = stack.template.defaults()
    return {name: value for name, value in parameters.items() if name in names and defaults.get(name) != value}
