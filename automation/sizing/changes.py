"""Compare two sizes of a project, down to each distribution."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from automation.sizing import units
from automation.sizing.model import ArtifactKind, ArtifactSize, FunctionSize, Part, Sizes, Totals


class ChangeStatus(StrEnum):
    """How a function or layer changed."""

    NEW = "new"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class PartChange:
    """The change of one distribution in one artifact; `before` or `after` is None when it is not in there."""

    name: str
    before: Part | None
    after: Part | None

    @property
    def bytes(self) -> int:
        return (self.after.bytes if self.after else 0) - (self.before.bytes if self.before else 0)

    @property
    def versions(self) -> str:
        """Return `2.1 -> 2.2`, `2.2, new`, `2.1, removed`, or the unchanged version."""
        old, new = (self.before.version if self.before else ""), (self.after.version if self.after else "")
        if self.before is None:
            return f"{new}, new".removeprefix(", ")
        if self.after is None:
            return f"{old}, removed".removeprefix(", ")
        return new if old == new else f"{old} -> {new}"

    @property
    def is_same(self) -> bool:
        if self.before is None or self.after is None:
            return False
        return self.before.bytes == self.after.bytes and self.before.version == self.after.version


@dataclass(frozen=True, slots=True)
class ByteCounts:
    """The bytes of a function or layer at one time.

    Attributes:
        bytes: unzipped, without layers.
        effective_bytes: unzipped, with layers; for a layer the same as `bytes`.
        zipped_bytes: zipped, with layers.
    """

    bytes: int
    effective_bytes: int
    zipped_bytes: int


_NO_BYTES = ByteCounts(0, 0, 0)


@dataclass(frozen=True, slots=True)
class SizeChange:
    """The change of a function or layer; `before` is None when it is new, `after` when it was removed.

    Attributes:
        parts: the changed distributions of its own artifact, greatest growth first.
    """

    stack: str
    logical_id: str
    before: ByteCounts | None
    after: ByteCounts | None
    parts: tuple[PartChange, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.stack, self.logical_id

    @property
    def status(self) -> ChangeStatus:
        if self.before is None:
            return ChangeStatus.NEW
        if self.after is None:
            return ChangeStatus.REMOVED
        return ChangeStatus.SAME if self.before == self.after and not self.parts else ChangeStatus.CHANGED

    @property
    def bytes(self) -> int:
        return (self.after or _NO_BYTES).bytes - (self.before or _NO_BYTES).bytes

    @property
    def effective_bytes(self) -> int:
        return (self.after or _NO_BYTES).effective_bytes - (self.before or _NO_BYTES).effective_bytes

    @property
    def zipped_bytes(self) -> int:
        return (self.after or _NO_BYTES).zipped_bytes - (self.before or _NO_BYTES).zipped_bytes

    @property
    def new_or_removed(self) -> str:
        """Return `new`, `removed`, or an empty text."""
        return self.status.value if self.status in (ChangeStatus.NEW, ChangeStatus.REMOVED) else ""


@dataclass(frozen=True, slots=True)
class SizeComparison:
    """The current sizes compared with those of a baseline.

    Attributes:
        label: the name of the baseline in messages.
        functions: every function, removed ones last.
        layers: every layer, removed ones last.
    """

    label: str
    functions: tuple[SizeChange, ...]
    layers: tuple[SizeChange, ...]
    before: Totals
    after: Totals
    notes: tuple[str, ...] = ()

    def change_of(self, artifact: ArtifactSize) -> SizeChange | None:
        """Return the change of a function or layer; None when it is in neither of the sizes."""
        return next((change for change in (*self.functions, *self.layers) if change.key == artifact.key), None)

    def change_text(self, artifact: ArtifactSize) -> str:
        """Return a table cell: `new`, `removed`, or the change in bytes, with layers for a function."""
        change = self.change_of(artifact)
        if change is None:
            return ""
        count = change.effective_bytes if artifact.kind is ArtifactKind.FUNCTION else change.bytes
        return change.new_or_removed or units.format_change(count)

    @property
    def changed(self) -> tuple[SizeChange, ...]:
        changes = (*self.functions, *self.layers)
        return tuple(change for change in changes if change.status is not ChangeStatus.SAME)


def compare(before: Sizes, after: Sizes, *, label: str, notes: Sequence[str] = ()) -> SizeComparison:
    """Compare function by function and layer by layer, each identified by its stack and logical id."""
    return SizeComparison(
        label=label,
        functions=_changes(before.functions, after.functions),
        layers=_changes(map(FunctionSize, before.layers), map(FunctionSize, after.layers)),
        before=before.totals,
        after=after.totals,
        notes=tuple(notes),
    )


def part_changes(before: Iterable[Part], after: Iterable[Part]) -> tuple[PartChange, ...]:
    """Return the parts that differ, greatest growth first."""
    old, new = {part.name: part for part in before}, {part.name: part for part in after}
    changes = [PartChange(name, old.get(name), new.get(name)) for name in {**old, **new}]
    differing = [change for change in changes if not change.is_same]
    return tuple(sorted(differing, key=lambda change: (-change.bytes, change.name)))


def _changes(before: Iterable[FunctionSize], after: Iterable[FunctionSize]) -> tuple[SizeChange, ...]:
    old, new = {size.own.key: size for size in before}, {size.own.key: size for size in after}
    keys = [*new, *(key for key in old if key not in new)]
    return tuple(_change(key, old.get(key), new.get(key)) for key in keys)


def _change(key: tuple[str, str], before: FunctionSize | None, after: FunctionSize | None) -> SizeChange:
    parts = part_changes(before.own.parts if before else (), after.own.parts if after else ())
    return SizeChange(*key, _byte_counts(before), _byte_counts(after), parts)


def _byte_counts(size: FunctionSize | None) -> ByteCounts | None:
    return ByteCounts(size.own.bytes, size.effective_bytes, size.zipped_bytes) if size else None
