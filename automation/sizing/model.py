"""Sizes as values: an artifact and its parts, a function with its layers, the whole deployment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

OWN_CODE = "(own code)"
NO_DISTRIBUTION = "(no distribution)"


class ArtifactKind(StrEnum):
    """Whether an artifact is a function's own code or a layer."""

    FUNCTION = "function"
    LAYER = "layer"


@dataclass(frozen=True, slots=True)
class Part:
    """The files of one distribution in an artifact.

    Attributes:
        name: the normalised name of the distribution; `OWN_CODE` for files of the code folder, `NO_DISTRIBUTION` for
            files that no distribution owns.
        version: empty for files that belong to no distribution.
        bytes: the size of all its files, bytecode included.
        bytecode_bytes: the size of its bytecode.
        places: bytes by path of its biggest folders and files, biggest first; bytecode counts for its module.
    """

    name: str
    version: str
    bytes: int
    bytecode_bytes: int = 0
    places: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_distribution(self) -> bool:
        return self.name not in (OWN_CODE, NO_DISTRIBUTION)

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, slots=True)
class ArtifactSize:
    """The size of one function's own code or of one layer.

    Attributes:
        bytes: unzipped.
        sha256: the digest of its zip: artifacts with the same digest are uploaded once.
        budget_bytes: the limit of its unzipped size; None when it has no budget.
        parts: biggest first.
        template: the path of the template that declares it.
        source: its code folder, relative to the project root; empty when its path is only known at deploy time.
        pruned_bytes: what the build left out of its packages: tests, stubs and programs that nothing refers to.
    """

    kind: ArtifactKind
    stack: str
    logical_id: str
    bytes: int
    zipped_bytes: int = 0
    sha256: str = ""
    budget_bytes: int | None = None
    parts: tuple[Part, ...] = ()
    template: str = ""
    source: str = ""
    pruned_bytes: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.stack, self.logical_id

    @property
    def where(self) -> str:
        return f"{self.template or self.stack}: {self.logical_id}"


@dataclass(frozen=True, slots=True)
class FunctionSize:
    """The size of a function with the layers it mounts.

    Attributes:
        own: its own code, without layers.
        layers: its layers from the same template, in mount order.
        unmeasured_layers: layers from elsewhere; AWS counts their bytes, these numbers do not.
    """

    own: ArtifactSize
    layers: tuple[ArtifactSize, ...] = ()
    unmeasured_layers: tuple[str, ...] = ()

    @property
    def logical_id(self) -> str:
        return self.own.logical_id

    @property
    def mounted(self) -> tuple[ArtifactSize, ...]:
        return (self.own, *self.layers)

    @property
    def effective_bytes(self) -> int:
        """Return the unzipped size with every layer, which AWS compares with its limit."""
        return sum(artifact.bytes for artifact in self.mounted)

    @property
    def zipped_bytes(self) -> int:
        """Return the zipped size with every layer, which a cold start downloads."""
        return sum(artifact.zipped_bytes for artifact in self.mounted)


@dataclass(frozen=True, slots=True)
class Totals:
    """The size of the whole deployment; artifacts with the same content count once.

    Attributes:
        artifacts: how many artifacts there are.
        unique: how many of them have different content.
    """

    artifacts: int
    unique: int
    bytes: int
    zipped_bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of every function and layer of a project.

    Attributes:
        not_built: functions and layers without an artifact, which are not measured.
        runtime_distributions: the normalised names of the distributions in the managed runtime.
        root: the project root, where findings look up line numbers; None for sizes read from a file.
    """

    functions: tuple[FunctionSize, ...] = ()
    layers: tuple[ArtifactSize, ...] = ()
    not_built: tuple[str, ...] = ()
    runtime_distributions: frozenset[str] = frozenset()
    root: Path | None = None

    @property
    def artifacts(self) -> tuple[ArtifactSize, ...]:
        """Return every layer, then every function's own code."""
        return (*self.layers, *(function.own for function in self.functions))

    @property
    def totals(self) -> Totals:
        unique = [group[0] for group in group_by_content(self.artifacts)]
        return Totals(
            artifacts=len(self.artifacts),
            unique=len(unique),
            bytes=sum(artifact.bytes for artifact in unique),
            zipped_bytes=sum(artifact.zipped_bytes for artifact in unique),
        )

    def label(self, artifact: ArtifactSize) -> str:
        """Return its logical id, followed by its stack when another stack has the same logical id."""
        for twin in self.artifacts:
            if twin.logical_id == artifact.logical_id and twin.stack != artifact.stack:
                return f"{artifact.logical_id} ({artifact.stack})"
        return artifact.logical_id

    def labels(self, artifacts: Iterable[ArtifactSize]) -> str:
        """Return the labels of several artifacts, separated by commas."""
        return ", ".join(self.label(artifact) for artifact in artifacts)


def group_by_content(artifacts: Iterable[ArtifactSize]) -> tuple[tuple[ArtifactSize, ...], ...]:
    """Group artifacts with the same content, in order of first appearance; one without a digest is its own group."""
    groups: dict[object, list[ArtifactSize]] = {}
    for artifact in artifacts:
        groups.setdefault(artifact.sha256 or artifact.key, []).append(artifact)
    return tuple(tuple(group) for group in groups.values())
