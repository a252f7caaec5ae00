"""Sizes as JSON, and back: what `inv size --json` prints is a baseline for a later one.

docs/sizes.md holds the shape; `format` counts up when a key changes its meaning.
"""

import json
from collections.abc import Mapping
from typing import Any

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import budgets, overlaps
from automation.sizing.changes import Change, Comparison, PartChange
from automation.sizing.model import Artifact, FunctionSize, Kind, Part, Sizes, Totals
from automation.sizing.overlaps import Overlap
from automation.system.errors import ConfigurationError, Finding

FORMAT = 1


def as_json(sizes: Sizes, comparison: Comparison | None = None) -> dict[str, Any]:
    """Everything known, in bytes; `change` and `baseline` are null without a comparison."""
    return {
        "format": FORMAT,
        "limit_bytes": LAMBDA_LIMIT_BYTES,
        "baseline": comparison.label if comparison else None,
        "deployment": _totals(sizes.totals) | {"change": _totals_change(comparison)},
        "functions": [_function(one, comparison) for one in sizes.functions],
        "layers": [_artifact(one, comparison) for one in sizes.layers],
        "removed": _removed(comparison),
        "twice_in_a_function": [_overlap(one) for one in overlaps.within_functions(sizes)],
        "in_several_artifacts": [_overlap(one) for one in overlaps.across_artifacts(sizes)],
        "in_the_runtime": [_overlap(one) for one in overlaps.in_runtime(sizes)],
        "not_built": list(sizes.not_built),
        "notes": [*(comparison.notes if comparison else ()), *overlaps.notes(sizes)],
        "near": [_finding(one) for one in budgets.near(sizes)],
        "exceeded": [_finding(one) for one in budgets.exceeded(sizes, comparison)],
    }


def parse(text: str, *, where: str) -> Sizes:
    """Sizes from what `as_json` made.

    Raises:
        ConfigurationError: it is no JSON, or is not what `inv size --json` prints.
    """
    try:
        document = json.loads(text)
    except ValueError as cause:
        raise ConfigurationError(f"is not valid JSON: {cause}", where=where) from cause
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        message = (
            f"is not what inv size --json prints (its format is not {FORMAT}); write it again with inv size --json"
        )
        raise ConfigurationError(message, where=where)
    try:
        return _sizes(document)
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        message = f"is not what inv size --json prints: {type(cause).__name__}: {cause}"
        raise ConfigurationError(message, where=where) from cause


def _sizes(document: Mapping[str, Any]) -> Sizes:
    layers = tuple(_read_artifact(one, Kind.LAYER) for one in document["layers"])
    by_key = {layer.key: layer for layer in layers}
    return Sizes(
        functions=tuple(
            FunctionSize(
                own=_read_artifact(one, Kind.FUNCTION),
                layers=tuple(by_key[one["stack"], name] for name in one["layers"]),
                unmeasured=tuple(one["unmeasured_layers"]),
            )
            for one in document["functions"]
        ),
        layers=layers,
        not_built=tuple(document["not_built"]),
    )


def _read_artifact(found: Mapping[str, Any], kind: Kind) -> Artifact:
    is_function = kind is Kind.FUNCTION
    return Artifact(
        kind=kind,
        stack=str(found["stack"]),
        logical_id=str(found["name"]),
        bytes=int(found["own_bytes" if is_function else "bytes"]),
        zipped_bytes=int(found["own_zipped_bytes" if is_function else "zipped_bytes"]),
        sha256=str(found["sha256"]),
        budget_bytes=None if found["budget_bytes"] is None else int(found["budget_bytes"]),
        parts=tuple(_read_part(one) for one in found["parts"]),
        template=str(found["template"]),
        source=str(found["source"]),
    )


def _read_part(found: Mapping[str, Any]) -> Part:
    places = {str(name): int(count) for name, count in found["places"].items()}
    return Part(str(found["name"]), str(found["version"]), int(found["bytes"]), int(found["bytecode_bytes"]), places)


def _function(one: FunctionSize, comparison: Comparison | None) -> dict[str, Any]:
    own = _artifact(one.own, comparison)
    return own | {
        "own_bytes": own.pop("bytes"),
        "own_zipped_bytes": own.pop("zipped_bytes"),
        "layers": {layer.logical_id: layer.bytes for layer in one.layers},
        "unmeasured_layers": list(one.unmeasured),
        "effective_bytes": one.effective_bytes,
        "zipped_bytes": one.zipped_bytes,
        "limit_used": round(one.effective_bytes / LAMBDA_LIMIT_BYTES, 4),
        "limit_headroom_bytes": LAMBDA_LIMIT_BYTES - one.effective_bytes,
    }


def _artifact(one: Artifact, comparison: Comparison | None) -> dict[str, Any]:
    budget = one.budget_bytes
    return {
        "stack": one.stack,
        "name": one.logical_id,
        "template": one.template,
        "source": one.source,
        "bytes": one.bytes,
        "zipped_bytes": one.zipped_bytes,
        "sha256": one.sha256,
        "budget_bytes": budget,
        "budget_used": None if budget is None else round(one.bytes / budget, 4),
        "budget_headroom_bytes": None if budget is None else budget - one.bytes,
        "parts": [_part(part) for part in one.parts],
        "change": _change(comparison.of(one)) if comparison else None,
    }


def _part(one: Part) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "bytes": one.bytes,
        "bytecode_bytes": one.bytecode_bytes,
        "places": dict(one.places),
    }


def _change(one: Change | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "status": one.status.value,
        "bytes": one.bytes,
        "effective_bytes": one.effective_bytes,
        "zipped_bytes": one.zipped_bytes,
        "parts": [_part_change(part) for part in one.parts],
    }


def _part_change(one: PartChange) -> dict[str, Any]:
    return {
        "name": one.name,
        "from_version": one.before.version if one.before else None,
        "to_version": one.after.version if one.after else None,
        "from_bytes": one.before.bytes if one.before else None,
        "to_bytes": one.after.bytes if one.after else None,
        "bytes": one.bytes,
    }


def _removed(comparison: Comparison | None) -> list[dict[str, Any]]:
    gone = [one for one in comparison.changed if one.after is None] if comparison else []
    return [{"stack": one.stack, "name": one.logical_id, "bytes": one.bytes} for one in gone]


def _totals(one: Totals) -> dict[str, Any]:
    return {
        "artifacts": one.artifacts,
        "unique_artifacts": one.unique,
        "bytes": one.bytes,
        "zipped_bytes": one.zipped_bytes,
    }


def _totals_change(comparison: Comparison | None) -> dict[str, int] | None:
    if comparison is None:
        return None
    before, after = comparison.before, comparison.after
    return {"bytes": after.bytes - before.bytes, "zipped_bytes": after.zipped_bytes - before.zipped_bytes}


def _overlap(one: Overlap) -> dict[str, Any]:
    return {
        "name": one.name,
        "function": one.function.logical_id if one.function else None,
        "held_by": [
            {
                "stack": item.artifact.stack,
                "name": item.artifact.logical_id,
                "version": item.part.version,
                "bytes": item.part.bytes,
            }
            for item in one.holdings
        ],
    }


def _finding(one: Finding) -> dict[str, str]:
    return {"where": one.where, "what": one.what, "mend": one.mend}
