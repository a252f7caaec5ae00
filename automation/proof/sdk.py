"""Rules about the SDK: the runtime provides boto3 and its dependencies, and a tree may override some of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from packaging.requirements import Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import Version

from automation.lambda_runtime import provided
from automation.lambda_runtime.mounts import Mount, MountedLayer
from automation.lambda_runtime.runtime import SDK_MODULES
from automation.proof import built_trees, elsewhere, requirement_files
from automation.proof.built_trees import BuiltTree
from automation.proof.evidence import Evidence
from automation.proof.model import Fault, Rule, Severity, Subject, merged

# These are released together, each for the others of its own day; Lambda moves its own to later versions at any time.
_CORE = frozenset({"boto3", "botocore", "s3transfer"})
_PARTS = _CORE | {"urllib3", "jmespath", "python-dateutil", "six"}
_STRICT = frozenset({"urllib3", "jmespath"})
# The modules whose import imports a part too; any other part is imported by its own name alone.
_IMPORTED_BY = {
    "boto3": frozenset({"boto3"}),
    "botocore": _CORE,
    "s3transfer": frozenset({"boto3", "s3transfer"}),
}
_LOWER_BOUNDS = frozenset({">=", ">", "==", "~="})


@dataclass(frozen=True, slots=True)
class _Part:
    """One distribution that a function runs with.

    Attributes:
        tree: the built tree that ships it; None for the runtime's own.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    tree: BuiltTree | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def owner(self) -> str:
        return self.tree.owner.logical_id if self.tree else "the runtime"

    @property
    def imported_by(self) -> frozenset[str]:
        """Return the modules with which a function imports it."""
        return _IMPORTED_BY.get(self.name, frozenset({self.name.removeprefix("python-")}))


@dataclass(frozen=True, slots=True)
class _Conflict:
    """A requirement of one part that another part does not satisfy.

    Attributes:
        is_met: the function certainly imports the part that requires it.
    """

    requirer: _Part
    requirement: Requirement
    part: _Part
    is_met: bool

    @property
    def shipped(self) -> BuiltTree | None:
        """Return the tree to change: the one of the unsuitable part, or of the part that requires it."""
        return self.part.tree or self.requirer.tree

    @property
    def shipped_part(self) -> str:
        return self.part.name if self.part.tree else self.requirer.name

    @property
    def is_certain(self) -> bool:
        """Return whether the function certainly fails.

        What a function does not import cannot fail. The runtime only moves to later versions, so that a part of the
        runtime that is too old may be new enough by now. A botocore or a helper that is newer than an older boto3 asks
        for works; an older one fails, with a missing argument or name. The client of HTTP and the language of paths
        must be of the series that botocore names.
        """
        if not self.is_met:
            return False
        is_too_old = _is_too_old(self.requirement, self.part.version)
        return not is_too_old if self.part.tree is None else is_too_old or self.part.name in _STRICT


def check_partial(subject: Subject) -> Iterator[Fault]:
    """Yield each conflict once, as an error when one of the functions that have it certainly fails."""
    shared: dict[Fault, list[Fault]] = {}
    for fault in _partial_faults(subject):
        shared.setdefault(replace(fault, severity=Severity.WARNING, explains=()), []).append(fault)
    for common, faults in shared.items():
        severity, explains = min(fault.severity for fault in faults), max(fault.explains for fault in faults)
        yield replace(common, severity=severity, explains=explains)


def check_duplicate(subject: Subject) -> Iterator[Fault]:
    for tree in subject.built_trees:
        parts = [distribution for distribution in tree.distributions if distribution.name in _PARTS]
        if {part.name for part in parts} >= {"boto3", "botocore"} and not _is_required(tree):
            size = f"{_size_bytes(parts) / 1_000_000:.1f} MB"
            what = f"ships {built_trees.abbreviate(parts)}: {size} that the runtime already has"
            fix = f"{requirement_files.remove_from(tree, parts, subject.project.root)}, unless the version matters"
            yield Fault(tree.where, what, fix, Severity.WARNING)


def _partial_faults(subject: Subject) -> Iterator[Fault]:
    known = {(tree.stack.name, tree.owner.logical_id): tree for tree in subject.built_trees}
    for mount in subject.mounts:
        minor = elsewhere.minor_of(mount)
        may_be_whole = bool(elsewhere.unknown_layers(mount))
        evidence = subject.evidence_of.get((mount.stack.name, mount.function.logical_id))
        for layers in mount.variants:
            parts = _effective(_mounted(mount, layers, known), minor)
            for conflict in _conflicts(parts, minor, evidence):
                tree = conflict.shipped
                if tree is not None:
                    yield _fault(conflict, tree, subject, may_be_whole=may_be_whole)


def _mounted(
    mount: Mount, layers: tuple[MountedLayer, ...], known: Mapping[tuple[str, str], BuiltTree]
) -> list[BuiltTree]:
    """Return the trees of a function in the order in which Python searches them."""
    names = [mount.function.logical_id, *(layer.logical_id for layer in reversed(layers))]
    return [known[mount.stack.name, name] for name in names if (mount.stack.name, name) in known]


def _effective(mounted: list[BuiltTree], minor: int) -> dict[str, _Part]:
    """Return the parts of the SDK that a function imports: what its trees ship, otherwise the runtime's."""
    parts = {part.name: _Part(part.name, part.version, part.requires) for part in provided.sdk(minor)}
    for tree in reversed(mounted):
        for distribution in tree.distributions:
            if distribution.name in _PARTS:
                part = _Part(distribution.name, distribution.version, distribution.requires, tree)
                parts[distribution.name] = part
    return parts


def _conflicts(parts: Mapping[str, _Part], minor: int, evidence: Evidence | None) -> Iterator[_Conflict]:
    """Yield the requirements between the parts that do not hold, the most certain one of each shipped part."""
    conflicts = sorted(_all_conflicts(parts, minor, evidence), key=lambda conflict: not conflict.is_certain)
    yield from {conflict.shipped_part: conflict for conflict in reversed(conflicts)}.values()


def _all_conflicts(parts: Mapping[str, _Part], minor: int, evidence: Evidence | None) -> Iterator[_Conflict]:
    """Yield the requirements between the parts that do not hold, unless both come from the same place."""
    for requirer in parts.values():
        is_met = evidence is not None and evidence.imports(requirer.imported_by)
        for requirement in built_trees.requirements(requirer.requires, minor):
            part = parts.get(canonicalize_name(requirement.name))
            if (
                part is not None
                and part.tree is not requirer.tree
                and not built_trees.allows(requirement, part.version)
            ):
                yield _Conflict(requirer, requirement, part, is_met)


def _fault(conflict: _Conflict, tree: BuiltTree, subject: Subject, *, may_be_whole: bool) -> Fault:
    part, requirer = conflict.part, conflict.requirer
    of_owner = "" if requirer.tree is tree else f" of {requirer.owner}"
    needs = f"{requirer}{of_owner} requires {_text(conflict.requirement)}"
    what = f"ships {part}, but {needs}" if part.tree else f"{needs}, and the runtime has {part}"
    severity = Severity.ERROR if conflict.is_certain and not may_be_whole else Severity.WARNING
    return Fault(tree.where, what, _fix(conflict, tree, subject), severity, SDK_MODULES if conflict.is_met else ())


def _fix(conflict: _Conflict, tree: BuiltTree, subject: Subject) -> str:
    file = requirement_files.of_tree(tree, subject.project.root)
    if conflict.part.name not in _CORE:
        return requirement_files.require_in(tree, conflict.part.name, _text(conflict.requirement), subject.project.root)
    if conflict.part.tree and conflict.requirer.tree:
        other = requirement_files.of_tree(conflict.requirer.tree, subject.project.root)
        return f"keep boto3, botocore and s3transfer in only one of {other.path} and {file.path}, and {file.rebuild}"
    if _is_required(tree):
        return f"{file.add('boto3')}, so that the SDK comes whole"
    shipped = [distribution for distribution in tree.distributions if distribution.name in _CORE]
    return requirement_files.remove_from(tree, shipped, subject.project.root)


def _is_required(tree: BuiltTree) -> bool:
    """Return whether a distribution outside the SDK requires a part of it, so that the part cannot be removed."""
    others = (distribution for distribution in tree.distributions if distribution.name not in _PARTS)
    for distribution in others:
        minors = {platform.minor for platform in tree.platforms}
        for minor in minors:
            names = {canonicalize_name(entry.name) for entry in built_trees.requirements(distribution.requires, minor)}
            if names & _CORE:
                return True
    return False


def _is_too_old(requirement: Requirement, version: str) -> bool:
    """Return whether a version is below what a requirement asks for; otherwise it is above it, or excluded."""
    bounds = [bound for bound in requirement.specifier if bound.operator in _LOWER_BOUNDS]
    missed = (bound for bound in bounds if not bound.contains(version))
    return any(Version(version) <= Version(_bound(bound)) for bound in missed)


def _bound(bound: Specifier) -> str:
    return bound.version.removesuffix(".*")


def _text(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _size_bytes(distributions: Iterable[built_trees.Distribution]) -> int:
    paths = ([entry.site / path for path in entry.listed] for entry in distributions)
    files = set(chain.from_iterable(paths))
    return sum(file.stat().st_size for file in files if file.is_file())


RULES: tuple[Rule, ...] = (
    Rule(
        "partial-sdk",
        "The parts of the SDK that a tree ships fit those of the runtime",
        "The shipped part replaces one part of the runtime's SDK, and the remaining parts require another version.",
        merged(check_partial),
    ),
    Rule(
        "runtime-duplicate",
        "A tree does not ship what the runtime already has",
        "It adds size and start time and nothing new.",
        merged(check_duplicate),
    ),
)
