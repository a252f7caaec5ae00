"""Make the sizes of releases by hand."""

from collections.abc import Mapping

from automation.sizing import history
from automation.sizing.history import History, ReleaseSizes, SeriesKey, SeriesKind

APP = "app"
WHEELS: SeriesKey = (SeriesKind.LAYER, APP, "Wheels")


def sizes(
    name: str, contents: Mapping[str, Mapping[str, int]], *, tags: tuple[str, ...] = (), is_dirty: bool = False
) -> ReleaseSizes:
    """Make a release with one stack; Till mounts Wheels if the release has both."""
    mounted = ("Wheels",) if "Wheels" in contents else ()
    return ReleaseSizes(
        name=name,
        commit=f"{name}-commit-hash",
        is_dirty=is_dirty,
        created_at="2026-01-02T03:04:05+00:00",
        tags=tags,
        artifacts={(APP, artifact): history.parts_of(parts) for artifact, parts in contents.items()},
        mounts={(APP, "Till"): mounted} if "Till" in contents else {},
    )


def wheels(name: str, tags: tuple[str, ...] = (), **parts: int) -> ReleaseSizes:
    """Make a release with one layer; underscores in the names of its parts stand for `==`."""
    return sizes(name, {"Wheels": {part.replace("_", "==", 1): count for part, count in parts.items()}}, tags=tags)


def history_of(*releases: ReleaseSizes, limits: Mapping[SeriesKey, int] | None = None, notes: str = "") -> History:
    series = history.series_of(releases, limits or {})
    return History("live", releases, series, (notes,) if notes else ())
