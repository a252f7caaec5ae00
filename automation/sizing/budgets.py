"""Check the size limits: the budget of each function and layer, and AWS's limit of what a function mounts.

A finding says by how much a limit is exceeded, the likely cause, and the line to edit.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import lines, units
from automation.sizing.changes import PartChange, SizeComparison
from automation.sizing.model import (
    NO_DISTRIBUTION,
    OWN_CODE,
    ArtifactKind,
    ArtifactSize,
    FunctionSize,
    Part,
    Sizes,
)
from automation.system.errors import Finding

NEAR_SHARE = 0.8
NEAR_PERCENT = f"{100 * NEAR_SHARE:.0f} %"
_DEFAULT_KEYS = {ArtifactKind.FUNCTION: "function_mb", ArtifactKind.LAYER: "layer_mb"}


class SizeLimit(StrEnum):
    """The origin of a size limit: the project's budget, or AWS."""

    BUDGET = "budget"
    AWS = "AWS's limit"


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """How much of a size limit is used: a budget by one artifact, AWS's limit by everything that a function mounts."""

    limit: SizeLimit
    artifacts: tuple[ArtifactSize, ...]
    used_bytes: int
    allowed_bytes: int

    @property
    def subject(self) -> ArtifactSize:
        """Return the function or layer that the limit is about."""
        return self.artifacts[0]

    @property
    def over_bytes(self) -> int:
        return self.used_bytes - self.allowed_bytes

    @property
    def is_over(self) -> bool:
        return self.used_bytes > self.allowed_bytes

    @property
    def is_near(self) -> bool:
        return not self.is_over and self.used_bytes >= NEAR_SHARE * self.allowed_bytes


def limit_usages(sizes: Sizes) -> tuple[LimitUsage, ...]:
    """Return the usage of every size limit; a layer that no function mounts is compared with AWS's limit by itself."""
    usages = [
        LimitUsage(SizeLimit.BUDGET, (artifact,), artifact.bytes, artifact.budget_bytes)
        for artifact in sizes.artifacts
        if artifact.budget_bytes is not None
    ]

    mounted: set[tuple[str, str]] = set()
    for function in sizes.functions:
        mounted.update(layer.key for layer in function.layers)
    unmounted = [FunctionSize(layer) for layer in sizes.layers if layer.key not in mounted]
    usages += [
        LimitUsage(SizeLimit.AWS, size.mounted, size.effective_bytes, LAMBDA_LIMIT_BYTES)
        for size in (*sizes.functions, *unmounted)
    ]
    return tuple(usages)


def exceeded(sizes: Sizes, comparison: SizeComparison | None = None) -> tuple[Finding, ...]:
    """Return a finding for each exceeded limit; with a comparison, it names what grew most since the baseline."""
    return tuple(sorted(_finding(usage, sizes, comparison) for usage in limit_usages(sizes) if usage.is_over))


def nearly_exceeded(sizes: Sizes) -> tuple[Finding, ...]:
    """Return a finding for each limit of which `NEAR_PERCENT` or more is used."""
    findings = []
    for usage in limit_usages(sizes):
        if usage.is_near:
            share = units.format_percent(usage.used_bytes, usage.allowed_bytes)
            findings.append(Finding(usage.subject.where, f"{_used(usage)}: {share} used"))
    return tuple(sorted(findings))


def severity(artifact: ArtifactSize, sizes: Sizes) -> str:
    """Return the worst state of an artifact's limits: `over`, `near` or empty."""
    usages = [usage for usage in limit_usages(sizes) if usage.subject.key == artifact.key]
    if any(usage.is_over for usage in usages):
        return "over"
    return "near" if any(usage.is_near for usage in usages) else ""


def _finding(usage: LimitUsage, sizes: Sizes, comparison: SizeComparison | None) -> Finding:
    over = f"{_used(usage)}: over by {units.format_bytes(usage.over_bytes)} ({usage.over_bytes:,} bytes)"
    causes = [*_mounted_sizes(usage), *_biggest_text(usage), *_growth_text(usage, comparison)]
    return Finding(usage.subject.where, "; ".join([over, *causes]), _fix(usage, sizes.root, comparison))


def _used(usage: LimitUsage) -> str:
    is_function = usage.subject.kind is ArtifactKind.FUNCTION
    used = units.format_bytes(usage.used_bytes)
    if usage.limit is SizeLimit.AWS:
        subject = "function and layers are" if is_function else "the layer is"
        return f"{subject} {used} unzipped, AWS's limit is {LAMBDA_LIMIT_BYTES:,} bytes"
    subject = "its own code" if is_function else "the layer"
    return f"{subject} is {used}, its budget is {units.format_bytes(usage.allowed_bytes)}"


def _mounted_sizes(usage: LimitUsage) -> list[str]:
    if len(usage.artifacts) == 1:
        return []
    mounted = (f"{artifact.logical_id} {units.format_bytes(artifact.bytes)}" for artifact in usage.artifacts)
    return [", ".join(mounted)]


def _biggest_part(usage: LimitUsage) -> tuple[ArtifactSize, Part] | None:
    candidates: list[tuple[ArtifactSize, Part]] = []
    for artifact in usage.artifacts:
        candidates += [(artifact, part) for part in artifact.parts]
    return max(candidates, key=lambda candidate: candidate[1].bytes, default=None)


def _grown_most(usage: LimitUsage, comparison: SizeComparison | None) -> tuple[ArtifactSize, PartChange] | None:
    if comparison is None:
        return None
    candidates: list[tuple[ArtifactSize, PartChange]] = []
    for artifact in usage.artifacts:
        change = comparison.change_of(artifact)
        if change and change.before:
            candidates += [(artifact, part) for part in change.parts if part.bytes > 0]
    return max(candidates, key=lambda candidate: candidate[1].bytes, default=None)


def _biggest_text(usage: LimitUsage) -> list[str]:
    biggest = _biggest_part(usage)
    if biggest is None:
        return []
    artifact, part = biggest
    folder = "" if part.is_distribution or not part.places else f" (most of it {next(iter(part.places))})"
    return [f"the biggest is {part.label}{folder}, {units.format_bytes(part.bytes)}{_in_artifact(usage, artifact)}"]


def _growth_text(usage: LimitUsage, comparison: SizeComparison | None) -> list[str]:
    if comparison is None:
        return []
    grown = _grown_most(usage, comparison)
    if grown is None:
        return [f"nothing in it grew since {comparison.label}"]
    artifact, part = grown
    name = f"{part.name} ({part.versions})" if part.versions else part.name
    growth = units.format_change(part.bytes)
    return [f"since {comparison.label}, {name} grew most, {growth}{_in_artifact(usage, artifact)}"]


def _in_artifact(usage: LimitUsage, artifact: ArtifactSize) -> str:
    return f" in {artifact.logical_id}" if len(usage.artifacts) > 1 else ""


def _fix(usage: LimitUsage, root: Path | None, comparison: SizeComparison | None) -> str:
    """Name the requirement of what grew most, or of the biggest part; then the line of the budget."""
    grown, biggest = _grown_most(usage, comparison), _biggest_part(usage)
    shrink = "make it smaller"
    if grown:
        shrink = _shrink(root, grown[0], grown[1].name)
    elif biggest:
        shrink = _shrink(root, biggest[0], biggest[1].name)

    if usage.limit is SizeLimit.AWS:
        return f"{shrink}, or split the function: AWS's limit cannot be raised"
    return f"{shrink}, or {_raise_budget(root, usage.subject)}"


def _shrink(root: Path | None, artifact: ArtifactSize, name: str) -> str:
    smaller = f"make {artifact.source or artifact.logical_id} smaller"
    if root is None or not artifact.source or name in (OWN_CODE, NO_DISTRIBUTION):
        return smaller

    line, requirement = lines.find_requirement(root, artifact.source, name)
    if not line:
        return smaller
    if not requirement:
        return f"drop, pin or replace the requirement in {line} that needs {name}"
    return f"drop, pin or replace {requirement} at {line}{'' if requirement == name else f', which needs {name}'}"


def _raise_budget(root: Path | None, artifact: ArtifactSize) -> str:
    if root is None:
        return "raise its BudgetMB"
    own_line = lines.find_budget(root, artifact.template, artifact.logical_id)
    if own_line:
        return f"raise its BudgetMB at {own_line}"

    resource = lines.find_resource(root, artifact.template, artifact.logical_id)
    default = lines.find_default(root, _DEFAULT_KEYS[artifact.kind]) or lines.PYPROJECT
    return f"give it Metadata: {{Alchemiser: {{BudgetMB: …}}}} at {resource}, or raise the default at {default}"
