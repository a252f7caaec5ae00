"""Compare the schemas of messages and stored items with those of the running release, and store them for the next one.

The schemas come from the project's `contracts` hooks. They are kept in the artifact bucket.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.deploying import candidates
from automation.deploying.changes.model import Action, Rank, RankedChange
from automation.deploying.stacks import uploads
from automation.deploying.verdict import contracts
from automation.system import files

_TYPE = "a contract"


@dataclass(frozen=True, slots=True)
class ContractChanges:
    """How the contracts of a build differ from those that run.

    Attributes:
        breaking: the names of messages and items that one of the two releases cannot read.
        lines: for the plan.
    """

    breaking: tuple[str, ...] = ()
    lines: tuple[RankedChange, ...] = ()


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> ContractChanges:
    """Return which contracts break; a side without schemas is not compared."""
    if not before or not after:
        return ContractChanges()
    breaking = contracts.breaking(before, after)
    lines = tuple(
        RankedChange(Rank.DATA_LOSS, "", name, _TYPE, Action.MODIFY, what, needs_attention=True)
        for name, what in breaking.items()
    )
    return ContractChanges(tuple(breaking), lines)


def load(location: str, store: uploads.Store) -> Mapping[str, Any]:
    """Return the schemas at a location in the bucket; none for an empty location.

    Raises:
        DeploymentError: S3 did not answer, or the object is gone.
    """
    if not location:
        return {}
    schemas: Mapping[str, Any] = json.loads(store.read(*candidates.location(location)))
    return schemas


def save(schemas: Mapping[str, Any], beside: str, store: uploads.Store) -> str:
    """Write schemas to the bucket unless they are there, and return their location; empty without schemas.

    Args:
        beside: the location of an object in the same folder.

    Raises:
        DeploymentError: S3 did not answer.
    """
    return write(json.dumps(schemas, sort_keys=True).encode(), beside, store) if schemas else ""


def write(content: bytes, beside: str, store: uploads.Store) -> str:
    """Write a JSON document under its digest unless it is there, and return its location.

    Raises:
        DeploymentError: S3 did not answer.
    """
    bucket, key = candidates.location(beside)
    sha256 = files.digest(content)
    folder = key.rpartition("/")[0]
    name = f"{folder}/{sha256}.json" if folder else f"{sha256}.json"
    if not store.has(bucket, name, sha256=sha256):
        store.put(bucket, name, content, sha256=sha256)
    return f"s3://{bucket}/{name}"
