"""Sizes over time: what each release deployed, and which release made an artifact grow through which distribution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, pairwise

from automation.sizing import changes
from automation.sizing.changes import PartChange
from automation.sizing.model import OWN_CODE, ArtifactSize, Part, Sizes

# An artifact grew when it gained at least both. Less is noise: bytecode differs by a few bytes from build to build.
GREW_SHARE = 0.01
GREW_BYTES = 10_000
# A record of a release is limited to 400 kB by DynamoDB, so the smallest distributions of an artifact share one entry.
KEPT_PARTS = 50
SMALLER = "(smaller distributions)"

_VERSION = "=="

type ArtifactKey = tuple[str, str]
type SeriesKey = tuple[SeriesKind, str, str]
type Contents = Mapping[str, int]


class SeriesKind(StrEnum):
    """What a series measures: a layer, a function's own code, or a function with the layers it mounts."""

    LAYER = "layer"
    FUNCTION = "function"
    MOUNTED = "function with layers"


@dataclass(frozen=True, slots=True)
class ReleaseSizes:
    """The sizes of one release, as it recorded them.

    Attributes:
        name: such as `r7`.
        tags: the git tags of its commit.
        artifacts: the parts of each layer and of each function's own code, by stack and logical id.
        mounts: the logical ids of the layers that each function mounts, by stack and logical id of the function.
    """

    name: str
    commit: str = ""
    is_dirty: bool = False
    created_at: str = ""
    tags: tuple[str, ...] = ()
    artifacts: Mapping[ArtifactKey, tuple[Part, ...]] = field(default_factory=dict)
    mounts: Mapping[ArtifactKey, tuple[str, ...]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return its name, and its tags when it has some: `r7 (v1.3)`."""
        tags = self.tag_text
        return f"{self.name} ({tags})" if tags else self.name

    @property
    def tag_text(self) -> str:
        """Return its tags; with uncommitted changes a tag names only the commit below them."""
        changed = " + changes" if self.is_dirty else ""
        return ", ".join(f"{tag}{changed}" for tag in self.tags)

    @property
    def is_measured(self) -> bool:
        """Whether the release recorded the bytes of its distributions."""
        return bool(self.artifacts)


@dataclass(frozen=True, slots=True)
class Point:
    """The size of one series in one release."""

    release: ReleaseSizes
    parts: tuple[Part, ...]

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)


@dataclass(frozen=True, slots=True)
class Series:
    """The sizes of one artifact, or of one function with its layers, from the oldest release to the newest.

    Attributes:
        points: one per release that has the artifact; never empty.
        limit_bytes: today's budget, or AWS's limit; None when it has none.
    """

    kind: SeriesKind
    stack: str
    logical_id: str
    points: tuple[Point, ...]
    limit_bytes: int | None = None

    @property
    def scale_bytes(self) -> int:
        """Return the bytes that a whole bar stands for: the limit, or the biggest size when that is more."""
        return max(self.limit_bytes or 0, 1, *(point.bytes for point in self.points))


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive points of about the same size; a table has one row for them."""

    points: tuple[Point, ...]

    @property
    def bytes(self) -> int:
        return self.points[-1].bytes

    @property
    def releases(self) -> str:
        """Return its releases, as `r7` or `r2-r6`."""
        first, last = self.points[0].release.name, self.points[-1].release.name
        return first if first == last else f"{first}-{last}"

    @property
    def tags(self) -> str:
        """Return the tags of its releases."""
        return ", ".join(point.release.tag_text for point in self.points if point.release.tags)


@dataclass(frozen=True, slots=True)
class Growth:
    """A release that made an artifact grow.

    Attributes:
        parts: the distributions that grew, greatest growth first; layers for a function with layers.
    """

    series: Series
    before: Point
    after: Point
    parts: tuple[PartChange, ...]

    @property
    def bytes(self) -> int:
        return self.after.bytes - self.before.bytes


@dataclass(frozen=True, slots=True)
class History:
    """The sizes of an environment over time.

    Attributes:
        releases: those with sizes, oldest first.
        series: layers, then functions, then functions with layers.
        notes: what has no size, and why.
    """

    environment: str
    releases: tuple[ReleaseSizes, ...]
    series: tuple[Series, ...]
    notes: tuple[str, ...] = ()

    @property
    def growths(self) -> tuple[Growth, ...]:
        """Return every growth, in the order of the series."""
        return tuple(chain.from_iterable(growths_of(series) for series in self.series))

    def removed_in(self, series: Series) -> str:
        """Return the release that no longer has an artifact; empty when the newest release has it."""
        later = self.releases[self.releases.index(series.points[-1].release) + 1 :]
        return later[0].name if later else ""

    def label(self, series: Series) -> str:
        """Return its logical id, followed by its stack when another stack has the same logical id."""
        twins = {another.stack for another in self.series if another.logical_id == series.logical_id}
        return f"{series.logical_id} ({series.stack})" if len(twins) > 1 else series.logical_id


def contents_of(artifact: ArtifactSize) -> dict[str, int]:
    """Return the bytes of an artifact by distribution, such as `numpy==2.4.1`, as a release records them."""
    contents: dict[str, int] = {}
    for part in artifact.parts[:KEPT_PARTS]:
        contents[f"{part.name}{_VERSION}{part.version}" if part.version else part.name] = part.bytes
    smaller = sum(part.bytes for part in artifact.parts[KEPT_PARTS:])
    return contents | ({SMALLER: smaller} if smaller else {})


def contents_by_stack(sizes: Sizes) -> dict[str, dict[str, dict[str, int]]]:
    """Return the contents of every artifact, by stack and logical id."""
    contents: dict[str, dict[str, dict[str, int]]] = {}
    for artifact in sizes.artifacts:
        contents.setdefault(artifact.stack, {})[artifact.logical_id] = contents_of(artifact)
    return contents


def mounts_by_stack(sizes: Sizes) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the layers that each function mounts, by stack and logical id."""
    mounts: dict[str, dict[str, tuple[str, ...]]] = {}
    for function in sizes.functions:
        layers = tuple(layer.logical_id for layer in function.layers)
        mounts.setdefault(function.own.stack, {})[function.logical_id] = layers
    return mounts


def parts_of(contents: Contents) -> tuple[Part, ...]:
    """Return the parts that a release recorded; the reverse of `contents_of`."""
    pairs = [(label.partition(_VERSION), count) for label, count in contents.items()]
    return tuple(Part(name, version, int(count)) for (name, _, version), count in pairs)


def series_of(releases: Sequence[ReleaseSizes], limits: Mapping[SeriesKey, int]) -> tuple[Series, ...]:
    """Return one series per layer, per function and per function that mounts layers, in this order.

    Args:
        releases: oldest first.
        limits: by kind, stack and logical id.
    """
    points: dict[SeriesKey, list[Point]] = {}
    for release in releases:
        for (kind, stack, name), parts in _measured(release).items():
            points.setdefault((kind, stack, name), []).append(Point(release, parts))
    kinds = list(SeriesKind)
    keys = sorted(points, key=lambda key: kinds.index(key[0]))
    return tuple(Series(*key, tuple(points[key]), limits.get(key)) for key in keys)


def runs_of(series: Series) -> tuple[Run, ...]:
    """Return the points of a series in runs; a run ends when the size differs noticeably from its first one."""
    runs: list[Run] = []
    for point in series.points:
        if runs and not is_noticeable(runs[-1].points[0].bytes, point.bytes):
            runs[-1] = Run((*runs[-1].points, point))
        else:
            runs.append(Run((point,)))
    return tuple(runs)


def is_noticeable(before: int, after: int) -> bool:
    """Return whether two sizes differ by `GREW_SHARE` and by `GREW_BYTES`, or more."""
    return abs(after - before) >= max(GREW_BYTES, GREW_SHARE * before)


def growths_of(series: Series) -> tuple[Growth, ...]:
    """Return each release in which a series gained `GREW_SHARE` and `GREW_BYTES` or more, oldest first."""
    growths: list[Growth] = []
    for before, after in pairwise(series.points):
        if after.bytes > before.bytes and is_noticeable(before.bytes, after.bytes):
            grown = [part for part in changes.part_changes(before.parts, after.parts) if part.bytes > 0]
            growths.append(Growth(series, before, after, tuple(grown)))
    return tuple(growths)


def _measured(release: ReleaseSizes) -> dict[SeriesKey, tuple[Part, ...]]:
    """Return the parts of everything that a release measured; those of a function with layers are its artifacts."""
    parts_by_key: dict[SeriesKey, tuple[Part, ...]] = {}
    for (stack, name), parts in release.artifacts.items():
        layers = release.mounts.get((stack, name))
        parts_by_key[SeriesKind.LAYER if layers is None else SeriesKind.FUNCTION, stack, name] = parts
        if layers:
            mounted = [Part(layer, "", _bytes(release, (stack, layer))) for layer in layers]
            own = Part(OWN_CODE, "", sum(part.bytes for part in parts))
            parts_by_key[SeriesKind.MOUNTED, stack, name] = (own, *mounted)
    return parts_by_key


def _bytes(release: ReleaseSizes, key: ArtifactKey) -> int:
    return sum(part.bytes for part in release.artifacts.get(key, ()))
