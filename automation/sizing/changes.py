"""Two sizes of a project -> what changed between them, down to the distribution."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from automation.sizing import units
from automation.sizing.model import Artifact, FunctionSize, Part, Sizes, Totals


class Status(StrEnum):
    """What became of a function or layer."""

    NEW = "new"
    REMOVED = "removed"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class PartChange:
    """What became of a distribution in one artifact; what is not there has version and bytes None."""

    name: str
    before: Part | None
    after: Part | None

    @property
    def bytes(self) -> int:
        return (self.after.bytes if self.after else 0) - (self.before.bytes if self.before else 0)

    @property
    def versions(self) -> str:
        """`2.1 -> 2.2`, `2.2, new`, `2.1, removed`, or the one version it kept."""
        old, new = (self.before.version if self.before else ""), (self.after.version if self.after else "")
        if self.before is None:
            return f"{new}, new".removeprefix(", ")
        if self.after is None:
            return f"{old}, removed".removeprefix(", ")
        return new if old == new else f"{old} -> {new}"


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes of a function or layer at one time; a layer's effective bytes are its own."""

    bytes: int
    effective_bytes: int
    zipped_bytes: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a function or layer: its own bytes, with its layers, and zipped.

    Attributes:
        parts: the distributions of its own artifact that changed, greatest growth first.
    """

    stack: str
    logical_id: str
    before: Weight | None
    after: Weight | None
    parts: tuple[PartChange, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        return self.stack, self.logical_id

    @property
    def status(self) -> Status:
        if self.before is None:
            return Status.NEW
        if self.after is None:
            return Status.REMOVED
        return Status.SAME if self.before == self.after and not self.parts else Status.CHANGED

    @property
    def bytes(self) -> int:
        return (self.after.bytes if self.after else 0) - (self.before.bytes if self.before else 0)

    @property
    def effective_bytes(self) -> int:
        return (self.after.effective_bytes if self.after else 0) - (self.before.effective_bytes if self.before else 0)

    @property
    def zipped_bytes(self) -> int:
        return (self.after.zipped_bytes if self.after else 0) - (self.before.zipped_bytes if self.before else 0)

    def told(self, count: int) -> str:
        """A count of this change as a table shows it: new, removed, or the bytes with their sign."""
        return self.status.value if self.status in (Status.NEW, Status.REMOVED) else units.signed(count)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Sizes against those of a baseline, which `label` names; what was removed stands at the end."""

    label: str
    functions: tuple[Change, ...]
    layers: tuple[Change, ...]
    before: Totals
    after: Totals
    notes: tuple[str, ...] = ()

    def of(self, artifact: Artifact) -> Change | None:
        """The change of a function's or a layer's artifact."""
        return next((one for one in (*self.functions, *self.layers) if one.key == artifact.key), None)

    @property
    def changed(self) -> tuple[Change, ...]:
        return tuple(one for one in (*self.functions, *self.layers) if one.status is not Status.SAME)


def compare(before: Sizes, after: Sizes, *, label: str, notes: Sequence[str] = ()) -> Comparison:
    """Compare function by function, layer by layer; one of another stack is another one."""
    return Comparison(
        label=label,
        functions=_changes(
            {one.own.key: (one.own, _weight(one)) for one in before.functions},
            {one.own.key: (one.own, _weight(one)) for one in after.functions},
        ),
        layers=_changes(
            {one.key: (one, _weight(FunctionSize(one))) for one in before.layers},
            {one.key: (one, _weight(FunctionSize(one))) for one in after.layers},
        ),
        before=before.totals,
        after=after.totals,
        notes=tuple(notes),
    )


type _Weighed = dict[tuple[str, str], tuple[Artifact, Weight]]


def _changes(before: _Weighed, after: _Weighed) -> tuple[Change, ...]:
    keys = [*after, *(key for key in before if key not in after)]
    return tuple(_change(key, before.get(key), after.get(key)) for key in keys)


def _change(
    key: tuple[str, str], before: tuple[Artifact, Weight] | None, after: tuple[Artifact, Weight] | None
) -> Change:
    parts = part_changes(before[0].parts if before else (), after[0].parts if after else ())
    return Change(*key, before[1] if before else None, after[1] if after else None, parts)


def part_changes(before: Iterable[Part], after: Iterable[Part]) -> tuple[PartChange, ...]:
    """The parts that differ, greatest growth first."""
    old, new = {one.name: one for one in before}, {one.name: one for one in after}
    both = [PartChange(name, old.get(name), new.get(name)) for name in {**old, **new}]
    differing = [one for one in both if one.bytes or (one.before is None) != (one.after is None) or _moved(one)]
    return tuple(sorted(differing, key=lambda one: (-one.bytes, one.name)))


def _moved(one: PartChange) -> bool:
    return bool(one.before and one.after and one.before.version != one.after.version)


def _weight(one: FunctionSize) -> Weight:
    return Weight(one.own.bytes, one.effective_bytes, one.zipped_bytes)
