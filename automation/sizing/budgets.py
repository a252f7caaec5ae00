"""Which budget is exceeded or nearly so, by how much, why, and the line that mends it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import lines, units
from automation.sizing.changes import Comparison, PartChange
from automation.sizing.model import LOOSE, OWN, Artifact, FunctionSize, Kind, Part, Sizes
from automation.system.errors import Finding

NEAR = 0.8
NEAR_TEXT = f"{100 * NEAR:.0f} %"
_DEFAULTS = {Kind.FUNCTION: "function_mb", Kind.LAYER: "layer_mb"}


class Limit(StrEnum):
    """Whose limit it is."""

    BUDGET = "budget"
    AWS = "AWS's limit"


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is used: a budget by one artifact, AWS's limit by all that a function mounts."""

    limit: Limit
    artifacts: tuple[Artifact, ...]
    used_bytes: int
    allowed_bytes: int

    @property
    def subject(self) -> Artifact:
        return self.artifacts[0]

    @property
    def over_bytes(self) -> int:
        return self.used_bytes - self.allowed_bytes

    @property
    def is_over(self) -> bool:
        return self.used_bytes > self.allowed_bytes

    @property
    def is_near(self) -> bool:
        return not self.is_over and self.used_bytes >= NEAR * self.allowed_bytes


def uses(sizes: Sizes) -> tuple[Use, ...]:
    """Every limit that holds: a layer that no function mounts is held against AWS's by itself."""
    mounted = {layer.key for one in sizes.functions for layer in one.layers}
    alone = [FunctionSize(layer) for layer in sizes.layers if layer.key not in mounted]
    return (
        *(
            Use(Limit.BUDGET, (one,), one.bytes, one.budget_bytes)
            for one in sizes.artifacts
            if one.budget_bytes is not None
        ),
        *(Use(Limit.AWS, one.mounted, one.effective_bytes, LAMBDA_LIMIT_BYTES) for one in (*sizes.functions, *alone)),
    )


def exceeded(sizes: Sizes, comparison: Comparison | None = None) -> tuple[Finding, ...]:
    """What is over a limit; with a comparison, what grew most since then."""
    return tuple(sorted(_finding(one, sizes, comparison) for one in uses(sizes) if one.is_over))


def near(sizes: Sizes) -> tuple[Finding, ...]:
    """What has used four fifths of a limit."""
    return tuple(
        sorted(
            Finding(one.subject.where, f"{_used(one)}, {units.percent(one.used_bytes, one.allowed_bytes)}")
            for one in uses(sizes)
            if one.is_near
        )
    )


def severity(artifact: Artifact, sizes: Sizes) -> str:
    """`over`, `near` or empty, by the worst of the limits that hold for an artifact."""
    held = [one for one in uses(sizes) if one.subject.key == artifact.key]
    return "over" if any(one.is_over for one in held) else "near" if any(one.is_near for one in held) else ""


def _finding(use: Use, sizes: Sizes, comparison: Comparison | None) -> Finding:
    over = f"{_used(use)}, over it by {units.text(use.over_bytes)} ({use.over_bytes:,} bytes)"
    why = [over, *_made_of(use), *_biggest(use), *_grown(use, comparison)]
    return Finding(use.subject.where, "; ".join(why), _mend(use, sizes.root, comparison))


def _used(use: Use) -> str:
    if use.limit is Limit.AWS:
        what = "function and layers are" if use.subject.kind is Kind.FUNCTION else "the layer is"
        return f"{what} {units.text(use.used_bytes)} unzipped of AWS's {LAMBDA_LIMIT_BYTES:,} bytes"
    what = "its own tree" if use.subject.kind is Kind.FUNCTION else "the layer"
    return f"{what} is {units.text(use.used_bytes)} of its budget of {units.text(use.allowed_bytes)}"


def _made_of(use: Use) -> list[str]:
    if len(use.artifacts) == 1:
        return []
    told = (f"{one.logical_id} {units.text(one.bytes)}" for one in use.artifacts)
    return [", ".join(told)]


def _biggest_part(use: Use) -> tuple[Artifact, Part] | None:
    found = [(artifact, part) for artifact in use.artifacts for part in artifact.parts]
    return max(found, key=lambda one: one[1].bytes, default=None)


def _grown_most(use: Use, comparison: Comparison | None) -> tuple[Artifact, PartChange] | None:
    if comparison is None:
        return None
    found = [
        (artifact, part)
        for artifact in use.artifacts
        if (change := comparison.of(artifact)) and change.before
        for part in change.parts
        if part.bytes > 0
    ]
    return max(found, key=lambda one: one[1].bytes, default=None)


def _biggest(use: Use) -> list[str]:
    found = _biggest_part(use)
    if found is None:
        return []
    artifact, part = found
    place = "" if part.is_distribution else f" (most of it {next(iter(part.places))})" if part.places else ""
    return [f"the biggest is {part.label}{place}, {units.text(part.bytes)}{_inside(use, artifact)}"]


def _grown(use: Use, comparison: Comparison | None) -> list[str]:
    found = _grown_most(use, comparison)
    if comparison is None:
        return []
    if found is None:
        return [f"nothing in it grew since {comparison.label}"]
    artifact, part = found
    told = f"{part.name} ({part.versions})" if part.versions else part.name
    return [f"since {comparison.label} {told} grew most, {units.signed(part.bytes)}{_inside(use, artifact)}"]


def _inside(use: Use, artifact: Artifact) -> str:
    return f" in {artifact.logical_id}" if len(use.artifacts) > 1 else ""


def _mend(use: Use, root: Path | None, comparison: Comparison | None) -> str:
    """Of what grew, else of what is biggest, the line that asks for it; then the line of the budget."""
    grown, biggest = _grown_most(use, comparison), _biggest_part(use)
    lighter = "make it smaller"
    if grown:
        lighter = _lighter(root, grown[0], grown[1].name)
    elif biggest:
        lighter = _lighter(root, biggest[0], biggest[1].name)
    if use.limit is Limit.AWS:
        return f"{lighter}, or split the function: AWS's limit cannot be raised"
    return f"{lighter}, or {_raise(root, use.subject)}"


def _lighter(root: Path | None, artifact: Artifact, name: str) -> str:
    smaller = f"make {artifact.source or artifact.logical_id} smaller"
    if root is None or not artifact.source or name in (OWN, LOOSE):
        return smaller
    place, asked = lines.of_requirement(root, artifact.source, name)
    if not place:
        return smaller
    if not asked:
        return f"drop, pin or replace what brings {name} in {place}"
    return f"drop, pin or replace {asked} at {place}{'' if asked == name else f', which brings {name}'}"


def _raise(root: Path | None, artifact: Artifact) -> str:
    if root is None:
        return "raise its BudgetMB"
    at = lines.of_budget(root, artifact.template, artifact.logical_id)
    if at:
        return f"raise its BudgetMB at {at}"
    own = lines.of_resource(root, artifact.template, artifact.logical_id)
    default = lines.of_default(root, _DEFAULTS[artifact.kind]) or lines.PYPROJECT
    return f"give it Metadata: {{Alchemiser: {{BudgetMB: …}}}} at {own}, or raise the default at {default}"
