"""Rules about the SDK: the runtime provides boto3 and its dependencies, and a tree may override some of them."""

from collections.abc import Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.runtime import SDK_MODULES
from automation.proof import built_trees
from automation.proof.built_trees import BuiltTree, Distribution
from automation.proof.model import Fault, Rule, Severity, Subject

# These are released together and require narrow version ranges of each other; Lambda updates its own at any time.
_CORE = frozenset({"boto3", "botocore", "s3transfer"})
_PARTS = _CORE | {"urllib3", "jmespath", "python-dateutil", "six"}


def check_partial(subject: Subject) -> Iterator[Fault]:
    runtime = {distribution.name: distribution for distribution in built_trees.distributions(subject.runtime_site)}
    known = {(tree.stack.name, tree.owner.logical_id): tree for tree in subject.built_trees}
    reported = set()
    for mount in subject.mounts:
        for fault in _faults_of_mount(_mounted(mount, known), runtime):
            if fault not in reported:
                yield fault
            reported.add(fault)


def check_duplicate(subject: Subject) -> Iterator[Fault]:
    for tree in subject.built_trees:
        parts = [distribution for distribution in tree.distributions if distribution.name in _PARTS]
        if {part.name for part in parts} >= {"boto3", "botocore"}:
            size_bytes = sum(_size_bytes(part) for part in parts)
            what = (
                f"ships {built_trees.abbreviate(parts)}: {size_bytes / 1_000_000:.1f} MB that the runtime already has"
            )
            fix = f"remove them from {tree.lock}, unless the version matters"
            yield Fault(tree.where, what, fix, Severity.WARNING)


def _mounted(mount: Mount, known: Mapping[tuple[str, str], BuiltTree]) -> list[BuiltTree]:
    """Return the trees of a function in the order in which Python searches them."""
    names = [mount.function.logical_id, *(layer.logical_id for layer in reversed(mount.layers))]
    return [known[mount.stack.name, name] for name in names if (mount.stack.name, name) in known]


def _faults_of_mount(mounted: list[BuiltTree], runtime: Mapping[str, Distribution]) -> Iterator[Fault]:
    """Compare the parts of the SDK that a function's trees ship with those that the runtime provides."""
    shipped: dict[str, tuple[Distribution, BuiltTree]] = {}
    required: set[str] = set()
    for tree in mounted:
        for distribution in tree.distributions:
            required.update(canonicalize_name(requirement.name) for requirement in _requirements(distribution))
            if distribution.name in _PARTS:
                shipped.setdefault(distribution.name, (distribution, tree))

    for name, (distribution, tree) in shipped.items():
        problem = _problem(distribution, frozenset(shipped), required, runtime)
        if problem:
            what, severity = problem
            fix = f"remove {name} from {tree.lock}, or ship boto3, botocore and s3transfer with it"
            if severity is Severity.WARNING:
                fix = f"lock its version in {tree.lock}, in the range that botocore requires"
            yield Fault(tree.where, f"{distribution} {what}", fix, severity, SDK_MODULES)


def _problem(
    part: Distribution, shipped: frozenset[str], required: set[str], runtime: Mapping[str, Distribution]
) -> tuple[str, Severity] | None:
    """Return what is wrong with shipping one part of the SDK, or None."""
    lost = sorted(_CORE - shipped)
    if not lost:
        return None

    refusing = _refusing(part, shipped, runtime)
    if refusing:
        return f"does not satisfy the runtime's {refusing}", Severity.ERROR
    if part.name in _CORE:
        return f"is shipped without {', '.join(lost)}, so it runs with the runtime's versions of them", Severity.ERROR
    if part.name != "urllib3":
        return None
    if part.name in required:
        return "replaces the runtime's, and the runtime's botocore accepts this version only for now", Severity.WARNING
    return "replaces the runtime's, and nothing that is shipped with it requires it", Severity.ERROR


def _refusing(part: Distribution, shipped: frozenset[str], runtime: Mapping[str, Distribution]) -> str:
    """Return the distribution of the runtime that requires another version of a shipped part; empty when none does."""
    for name, provided in runtime.items():
        if name in _PARTS - shipped:
            for requirement in _requirements(provided):
                is_about = canonicalize_name(requirement.name) == part.name
                if is_about and not _allows(requirement, part.version):
                    return f"{provided} ({requirement.name}{requirement.specifier})"
    return ""


def _requirements(distribution: Distribution) -> Iterator[Requirement]:
    """Yield the requirements that apply here, without extras."""
    for text in distribution.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def _allows(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _size_bytes(distribution: Distribution) -> int:
    files = (distribution.site / path for path in distribution.listed)
    return sum(file.stat().st_size for file in files if file.is_file())


RULES: tuple[Rule, ...] = (
    Rule(
        "partial-sdk",
        "A tree ships the whole SDK or none of it",
        "The shipped part replaces one part of the runtime's SDK, and the remaining parts expect another version.",
        check_partial,
    ),
    Rule(
        "runtime-duplicate",
        "A tree does not ship what the runtime already has",
        "It adds size and start time and nothing new.",
        check_duplicate,
    ),
)
