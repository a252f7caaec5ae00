"""Convert sizes over time to the JSON that `inv size --history --json` prints; docs/sizes.md documents the keys."""

from typing import Any

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import history, record
from automation.sizing.history import Growth, History, Point, ReleaseSizes, Series

FORMAT = 1


def as_json(sizes: History) -> dict[str, Any]:
    """Return everything known, in bytes; releases and points are oldest first."""
    return {
        "format": FORMAT,
        "environment": sizes.environment,
        "limit_bytes": LAMBDA_LIMIT_BYTES,
        "grew": {"share": history.GREW_SHARE, "bytes": history.GREW_BYTES},
        "releases": [_release(release) for release in sizes.releases],
        "series": [_series(series) for series in sizes.series],
        "growths": [_growth(growth) for growth in sizes.growths],
        "notes": list(sizes.notes),
    }


def _release(release: ReleaseSizes) -> dict[str, Any]:
    return {
        "release": release.name,
        "commit": release.commit,
        "is_dirty": release.is_dirty,
        "created_at": release.created_at,
        "tags": list(release.tags),
    }


def _series(series: Series) -> dict[str, Any]:
    return _subject(series) | {
        "limit_bytes": series.limit_bytes,
        "points": [_point(point) for point in series.points],
    }


def _subject(series: Series) -> dict[str, Any]:
    return {"kind": str(series.kind), "stack": series.stack, "name": series.logical_id}


def _point(point: Point) -> dict[str, Any]:
    parts = [{"name": part.name, "version": part.version, "bytes": part.bytes} for part in point.parts]
    return {"release": point.release.name, "bytes": point.bytes, "parts": parts}


def _growth(growth: Growth) -> dict[str, Any]:
    return _subject(growth.series) | {
        "release": growth.after.release.name,
        "from_bytes": growth.before.bytes,
        "to_bytes": growth.after.bytes,
        "bytes": growth.bytes,
        "parts": [record.part_change(part) for part in growth.parts],
    }
