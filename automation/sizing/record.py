"""Convert sizes to the JSON that `inv size --json` prints, and back, so that it can be a baseline later.

docs/sizes.md documents the keys; `format` increases when the meaning of a key changes.
"""

import json
from collections.abc import Mapping
from typing import Any

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import budgets, overlaps
from automation.sizing.changes import PartChange, SizeChange, SizeComparison
from automation.sizing.model import ArtifactKind, ArtifactSize, FunctionSize, Part, Sizes, Totals
from automation.sizing.overlaps import DistributionOverlap
from automation.system.errors import ConfigurationError, Finding

FORMAT = 1
_NOT_SIZES = "is not the output of inv size --json"


def as_json(sizes: Sizes, comparison: SizeComparison | None = None) -> dict[str, Any]:
    """Return everything known, in bytes; `change` and `baseline` are null without a comparison."""
    return {
        "format": FORMAT,
        "limit_bytes": LAMBDA_LIMIT_BYTES,
        "baseline": comparison.label if comparison else None,
        "deployment": _totals(sizes.totals) | {"change": _totals_change(comparison)},
        "functions": [_function(function, comparison) for function in sizes.functions],
        "layers": [_artifact(layer, comparison) for layer in sizes.layers],
        "removed": _removed(comparison),
        "twice_in_a_function": [_overlap(overlap) for overlap in overlaps.within_functions(sizes)],
        "in_several_artifacts": [_overlap(overlap) for overlap in overlaps.across_artifacts(sizes)],
        "in_the_runtime": [_overlap(overlap) for overlap in overlaps.in_runtime(sizes)],
        "not_built": list(sizes.not_built),
        "notes": [*(comparison.notes if comparison else ()), *overlaps.notes(sizes)],
        "near": [_finding(finding) for finding in budgets.nearly_exceeded(sizes)],
        "exceeded": [_finding(finding) for finding in budgets.exceeded(sizes, comparison)],
    }


def parse(text: str, *, where: str) -> Sizes:
    """Read the sizes that `inv size --json` printed.

    Args:
        where: the name of the file in messages.

    Raises:
        ConfigurationError: the text is not JSON, or is not the output of `inv size --json`.
    """
    try:
        document = json.loads(text)
    except ValueError as cause:
        raise ConfigurationError(f"is not valid JSON: {cause}", where=where) from cause

    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        message = f"{_NOT_SIZES} in format {FORMAT}; write the file again with inv size --json"
        raise ConfigurationError(message, where=where)
    try:
        return _sizes(document)
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        message = f"{_NOT_SIZES}: {type(cause).__name__}: {cause}"
        raise ConfigurationError(message, where=where) from cause


def _sizes(document: Mapping[str, Any]) -> Sizes:
    layers = tuple(_read_artifact(entry, ArtifactKind.LAYER) for entry in document["layers"])
    by_key = {layer.key: layer for layer in layers}
    return Sizes(
        functions=tuple(_read_function(entry, by_key) for entry in document["functions"]),
        layers=layers,
        not_built=tuple(document["not_built"]),
    )


def _read_function(entry: Mapping[str, Any], layers: Mapping[tuple[str, str], ArtifactSize]) -> FunctionSize:
    return FunctionSize(
        own=_read_artifact(entry, ArtifactKind.FUNCTION),
        layers=tuple(layers[entry["stack"], name] for name in entry["layers"]),
        unmeasured_layers=tuple(entry["unmeasured_layers"]),
    )


def _read_artifact(entry: Mapping[str, Any], kind: ArtifactKind) -> ArtifactSize:
    is_function = kind is ArtifactKind.FUNCTION
    return ArtifactSize(
        kind=kind,
        stack=str(entry["stack"]),
        logical_id=str(entry["name"]),
        bytes=int(entry["own_bytes" if is_function else "bytes"]),
        zipped_bytes=int(entry["own_zipped_bytes" if is_function else "zipped_bytes"]),
        sha256=str(entry["sha256"]),
        budget_bytes=None if entry["budget_bytes"] is None else int(entry["budget_bytes"]),
        parts=tuple(_read_part(part) for part in entry["parts"]),
        template=str(entry["template"]),
        source=str(entry["source"]),
        pruned_bytes=int(entry.get("pruned_bytes", 0)),
    )


def _read_part(entry: Mapping[str, Any]) -> Part:
    places = {str(name): int(count) for name, count in entry["places"].items()}
    return Part(str(entry["name"]), str(entry["version"]), int(entry["bytes"]), int(entry["bytecode_bytes"]), places)


def _function(function: FunctionSize, comparison: SizeComparison | None) -> dict[str, Any]:
    own = _artifact(function.own, comparison)
    return own | {
        "own_bytes": own.pop("bytes"),
        "own_zipped_bytes": own.pop("zipped_bytes"),
        "layers": {layer.logical_id: layer.bytes for layer in function.layers},
        "unmeasured_layers": list(function.unmeasured_layers),
        "effective_bytes": function.effective_bytes,
        "zipped_bytes": function.zipped_bytes,
        "limit_used": round(function.effective_bytes / LAMBDA_LIMIT_BYTES, 4),
        "limit_headroom_bytes": LAMBDA_LIMIT_BYTES - function.effective_bytes,
    }


def _artifact(artifact: ArtifactSize, comparison: SizeComparison | None) -> dict[str, Any]:
    budget = artifact.budget_bytes
    return {
        "stack": artifact.stack,
        "name": artifact.logical_id,
        "template": artifact.template,
        "source": artifact.source,
        "bytes": artifact.bytes,
        "zipped_bytes": artifact.zipped_bytes,
        "sha256": artifact.sha256,
        "budget_bytes": budget,
        "budget_used": None if budget is None else round(artifact.bytes / budget, 4),
        "budget_headroom_bytes": None if budget is None else budget - artifact.bytes,
        "pruned_bytes": artifact.pruned_bytes,
        "parts": [_part(part) for part in artifact.parts],
        "change": _change(comparison.change_of(artifact)) if comparison else None,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "version": part.version,
        "bytes": part.bytes,
        "bytecode_bytes": part.bytecode_bytes,
        "places": dict(part.places),
    }


def _change(change: SizeChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "status": change.status.value,
        "bytes": change.bytes,
        "effective_bytes": change.effective_bytes,
        "zipped_bytes": change.zipped_bytes,
        "parts": [part_change(part) for part in change.parts],
    }


def part_change(change: PartChange) -> dict[str, Any]:
    """Return the change of one distribution; null where it was missing."""
    return {
        "name": change.name,
        "from_version": change.before.version if change.before else None,
        "to_version": change.after.version if change.after else None,
        "from_bytes": change.before.bytes if change.before else None,
        "to_bytes": change.after.bytes if change.after else None,
        "bytes": change.bytes,
    }


def _removed(comparison: SizeComparison | None) -> list[dict[str, Any]]:
    removed = [change for change in comparison.changed if change.after is None] if comparison else []
    return [{"stack": change.stack, "name": change.logical_id, "bytes": change.bytes} for change in removed]


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "artifacts": totals.artifacts,
        "unique_artifacts": totals.unique,
        "bytes": totals.bytes,
        "zipped_bytes": totals.zipped_bytes,
    }


def _totals_change(comparison: SizeComparison | None) -> dict[str, int] | None:
    if comparison is None:
        return None
    before, after = comparison.before, comparison.after
    return {"bytes": after.bytes - before.bytes, "zipped_bytes": after.zipped_bytes - before.zipped_bytes}


def _overlap(overlap: DistributionOverlap) -> dict[str, Any]:
    return {
        "name": overlap.name,
        "function": overlap.function.logical_id if overlap.function else None,
        "held_by": [
            {
                "stack": copy.artifact.stack,
                "name": copy.artifact.logical_id,
                "version": copy.part.version,
                "bytes": copy.part.bytes,
            }
            for copy in overlap.copies
        ],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {"where": finding.where, "what": finding.what, "fix": finding.fix}
