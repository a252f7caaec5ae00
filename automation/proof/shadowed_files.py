"""Rules about files that two layers of a function both have: at /opt the later layer's file wins."""

import filecmp
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations
from pathlib import PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from automation.lambda_runtime.paths import LAYER_MODULES
from automation.project import alternatives
from automation.proof import built_trees, requirement_files
from automation.proof.built_trees import BuiltTree, Distribution
from automation.proof.evidence import Evidence
from automation.proof.imports import ImportResult
from automation.proof.model import Fault, Rule, Severity, Subject

# Folders of /opt that are on a search path; nothing reads the others.
_MOUNTED = frozenset({LAYER_MODULES, "lib", "bin", "extensions"})
_UNREAD_NAMES = frozenset({"requirements.txt", "requirements.in"})
_UNREAD_SUFFIXES = frozenset({".pyc", ".pyi", ".md", ".rst", ".txt"})


@dataclass(frozen=True)
class _Pair:
    """Two layers in the order they are mounted, and the functions that mount them so.

    Attributes:
        evidence: what is known of these functions.
        trees: every tree of these functions.
    """

    earlier: BuiltTree
    later: BuiltTree
    functions: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    trees: tuple[BuiltTree, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.later.stack.template.path}: {built_trees.abbreviate(self.functions)}"

    def differing(self) -> list[PurePosixPath]:
        """Return the paths that both layers have with different bytes, where something reads them."""
        both = set(self.earlier.paths) & set(self.later.paths)
        return sorted(path for path in both if _is_read(path) and not self._is_same(path))

    def two_versions(self) -> list[tuple[Distribution, Distribution]]:
        """Return the distributions that the layers have in different versions."""
        later = {distribution.name: distribution for distribution in self.later.distributions}
        both = [(first, later[first.name]) for first in self.earlier.distributions if first.name in later]
        return [(first, second) for first, second in both if first.version != second.version]

    def hides_own_module(self, path: PurePosixPath) -> bool:
        """Return whether a distribution of the later layer hides a file that the project itself wrote."""
        return path.as_posix() in self.later.owners and path.as_posix() not in self.earlier.owners

    def fails_in(self, modules: Collection[str]) -> bool:
        """Return whether an import fails in one of these modules, or because of what one lacks."""
        failed = (entry.imported for entry in self.evidence if entry.has_failed and entry.imported is not None)
        return any(result.name in modules or self._is_about(result, modules) for result in failed)

    def broken_requirement(self, first: Distribution, second: Distribution) -> str:
        """Return what a function imports and requires, met by the earlier version and not the later; empty for none."""
        for tree in self.trees:
            for requirer in filter(self._is_imported, tree.distributions):
                for requirement in built_trees.requirements(requirer.requires, self.later.platforms[0].minor):
                    is_about = canonicalize_name(requirement.name) == first.name
                    if is_about and _separates(requirement, first, second):
                        return (
                            f"{requirer} of {tree.owner.logical_id} requires {requirement.name}{requirement.specifier}"
                        )
        return ""

    def _is_imported(self, distribution: Distribution) -> bool:
        """Return whether a function certainly imports a distribution, of which its trees have no other version."""
        same_name = chain.from_iterable(tree.distributions for tree in self.trees)
        versions = {entry.version for entry in same_name if entry.name == distribution.name}
        modules = built_trees.module_names(map(PurePosixPath, distribution.listed))
        return len(versions) == 1 and any(entry.imports(frozenset(modules)) for entry in self.evidence)

    def _is_about(self, result: ImportResult, modules: Collection[str]) -> bool:
        in_trees = [*self._modules_of(result, self.earlier), *self._modules_of(result, self.later)]
        return bool(set(in_trees) & set(modules)) or any(f"'{module}'" in result.text for module in modules)

    def _modules_of(self, result: ImportResult, tree: BuiltTree) -> tuple[str, ...]:
        """Return the modules of a tree in which an import fails."""
        folder = tree.folder.resolve()
        files = (frame.file for frame in result.stack if frame.file.is_relative_to(folder))
        return tree.modules(PurePosixPath(file.relative_to(folder).as_posix()) for file in files)

    def _is_same(self, path: PurePosixPath) -> bool:
        first, second = self.earlier.folder / path, self.later.folder / path
        return first.is_file() and second.is_file() and filecmp.cmp(first, second, shallow=False)


def check_conflict(subject: Subject) -> Iterator[Fault]:
    """Yield what the later layer replaces, as an error where an import or a requirement fails because of it."""
    pairs = _pairs(subject)
    yield from _version_faults(pairs)
    for pair in pairs:
        yield from _file_faults(pair, reported={first.name for first, _ in pair.two_versions()})


def check_order(subject: Subject) -> Iterator[Fault]:
    for pair in _pairs(subject):
        hidden = [path for path in pair.differing() if pair.hides_own_module(path)]
        if hidden:
            by = sorted({str(pair.later.owners[path.as_posix()]) for path in hidden})
            first, second = pair.earlier.owner.logical_id, pair.later.owner.logical_id
            later_names, hidden_names = built_trees.abbreviate(by), built_trees.abbreviate(hidden)
            what = f"{second} is mounted after {first}, and its {later_names} hides {hidden_names}"
            owners = dict.fromkeys(pair.later.owners[path.as_posix()] for path in hidden)
            remove = requirement_files.remove_from(pair.later, list(owners), subject.project.root)
            fix = f"rename the module, or {remove}"
            yield Fault(pair.where, what, fix, explains=pair.later.modules(hidden))


def check_undecided(subject: Subject) -> Iterator[Fault]:
    for pair in _pairs(subject, are_alternatives=True):
        if differing := pair.differing():
            first, second = pair.earlier.owner.logical_id, pair.later.owner.logical_id
            what = f"mounts {first} or {second}, as a condition decides at deploy time, and these have different "
            what += f"{built_trees.abbreviate(differing)}; the import was tried with that of {second}"
            yield Fault(pair.where, what, _fix_of_undecided(pair), Severity.WARNING)


def _fix_of_undecided(pair: _Pair) -> str:
    stack = pair.later.stack
    users = (function for function in stack.functions if function.logical_id in pair.functions)
    layers = [stack.template.globals.get("Function"), *(function.properties.get("Layers") for function in users)]
    parameters = alternatives.deciding_parameters(layers, stack.template, stack.parameters)
    if not parameters:
        return "give the files the same content, or different names"
    return f"give the parameter {parameters[0]} a value in samconfig.toml, or a Default, and run inv build"


def _pairs(subject: Subject, *, are_alternatives: bool = False) -> list[_Pair]:
    """Return the layers that a function mounts together, two at a time; or those between which a condition chooses."""
    known = {(tree.stack.name, tree.owner.logical_id): tree for tree in subject.built_trees}
    users: dict[tuple[str, str, str], list[str]] = {}
    for mount in subject.mounts:
        names = [layer.logical_id for layer in mount.layers if (mount.stack.name, layer.logical_id) in known]
        variants = [{layer.logical_id for layer in variant} for variant in mount.variants]
        for first, second in combinations(names, 2):
            are_together = any({first, second} <= variant for variant in variants)
            if are_together is not are_alternatives:
                users.setdefault((mount.stack.name, first, second), []).append(mount.function.logical_id)

    return [
        _pair(known[stack, first], known[stack, second], functions, subject)
        for (stack, first, second), functions in users.items()
    ]


def _pair(earlier: BuiltTree, later: BuiltTree, functions: list[str], subject: Subject) -> _Pair:
    stack = later.stack.name
    evidence = (subject.evidence_of.get((stack, function)) for function in functions)
    known = tuple(entry for entry in evidence if entry is not None)
    return _Pair(earlier, later, tuple(functions), known, _trees_of(functions, stack, subject))


def _trees_of(functions: list[str], stack: str, subject: Subject) -> tuple[BuiltTree, ...]:
    """Return the trees that functions mount."""
    names = set(functions)
    for mount in subject.mounts:
        if mount.stack.name == stack and mount.function.logical_id in functions:
            names |= {layer.logical_id for layer in mount.layers}
    return tuple(tree for tree in subject.built_trees if tree.stack.name == stack and tree.owner.logical_id in names)


def _version_faults(pairs: list[_Pair]) -> Iterator[Fault]:
    """Yield one fault per pair of versions in a template, however many layers have them."""
    pairs_by_versions: dict[tuple[str, str, str], list[_Pair]] = {}
    versions: dict[tuple[str, str, str], tuple[Distribution, Distribution]] = {}
    for pair in pairs:
        for first, second in pair.two_versions():
            key = (pair.later.stack.name, str(first), str(second))
            pairs_by_versions.setdefault(key, []).append(pair)
            versions.setdefault(key, (first, second))
    for key, group in pairs_by_versions.items():
        yield _version_fault(group, *versions[key])


def _version_fault(pairs: list[_Pair], first: Distribution, second: Distribution) -> Fault:
    earlier = built_trees.abbreviate(sorted({pair.earlier.owner.logical_id for pair in pairs}))
    later = built_trees.abbreviate(sorted({pair.later.owner.logical_id for pair in pairs}))
    what = f"{second} of {later} is mounted over {first} of {earlier}: the function runs a mixture of both"
    broken = next((text for pair in pairs if (text := pair.broken_requirement(first, second))), "")
    what += f", and {broken}" if broken else ""

    locks = sorted({pair.earlier.lock for pair in pairs} | {pair.later.lock for pair in pairs})
    fix = f"keep {first.name} in one layer, or lock the same version in {built_trees.abbreviate(locks, 9)}"
    functions = sorted(set(chain.from_iterable(pair.functions for pair in pairs)))
    where = f"{pairs[0].later.stack.template.path}: {built_trees.abbreviate(functions)}"
    explains = built_trees.module_names(PurePosixPath(path) for path in first.listed | second.listed)
    is_certain = bool(broken) or any(pair.fails_in(explains) for pair in pairs)
    return _weighed(Fault(where, what, fix, explains=explains), is_certain=is_certain)


def _weighed(fault: Fault, *, is_certain: bool) -> Fault:
    """Return a fault as a warning, which explains no failing import, unless it is certain."""
    return fault if is_certain else replace(fault, severity=Severity.WARNING, explains=())


def _separates(requirement: Requirement, first: Distribution, second: Distribution) -> bool:
    return built_trees.allows(requirement, first.version) and not built_trees.allows(requirement, second.version)


def _file_faults(pair: _Pair, *, reported: set[str]) -> Iterator[Fault]:
    """Yield one fault per pair of owners; `layer-order` reports the files that hide the project's own."""
    paths_by_owners: dict[tuple[str, str], list[PurePosixPath]] = {}
    for path in pair.differing():
        owners = [pair.earlier.owners.get(path.as_posix()), pair.later.owners.get(path.as_posix())]
        is_reported = any(owner.name in reported for owner in owners if owner)
        if not pair.hides_own_module(path) and not is_reported:
            first, second = (str(owner or "no distribution") for owner in owners)
            paths_by_owners.setdefault((first, second), []).append(path)

    for (first, second), paths in paths_by_owners.items():
        what = (
            f"{pair.later.owner.logical_id} (from {second}) replaces files of {pair.earlier.owner.logical_id} "
            f"(from {first}) by different ones: {built_trees.abbreviate(paths)}"
        )
        fix = "keep the file in one layer, or make both the same"
        modules = pair.later.modules(paths)
        yield _weighed(Fault(pair.where, what, fix, explains=modules), is_certain=pair.fails_in(modules))


def _is_read(path: PurePosixPath) -> bool:
    is_metadata = any(part.endswith((".dist-info", ".egg-info")) for part in path.parts)
    is_unread = path.name in _UNREAD_NAMES or path.suffix in _UNREAD_SUFFIXES
    return path.parts[0] in _MOUNTED and not (is_metadata or is_unread)


RULES: tuple[Rule, ...] = (
    Rule(
        "layer-conflict",
        "Two layers of a function have no different files at the same path",
        "The later layer's file replaces the earlier one's, so one of the two libraries runs with the other's files.",
        check_conflict,
    ),
    Rule(
        "layer-order",
        "No later layer hides the project's own modules",
        "The later layer wins, so a dependency's module at the same path is imported instead of the project's.",
        check_order,
    ),
    Rule(
        "layer-undecided",
        "Layers between which a condition chooses have no different files at the same path",
        "The proof imports the code with one of the layers, and the deployment may mount the other one.",
        check_undecided,
    ),
)
