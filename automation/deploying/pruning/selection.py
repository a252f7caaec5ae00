"""What a prune deletes, chosen from what is in the account. Nothing is asked or changed here."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from automation.deploying.releases.records import Release
from automation.deploying.stacks import change_sets
from automation.system.digests import base64_of
from automation.system.leftovers import FunctionVersion, LayerContent, LayerVersion, StoredObject, WaitingChangeSet

_SHA256_LENGTH = 64
# What our own upload and SAM's name after a digest; any other object is somebody else's.
_ARTIFACT = re.compile(r"(?:[0-9a-f]{64}|[0-9a-f]{32})(?:\.(?:zip|json|template))?")
_CHANGE_SET = re.compile(rf"{change_sets.NAME}-[0-9a-f]{{8}}")


@dataclass(frozen=True, slots=True)
class InUse:
    """What must stay.

    Attributes:
        digests: of the artifacts of the releases that are kept, in hexadecimal.
        physical_ids: of the resources of the stacks.
        young_since: what is newer stays, aware: a deployment may be about to use it.
    """

    digests: frozenset[str]
    physical_ids: frozenset[str]
    young_since: datetime

    @property
    def code_digests(self) -> frozenset[str]:
        """The digests of code, in base64 as Lambda reports them."""
        return frozenset(base64_of(digest) for digest in self.digests if len(digest) == _SHA256_LENGTH)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a prune deletes.

    Attributes:
        releases: those that cannot be restored afterwards; they stay in the list.
    """

    releases: tuple[Release, ...] = ()
    change_sets: tuple[WaitingChangeSet, ...] = ()
    functions: tuple[FunctionVersion, ...] = ()
    layers: Mapping[LayerVersion, LayerContent] = field(default_factory=dict)
    objects: tuple[StoredObject, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.releases or self.change_sets or self.functions or self.layers or self.objects)

    @property
    def size_bytes(self) -> int:
        """The bytes of code and objects that are deleted."""
        sizes = chain(
            (version.size_bytes for version in self.functions),
            (content.size_bytes for content in self.layers.values()),
            (entry.size_bytes for entry in self.objects),
        )
        return sum(sizes)


def old_functions(
    versions: Iterable[FunctionVersion], aliased: Mapping[str, Collection[int]], in_use: InUse
) -> tuple[FunctionVersion, ...]:
    """Return the versions of functions that no alias, stack or kept release uses.

    Args:
        aliased: the versions that aliases use, by function.
    """
    digests = in_use.code_digests
    return tuple(
        version
        for version in sorted(versions)
        if version.version not in aliased.get(version.function, ())
        and version.arn not in in_use.physical_ids
        and version.digest not in digests
        and version.modified_at <= in_use.young_since
    )


def unused_layers(
    versions: Iterable[LayerVersion],
    users: Mapping[tuple[str, str], Collection[str]],
    deleted: Iterable[FunctionVersion],
    in_use: InUse,
) -> tuple[LayerVersion, ...]:
    """Return the versions of layers that neither a stack nor a function that stays uses.

    Args:
        users: the layers of each version of each function of the account, by function and version.
        deleted: the versions of functions that are deleted.
    """
    gone = {(version.function, str(version.version)) for version in deleted}
    used = set(chain.from_iterable(layers for user, layers in users.items() if user not in gone))
    return tuple(
        version
        for version in sorted(versions)
        if version.arn not in used
        and version.arn not in in_use.physical_ids
        and version.created_at <= in_use.young_since
    )


def old_layers(contents: Mapping[LayerVersion, LayerContent], in_use: InUse) -> dict[LayerVersion, LayerContent]:
    """Return those of the unused layers whose content no kept release has."""
    digests = in_use.code_digests
    return {version: content for version, content in contents.items() if content.digest not in digests}


def old_objects(objects: Iterable[StoredObject], in_use: InUse) -> tuple[StoredObject, ...]:
    """Return the artifacts that no kept release uses.

    Args:
        objects: those that `is_artifact` accepts.
    """
    return tuple(
        entry
        for entry in sorted(objects)
        if digest_of(entry.key) not in in_use.digests and entry.modified_at <= in_use.young_since
    )


def old_change_sets(waiting: Iterable[WaitingChangeSet], in_use: InUse) -> tuple[WaitingChangeSet, ...]:
    """Return the change sets of this program that nobody has executed: of failed ones and of plans never deployed."""
    return tuple(
        change_set
        for change_set in waiting
        if _CHANGE_SET.fullmatch(change_set.name) and change_set.created_at <= in_use.young_since
    )


def is_artifact(key: str, folder: str) -> bool:
    """Return whether an object lies in a folder, not below it, under a name that our upload or SAM's gives."""
    parent, _, name = key.rpartition("/")
    return parent == folder and _ARTIFACT.fullmatch(name) is not None


def digest_of(key: str) -> str:
    """Return the digest in the key of an artifact."""
    return key.rpartition("/")[2].partition(".")[0]
