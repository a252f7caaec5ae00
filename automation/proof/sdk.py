"""Rules about the SDK: the runtime brings boto3 and what it needs; a tree that ships some of it overrides that part."""

from collections.abc import Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from automation.lambda_runtime.mounts import Mount
from automation.proof import places
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.places import Distribution, Place

# Released together and bound to each other by narrow ranges, while Lambda moves its own on at any time.
_CORE = frozenset({"boto3", "botocore", "s3transfer"})
_MODULES = ("boto3", "botocore", "s3transfer", "urllib3", "jmespath", "dateutil", "six")
_PARTS = _CORE | {"urllib3", "jmespath", "python-dateutil", "six"}


def check_partial(subject: Subject) -> Iterator[Fault]:
    runtime = {one.name: one for one in places.distributions(subject.runtime_site)}
    known = {(one.stack.name, one.owner.logical_id): one for one in subject.places}
    told = set()
    for mount in subject.mounts:
        for fault in _of_mount(_mounted(mount, known), runtime):
            if fault not in told:
                yield fault
            told.add(fault)


def check_duplicate(subject: Subject) -> Iterator[Fault]:
    for place in subject.places:
        held = [one for one in place.distributions if one.name in _PARTS]
        if {one.name for one in held} >= {"boto3", "botocore"}:
            count = sum(_bytes(one) for one in held)
            what = f"ships {places.some(held)}: {count / 1_000_000:.1f} MB that the runtime has"
            mend = f"drop them from {place.lock}, or keep them where the version matters"
            yield Fault(place.where, what, mend, Severity.WARNING)


def _mounted(mount: Mount, known: Mapping[tuple[str, str], Place]) -> list[Place]:
    names = [mount.function.logical_id, *(layer.logical_id for layer in reversed(mount.layers))]
    return [known[mount.stack.name, name] for name in names if (mount.stack.name, name) in known]


def _of_mount(mounted: list[Place], runtime: Mapping[str, Distribution]) -> Iterator[Fault]:
    """What a function's trees ship of the SDK, against what is left to the runtime."""
    shipped: dict[str, tuple[Distribution, Place]] = {}
    for place in mounted:
        for one in place.distributions:
            if one.name in _PARTS:
                shipped.setdefault(one.name, (one, place))
    wanted = {name for place in mounted for one in place.distributions for name in _required(one)}
    for name, (one, place) in shipped.items():
        verdict = _verdict(one, frozenset(shipped), wanted, runtime)
        if verdict:
            what, severity = verdict
            mend = f"take {name} out of {place.lock}, or ship boto3, botocore and s3transfer with it"
            if severity is Severity.WARNING:
                mend = f"lock its version in {place.lock}, and keep it in the range that botocore asks for"
            yield Fault(place.where, f"{one} {what}", mend, severity, _MODULES)


def _verdict(
    one: Distribution, shipped: frozenset[str], wanted: set[str], runtime: Mapping[str, Distribution]
) -> tuple[str, Severity] | None:
    lost = sorted(_CORE - shipped)
    if not lost:
        return None
    refusing = _refusing(one, shipped, runtime)
    if refusing:
        return f"is not what the runtime's {refusing} takes", Severity.ERROR
    if one.name in _CORE:
        return f"is shipped without {', '.join(lost)}, which the runtime's own versions stand in for", Severity.ERROR
    if one.name != "urllib3":
        return None
    if one.name in wanted:
        return "takes the place of the runtime's; its botocore takes this version today", Severity.WARNING
    return "is shipped alone, in the place of the runtime's; nothing shipped with it asks for it", Severity.ERROR


def _refusing(one: Distribution, shipped: frozenset[str], runtime: Mapping[str, Distribution]) -> str:
    """The runtime's distribution, of those not shipped, that asks for another version of this one."""
    for name, other in runtime.items():
        if name in _PARTS - shipped:
            for text in other.requires:
                asked = _requirement(text)
                if asked and canonicalize_name(asked.name) == one.name and not _allows(asked, one.version):
                    return f"{other} ({asked.name}{asked.specifier})"
    return ""


def _required(one: Distribution) -> Iterator[str]:
    for text in one.requires:
        asked = _requirement(text)
        if asked:
            yield canonicalize_name(asked.name)


def _requirement(text: str) -> Requirement | None:
    """A requirement that holds here, extras left out."""
    try:
        asked = Requirement(text)
    except InvalidRequirement:
        return None
    return asked if asked.marker is None or asked.marker.evaluate({"extra": ""}) else None


def _allows(asked: Requirement, version: str) -> bool:
    try:
        return asked.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def _bytes(one: Distribution) -> int:
    held = (one.site / path for path in one.listed)
    return sum(path.stat().st_size for path in held if path.is_file())


RULES: tuple[Rule, ...] = (
    Rule(
        "partial-sdk",
        "A tree ships the SDK whole or not at all",
        "What is shipped takes the place of one part of the runtime's SDK, whose other parts were made for another.",
        check_partial,
    ),
    Rule(
        "runtime-duplicate",
        "A tree does not ship what the runtime has",
        "It costs size and start time and brings nothing that is not there.",
        check_duplicate,
    ),
)
