"""Rules about what two layers of a function both hold: at /opt the later one's file takes the earlier one's place."""

import filecmp
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from automation.proof import places
from automation.proof.model import Fault, Rule, Subject
from automation.proof.places import Distribution, Place

# What is on a path at /opt; anything else that lies there is read by nobody.
_MOUNTED = frozenset({"python", "lib", "bin", "extensions"})
_UNREAD_NAMES = frozenset({"requirements.txt", "requirements.in"})
_UNREAD_SUFFIXES = frozenset({".pyc", ".pyi", ".md", ".rst", ".txt"})


@dataclass(frozen=True)
class _Pair:
    """Two layers of a function, in the order they are mounted, and the functions that have them so."""

    earlier: Place
    later: Place
    functions: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{self.later.stack.template.path}: {places.some(self.functions)}"

    def differing(self) -> list[PurePosixPath]:
        """The paths that both hold and not with the same bytes, where somebody reads them."""
        both = set(self.earlier.paths) & set(self.later.paths)
        return sorted(path for path in both if _is_read(path) and not self._is_same(path))

    def _is_same(self, path: PurePosixPath) -> bool:
        first, second = self.earlier.tree / path, self.later.tree / path
        return first.is_file() and second.is_file() and filecmp.cmp(first, second, shallow=False)


def check_conflict(subject: Subject) -> Iterator[Fault]:
    pairs = _pairs(subject)
    yield from _version_faults(pairs)
    for pair in pairs:
        yield from _disagreements(pair, {first.name for first, _ in _two_versions(pair)})


def check_order(subject: Subject) -> Iterator[Fault]:
    for pair in _pairs(subject):
        hidden = [path for path in pair.differing() if _hides_ours(pair, path)]
        if hidden:
            by = sorted({str(pair.later.owners[path.as_posix()]) for path in hidden})
            first, second = pair.earlier.owner.logical_id, pair.later.owner.logical_id
            what = f"{places.some(hidden)} of {first} is hidden by {places.some(by)} in {second}, mounted after it"
            mend = f"rename it, or put {first} after {second} in Layers"
            yield Fault(pair.where, what, mend, explains=pair.later.modules(hidden))


def _pairs(subject: Subject) -> list[_Pair]:
    known = {(one.stack.name, one.owner.logical_id): one for one in subject.places}
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
    """One fault for each pair of versions in a template, however many layers have them."""
    groups: dict[tuple[str, str, str], list[tuple[_Pair, Distribution, Distribution]]] = {}
    for pair in pairs:
        for first, second in _two_versions(pair):
            key = (pair.later.stack.name, str(first), str(second))
            groups.setdefault(key, []).append((pair, first, second))
    for held in groups.values():
        _, first, second = held[0]
        functions = sorted({name for pair, _, _ in held for name in pair.functions})
        earlier = places.some(sorted({pair.earlier.owner.logical_id for pair, _, _ in held}))
        later = places.some(sorted({pair.later.owner.logical_id for pair, _, _ in held}))
        what = f"{first} of {earlier} and {second} of {later}, which is mounted over it: what runs is a mixture"
        locks = places.some(sorted({place.lock for pair, _, _ in held for place in (pair.earlier, pair.later)}), 9)
        mend = f"keep {first.name} in one layer, or have one version of it in {locks}"
        explains = places.module_names(PurePosixPath(path) for path in first.listed | second.listed)
        where = f"{held[0][0].later.stack.template.path}: {places.some(functions)}"
        yield Fault(where, what, mend, explains=explains)


def _two_versions(pair: _Pair) -> list[tuple[Distribution, Distribution]]:
    later = {one.name: one for one in pair.later.distributions}
    both = [(one, later[one.name]) for one in pair.earlier.distributions if one.name in later]
    return [(first, second) for first, second in both if first.version != second.version]


def _disagreements(pair: _Pair, told: set[str]) -> Iterator[Fault]:
    """One fault for each pair of owners; a file that hides our own is told by the other rule."""
    groups: dict[tuple[str, str], list[PurePosixPath]] = {}
    for path in pair.differing():
        first, second = pair.earlier.owners.get(path.as_posix()), pair.later.owners.get(path.as_posix())
        if not _hides_ours(pair, path) and not told & {one.name for one in (first, second) if one}:
            groups.setdefault((str(first or "no distribution"), str(second or "no distribution")), []).append(path)
    for (of_first, of_second), paths in groups.items():
        what = (
            f"{places.some(paths)} is another in {pair.earlier.owner.logical_id} (of {of_first}) "
            f"than in {pair.later.owner.logical_id} (of {of_second}), which wins"
        )
        mend = "keep the file in one layer, or make both the same"
        yield Fault(pair.where, what, mend, explains=pair.later.modules(paths))


def _hides_ours(pair: _Pair, path: PurePosixPath) -> bool:
    return path.as_posix() in pair.later.owners and path.as_posix() not in pair.earlier.owners


def _is_read(path: PurePosixPath) -> bool:
    metadata = any(part.endswith((".dist-info", ".egg-info")) for part in path.parts)
    unread = path.name in _UNREAD_NAMES or path.suffix in _UNREAD_SUFFIXES
    return path.parts[0] in _MOUNTED and not (metadata or unread)


RULES: tuple[Rule, ...] = (
    Rule(
        "layer-conflict",
        "Two layers of a function do not hold different files under one path",
        "The later layer's file takes the earlier one's place: one of the two libraries runs on the other's files.",
        check_conflict,
    ),
    Rule(
        "layer-order",
        "No later layer hides the project's own modules",
        "The later layer wins, so a dependency's module of the same path is imported in place of ours.",
        check_order,
    ),
)
