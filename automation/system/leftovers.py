"""What deployments leave over in an account: versions, objects, change sets. No SDK is imported here."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, order=True)
class FunctionVersion:
    """A published version of a function.

    Attributes:
        function: its physical name.
        version: its number; never `$LATEST`.
        arn: with the version.
        digest: the SHA-256 of its code, in base64.
        layers: the ARNs of the layer versions that it uses.
        modified_at: aware.
    """

    function: str
    version: int
    arn: str
    digest: str
    size_bytes: int
    modified_at: datetime
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class LayerVersion:
    """A version of a layer. `created_at` is aware."""

    layer: str
    version: int
    arn: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LayerContent:
    """The content of a layer version: the SHA-256 of its zip, in base64, and the size of the zip."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True, order=True)
class StoredObject:
    """A version of an object in a bucket.

    Attributes:
        version_id: `null` in a bucket without versioning.
        modified_at: aware.
        is_latest: whether a reader of the key gets this version.
    """

    bucket: str
    key: str
    version_id: str
    size_bytes: int
    modified_at: datetime
    is_latest: bool = True


@dataclass(frozen=True, slots=True)
class WaitingChangeSet:
    """A change set that was not executed. `created_at` is aware."""

    id: str
    name: str
    stack_id: str
    stack_name: str
    created_at: datetime
