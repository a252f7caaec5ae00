"""Rules about files that two layers of a function both have: at /opt the later layer's file wins."""

import filecmp
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from automation.lambda_runtime.paths import LAYER_MODULES
from automation.proof import built_trees, requirement_files
from automation.proof.built_trees import BuiltTree, Distribution
from automation.proof.model import Fault, Rule, Subject

# Folders of /opt that are on a search path; nothing reads the others.
_MOUNTED = frozenset({LAYER_MODULES, "lib", "bin", "extensions"})
_UNREAD_NAMES = frozenset({"requirements.txt", "requirements.in"})
_UNREAD_SUFFIXES = frozenset({".pyc", ".pyi", ".md", ".rst", ".txt"})


@dataclass(frozen=True)
class _Pair:
    """Two layers in the order they are mounted, and the functions that mount them so."""

    earlier: BuiltTree
    later: BuiltTree
    functions: tuple[str, ...]

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

    def _is_same(self, path: PurePosixPath) -> bool:
        first, second = self.earlier.folder / path, self.later.folder / path
        return first.is_file() and second.is_file() and filecmp.cmp(first, second, shallow=False)


def check_conflict(subject: Subject) -> Iterator[Fault]:
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
            file = requirement_files.of_tree(pair.later, subject.project.root)
            names = sorted({pair.later.owners[path.as_posix()].name for path in hidden})
            fix = f"rename the module, or {file.remove(*names)}"
            yield Fault(pair.where, what, fix, explains=pair.later.modules(hidden))


def _pairs(subject: Subject) -> list[_Pair]:
    known = {(tree.stack.name, tree.owner.logical_id): tree for tree in subject.built_trees}
    users: dict[tuple[str, str, str], list[str]] = {}
    for mount in subject.mounts:
        names = [layer.logical_id for layer in mount.layers if (mount.stack.name, layer.logical_id) in known]
        for number, first in enumerate(names):
            for second in names[number + 1 :]:
                users.setdefault((mount.stack.name, first, second), []).append(mount.function.logical_id)

    return [
        _Pair(known[stack, first], known[stack, second], tuple(functions))
        for (stack, first, second), functions in users.items()
    ]


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

    locks = sorted({pair.earlier.lock for pair in pairs} | {pair.later.lock for pair in pairs})
    fix = f"keep {first.name} in one layer, or lock the same version in {built_trees.abbreviate(locks, 9)}"
    functions = sorted(set(chain.from_iterable(pair.functions for pair in pairs)))
    where = f"{pairs[0].later.stack.template.path}: {built_trees.abbreviate(functions)}"
    explains = built_trees.module_names(PurePosixPath(path) for path in first.listed | second.listed)
    return Fault(where, what, fix, explains=explains)


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
        yield Fault(pair.where, what, fix, explains=pair.later.modules(paths))


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
)
