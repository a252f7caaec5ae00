"""Rules about the SDK: the runtime provides boto3 and its dependencies, and a tree may override some of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from automation.lambda_runtime import provided
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.runtime import SDK_MODULES
from automation.proof import built_trees, elsewhere, requirement_files
from automation.proof.built_trees import BuiltTree
from automation.proof.model import Fault, Rule, Severity, Subject, merged

# These are released together, each for the others of its own day; Lambda moves its own to later versions at any time.
_CORE = frozenset({"boto3", "botocore", "s3transfer"})
_PARTS = _CORE | {"urllib3", "jmespath", "python-dateutil", "six"}
_STRICT = frozenset({"urllib3", "jmespath"})
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


@dataclass(frozen=True, slots=True)
class _Conflict:
    """A requirement of one part that another part does not satisfy."""

    requirer: _Part
    requirement: Requirement
    part: _Part

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

        The runtime only moves to later versions, so that a part of the runtime that is too old may be new enough by
        now. A botocore or a helper that is newer than an older boto3 asks for works; an older one fails, with a missing
        argument or name. The client of HTTP and the language of paths must be of the series that botocore names.
        """
        is_too_old = _is_too_old(self.requirement, self.part.version)
        return not is_too_old if self.part.tree is None else is_too_old or self.part.name in _STRICT


def check_partial(subject: Subject) -> Iterator[Fault]:
    known = {(tree.stack.name, tree.owner.logical_id): tree for tree in subject.built_trees}
    for mount in subject.mounts:
        minor = elsewhere.minor_of(mount)
        may_be_whole = bool(elsewhere.unknown_layers(mount))
        for conflict in _conflicts(_effective(_mounted(mount, known), minor), minor):
            tree = conflict.shipped
            if tree is not None:
                yield _fault(conflict, tree, subject, may_be_whole=may_be_whole)


def check_duplicate(subject: Subject) -> Iterator[Fault]:
    for tree in subject.built_trees:
        parts = [distribution for distribution in tree.distributions if distribution.name in _PARTS]
        if {part.name for part in parts} >= {"boto3", "botocore"} and not _is_required(tree):
            size_bytes = sum(_size_bytes(part) for part in parts)
            what = (
                f"ships {built_trees.abbreviate(parts)}: {size_bytes / 1_000_000:.1f} MB that the runtime already has"
            )
            file = requirement_files.of_tree(tree, subject.project.root)
            fix = f"{file.remove(*(part.name for part in parts))}, unless the version matters"
            yield Fault(tree.where, what, fix, Severity.WARNING)


def _mounted(mount: Mount, known: Mapping[tuple[str, str], BuiltTree]) -> list[BuiltTree]:
    """Return the trees of a function in the order in which Python searches them."""
    names = [mount.function.logical_id, *(layer.logical_id for layer in reversed(mount.layers))]
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


def _conflicts(parts: Mapping[str, _Part], minor: int) -> Iterator[_Conflict]:
    """Yield the requirements between the parts that do not hold, the most certain one of each shipped part."""
    conflicts = sorted(_all_conflicts(parts, minor), key=lambda conflict: not conflict.is_certain)
    yield from {conflict.shipped_part: conflict for conflict in reversed(conflicts)}.values()


def _all_conflicts(parts: Mapping[str, _Part], minor: int) -> Iterator[_Conflict]:
    """Yield the requirements between the parts that do not hold, unless both come from the same place."""
    for requirer in parts.values():
        for requirement in _requirements(requirer.requires, minor):
            part = parts.get(canonicalize_name(requirement.name))
            if part is not None and part.tree is not requirer.tree and not _allows(requirement, part.version):
                yield _Conflict(requirer, requirement, part)


def _fault(conflict: _Conflict, tree: BuiltTree, subject: Subject, *, may_be_whole: bool) -> Fault:
    part, requirer = conflict.part, conflict.requirer
    of_owner = "" if requirer.tree is tree else f" of {requirer.owner}"
    needs = f"{requirer}{of_owner} requires {_text(conflict.requirement)}"
    what = f"ships {part}, but {needs}" if part.tree else f"{needs}, and the runtime has {part}"
    severity = Severity.ERROR if conflict.is_certain and not may_be_whole else Severity.WARNING
    return Fault(tree.where, what, _fix(conflict, tree, subject), severity, SDK_MODULES)


def _fix(conflict: _Conflict, tree: BuiltTree, subject: Subject) -> str:
    file = requirement_files.of_tree(tree, subject.project.root)
    if conflict.part.name not in _CORE:
        return file.require(_text(conflict.requirement))
    if conflict.part.tree and conflict.requirer.tree:
        other = requirement_files.of_tree(conflict.requirer.tree, subject.project.root)
        return f"keep boto3, botocore and s3transfer in only one of {other.path} and {file.path}, and {file.rebuild}"
    if _is_required(tree):
        return f"{file.add('boto3')}, so that the SDK comes whole"
    shipped = sorted(distribution.name for distribution in tree.distributions if distribution.name in _CORE)
    return file.remove(*shipped)


def _is_required(tree: BuiltTree) -> bool:
    """Return whether a distribution outside the SDK requires a part of it, so that the part cannot be removed."""
    others = (distribution for distribution in tree.distributions if distribution.name not in _PARTS)
    for distribution in others:
        minors = {platform.minor for platform in tree.platforms}
        for minor in minors:
            names = {canonicalize_name(entry.name) for entry in _requirements(distribution.requires, minor)}
            if names & _CORE:
                return True
    return False


def _requirements(requires: tuple[str, ...], minor: int) -> Iterator[Requirement]:
    """Yield the requirements that apply to Python 3.`minor` on Linux, without extras."""
    environment = {"extra": "", "python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"}
    environment |= {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


def _allows(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _is_too_old(requirement: Requirement, version: str) -> bool:
    """Return whether a version is below what a requirement asks for; otherwise it is above it, or excluded."""
    bounds = [bound for bound in requirement.specifier if bound.operator in _LOWER_BOUNDS]
    return any(Version(version) < Version(_bound(bound)) for bound in bounds)


def _bound(bound: Specifier) -> str:
    return bound.version.removesuffix(".*")


def _text(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _size_bytes(distribution: built_trees.Distribution) -> int:
    files = (distribution.site / path for path in distribution.listed)
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
