"""Sizes as values: an artifact and its parts, a function over its layers, the whole deployment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

OWN = "(own code)"
LOOSE = "(no distribution)"


class Kind(StrEnum):
    """What an artifact is."""

    FUNCTION = "function"
    LAYER = "layer"


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one distribution in an artifact.

    Attributes:
        name: of the distribution, normalised; `OWN` for what lies in the code folder, `LOOSE` for what nobody names.
        version: empty for files of no distribution.
        bytes: all of its files, its bytecode among them.
        places: its biggest folders and files, biggest first, each with the bytecode of its modules.
    """

    name: str
    version: str
    bytes: int
    bytecode_bytes: int = 0
    places: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_distribution(self) -> bool:
        return self.name not in (OWN, LOOSE)

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is uploaded for one function or layer.

    Attributes:
        template: the file that declares it.
        source: its code folder, relative to the project root; empty when it is not on this disk.
        bytes: unzipped.
        sha256: of its zip: two artifacts of one digest are uploaded once.
        budget_bytes: unzipped; None when it has none.
        parts: biggest first.
    """

    kind: Kind
    stack: str
    logical_id: str
    bytes: int
    zipped_bytes: int = 0
    sha256: str = ""
    budget_bytes: int | None = None
    parts: tuple[Part, ...] = ()
    template: str = ""
    source: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.stack, self.logical_id

    @property
    def where(self) -> str:
        return f"{self.template or self.stack}: {self.logical_id}"


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """A function over the layers it mounts.

    Attributes:
        own: its own tree.
        layers: of the same template, in the order they are mounted.
        unmeasured: layers from elsewhere; they count on AWS, and are in none of these numbers.
    """

    own: Artifact
    layers: tuple[Artifact, ...] = ()
    unmeasured: tuple[str, ...] = ()

    @property
    def logical_id(self) -> str:
        return self.own.logical_id

    @property
    def mounted(self) -> tuple[Artifact, ...]:
        return (self.own, *self.layers)

    @property
    def effective_bytes(self) -> int:
        """Unzipped, with every layer: what AWS holds against its limit."""
        return sum(one.bytes for one in self.mounted)

    @property
    def zipped_bytes(self) -> int:
        """What a cold start downloads."""
        return sum(one.zipped_bytes for one in self.mounted)


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole deployment; artifacts of one content count once."""

    artifacts: int
    unique: int
    bytes: int
    zipped_bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """What every function and layer of a project weighs.

    Attributes:
        not_built: functions and layers without an artifact, so that nothing is known of them.
        runtime: the distributions that the managed runtime brings, by normalised name.
        root: where the files are whose lines a finding names; None for sizes read from a file.
    """

    functions: tuple[FunctionSize, ...] = ()
    layers: tuple[Artifact, ...] = ()
    not_built: tuple[str, ...] = ()
    runtime: frozenset[str] = frozenset()
    root: Path | None = None

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """Every layer, then every function's own."""
        return (*self.layers, *(one.own for one in self.functions))

    @property
    def totals(self) -> Totals:
        unique = [group[0] for group in alike(self.artifacts)]
        return Totals(
            artifacts=len(self.artifacts),
            unique=len(unique),
            bytes=sum(one.bytes for one in unique),
            zipped_bytes=sum(one.zipped_bytes for one in unique),
        )

    def label(self, artifact: Artifact) -> str:
        """Its logical id, with its stack where another stack has one of that name."""
        twins = (one for one in self.artifacts if one.logical_id == artifact.logical_id and one.stack != artifact.stack)
        return f"{artifact.logical_id} ({artifact.stack})" if any(twins) else artifact.logical_id


def alike(artifacts: Iterable[Artifact]) -> tuple[tuple[Artifact, ...], ...]:
    """Artifacts by content, in the order of each content's first; one without a digest is alone."""
    groups: dict[object, list[Artifact]] = {}
    for one in artifacts:
        groups.setdefault(one.sha256 or one.key, []).append(one)
    return tuple(tuple(group) for group in groups.values())
