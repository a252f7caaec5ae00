"""Find distributions that are paid for more than once: in one function, in several artifacts, or in the runtime too."""

from collections.abc import Iterable
from dataclasses import dataclass

from automation.sizing import units
from automation.sizing.model import ArtifactSize, FunctionSize, Part, Sizes, group_by_content


@dataclass(frozen=True, slots=True)
class DistributionCopy:
    """One copy of a distribution, and the artifact that contains it."""

    artifact: ArtifactSize
    part: Part


@dataclass(frozen=True, slots=True)
class DistributionOverlap:
    """A distribution with more than one copy.

    Attributes:
        function: the function that mounts all the copies; None when they are compared across the whole project.
    """

    name: str
    copies: tuple[DistributionCopy, ...]
    function: FunctionSize | None = None

    @property
    def versions(self) -> tuple[str, ...]:
        return tuple(sorted({copy.part.version for copy in self.copies}))

    @property
    def spare_bytes(self) -> int:
        """Return the bytes that a single copy would save."""
        counts = [copy.part.bytes for copy in self.copies]
        return sum(counts) - max(counts)

    @property
    def artifacts(self) -> tuple[ArtifactSize, ...]:
        return tuple(copy.artifact for copy in self.copies)


def within_functions(sizes: Sizes) -> tuple[DistributionOverlap, ...]:
    """Return the distributions that one function mounts more than once."""
    overlaps = []
    for function in sizes.functions:
        for name, copies in _copies_by_name(function.mounted).items():
            if len(copies) > 1:
                overlaps.append(DistributionOverlap(name, copies, function))
    return tuple(overlaps)


def across_artifacts(sizes: Sizes) -> tuple[DistributionOverlap, ...]:
    """Return the distributions in more than one artifact of the project."""
    copies_by_name = _copies_by_name(sizes.artifacts)
    return tuple(DistributionOverlap(name, copies) for name, copies in copies_by_name.items() if len(copies) > 1)


def in_runtime(sizes: Sizes) -> tuple[DistributionOverlap, ...]:
    """Return the distributions that are in the managed runtime too."""
    copies_by_name = _copies_by_name(sizes.artifacts)
    return tuple(
        DistributionOverlap(name, copies)
        for name, copies in copies_by_name.items()
        if name in sizes.runtime_distributions
    )


def notes(sizes: Sizes) -> tuple[str, ...]:
    """Describe every overlap, and everything that could not be measured, most important first."""
    collected = [
        *_version_conflicts(sizes),
        *_mounted_twice(sizes),
        *_in_several_artifacts(sizes),
        *_in_runtime_too(sizes),
        *_same_content(sizes),
    ]
    for function in sizes.functions:
        collected += [_unmeasured(function, layer) for layer in function.unmeasured_layers]
    collected += [f"{artifact} was not measured: the build has no artifact of it" for artifact in sizes.not_built]
    return tuple(collected)


def _copies_by_name(artifacts: Iterable[ArtifactSize]) -> dict[str, tuple[DistributionCopy, ...]]:
    copies: dict[str, tuple[DistributionCopy, ...]] = {}
    for artifact in artifacts:
        for part in artifact.parts:
            if part.is_distribution:
                copies[part.name] = (*copies.get(part.name, ()), DistributionCopy(artifact, part))
    return dict(sorted(copies.items()))


def _version_conflicts(sizes: Sizes) -> list[str]:
    conflicts = []
    for overlap in across_artifacts(sizes):
        if len(overlap.versions) > 1:
            where = ", ".join(f"{copy.part.version} in {sizes.label(copy.artifact)}" for copy in overlap.copies)
            conflicts.append(f"{overlap.name} has different versions: {where}")
    return conflicts


def _mounted_twice(sizes: Sizes) -> list[str]:
    """Describe in one sentence the distributions that a function gets from the same artifacts."""
    groups: dict[tuple[str, ...], list[DistributionOverlap]] = {}
    for overlap in within_functions(sizes):
        if overlap.function:
            labels = tuple(sizes.label(artifact) for artifact in (overlap.function.own, *overlap.artifacts))
            groups.setdefault(labels, []).append(overlap)

    sentences = []
    for (function, *owners), overlaps in groups.items():
        names = ", ".join(f"{overlap.name} ({', '.join(overlap.versions)})" for overlap in overlaps)
        spare = units.format_bytes(sum(overlap.spare_bytes for overlap in overlaps))
        sentences.append(f"{function} mounts {names} {len(owners)} times, wasting {spare}: in {', '.join(owners)}")
    return sentences


def _in_several_artifacts(sizes: Sizes) -> list[str]:
    """Describe in one sentence the distributions that the same artifacts contain."""
    groups: dict[str, list[str]] = {}
    for overlap in across_artifacts(sizes):
        if len(overlap.versions) == 1:
            groups.setdefault(sizes.labels(overlap.artifacts), []).append(overlap.copies[0].part.label)
    return [f"each of {artifacts} contains {', '.join(parts)}" for artifacts, parts in groups.items()]


def _in_runtime_too(sizes: Sizes) -> list[str]:
    sentences = []
    for overlap in in_runtime(sizes):
        each = "in each of" if len(overlap.copies) > 1 else "in"
        size = units.format_bytes(overlap.copies[0].part.bytes)
        where = f"{size} {each} {sizes.labels(overlap.artifacts)}"
        sentences.append(f"the runtime already contains {overlap.name}: {where}")
    return sentences


def _same_content(sizes: Sizes) -> list[str]:
    groups = [group for group in group_by_content(sizes.artifacts) if len(group) > 1]
    return [f"identical, so counted once: {sizes.labels(group)}" for group in groups]


def _unmeasured(function: FunctionSize, layer: str) -> str:
    return f"{function.own.where}: layer {layer} was not measured: it is not in this template, but AWS counts its bytes"
