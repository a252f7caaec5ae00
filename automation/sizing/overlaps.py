"""What is paid for twice: in one function, in several layers, or beside the runtime's own."""

from collections.abc import Iterable
from dataclasses import dataclass

from automation.sizing import units
from automation.sizing.model import Artifact, FunctionSize, Part, Sizes, alike


@dataclass(frozen=True, slots=True)
class Holding:
    """A distribution in an artifact."""

    artifact: Artifact
    part: Part


@dataclass(frozen=True, slots=True)
class Overlap:
    """A distribution that is held more than once.

    Attributes:
        function: the function that mounts it more than once; None when it is in several artifacts of the project.
    """

    name: str
    holdings: tuple[Holding, ...]
    function: FunctionSize | None = None

    @property
    def versions(self) -> tuple[str, ...]:
        return tuple(sorted({one.part.version for one in self.holdings}))

    @property
    def spare_bytes(self) -> int:
        """What would be saved if it were held once."""
        counts = [one.part.bytes for one in self.holdings]
        return sum(counts) - max(counts)


def within_functions(sizes: Sizes) -> tuple[Overlap, ...]:
    """Distributions that one function mounts more than once."""
    return tuple(
        Overlap(name, found, one)
        for one in sizes.functions
        for name, found in _by_name(one.mounted).items()
        if len(found) > 1
    )


def across_artifacts(sizes: Sizes) -> tuple[Overlap, ...]:
    """Distributions in more than one artifact."""
    return tuple(Overlap(name, found) for name, found in _by_name(sizes.artifacts).items() if len(found) > 1)


def in_runtime(sizes: Sizes) -> tuple[Overlap, ...]:
    """Distributions that the managed runtime brings too."""
    return tuple(Overlap(name, found) for name, found in _by_name(sizes.artifacts).items() if name in sizes.runtime)


def notes(sizes: Sizes) -> tuple[str, ...]:
    """All of it in sentences, what matters most first."""
    return (
        *_differing(sizes),
        *_mounted_twice(sizes),
        *_shared(sizes),
        *_runtime(sizes),
        *_one_content(sizes),
        *(_elsewhere(one, layer) for one in sizes.functions for layer in one.unmeasured),
        *(f"{one} has no artifact in the build, so it is not measured" for one in sizes.not_built),
    )


def _by_name(artifacts: Iterable[Artifact]) -> dict[str, tuple[Holding, ...]]:
    found: dict[str, tuple[Holding, ...]] = {}
    for artifact in artifacts:
        for part in artifact.parts:
            if part.is_distribution:
                found[part.name] = (*found.get(part.name, ()), Holding(artifact, part))
    return dict(sorted(found.items()))


def _differing(sizes: Sizes) -> list[str]:
    told = []
    for one in across_artifacts(sizes):
        if len(one.versions) > 1:
            where = ", ".join(f"{item.part.version} in {sizes.label(item.artifact)}" for item in one.holdings)
            told.append(f"{one.name} differs in version: {where}")
    return told


def _mounted_twice(sizes: Sizes) -> list[str]:
    """Those that the same artifacts bring to a function, in one sentence."""
    groups: dict[tuple[str, ...], list[Overlap]] = {}
    for one in within_functions(sizes):
        if one.function:
            names = (sizes.label(one.function.own), *(sizes.label(item.artifact) for item in one.holdings))
            groups.setdefault(names, []).append(one)
    told = []
    for (function, *holders), found in groups.items():
        what = ", ".join(f"{one.name} ({', '.join(one.versions)})" for one in found)
        spare = units.text(sum(one.spare_bytes for one in found))
        told.append(f"{function} mounts {what} {len(holders)} times, {spare} too much: in {', '.join(holders)}")
    return told


def _shared(sizes: Sizes) -> list[str]:
    """Those that the same artifacts hold together, in one sentence."""
    groups: dict[tuple[str, ...], list[Overlap]] = {}
    for one in across_artifacts(sizes):
        if len(one.versions) == 1:
            groups.setdefault(tuple(sizes.label(item.artifact) for item in one.holdings), []).append(one)
    return [
        f"in each of {', '.join(names)}: {', '.join(one.holdings[0].part.label for one in found)}"
        for names, found in groups.items()
    ]


def _runtime(sizes: Sizes) -> list[str]:
    told = []
    for one in in_runtime(sizes):
        where = ", ".join(sizes.label(item.artifact) for item in one.holdings)
        each = "in each of" if len(one.holdings) > 1 else "in"
        told.append(f"the runtime has {one.name} already: {units.text(one.holdings[0].part.bytes)} {each} {where}")
    return told


def _one_content(sizes: Sizes) -> list[str]:
    groups = [group for group in alike(sizes.artifacts) if len(group) > 1]
    return [f"of one content, and counted once: {', '.join(sizes.label(one) for one in group)}" for group in groups]


def _elsewhere(function: FunctionSize, layer: str) -> str:
    return f"{function.own.where}: layer {layer} is from elsewhere: its bytes count on AWS and are not in these numbers"
