"""The records of a passed proof, with what it showed, and of sizes within their limits.

The same state is neither proven nor measured again.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.project.model import Project
from automation.project.sam_configuration import SAMCONFIG
from automation.system import files, packages

_RECORD = ".alchemiser/proven.json"
_WITHIN_LIMITS = ".alchemiser/within_limits"


def state(project: Project) -> str:
    """Return a digest of everything a proof depends on: builds, templates, settings, rules and runtime packages."""
    root = project.root
    builds = [files.signature(root / stack.build_dir) for stack in project.stacks]
    named = [*(stack.template.path for stack in project.stacks), "pyproject.toml", SAMCONFIG, "locks/runtime.txt"]
    texts = [(root / name).read_bytes() for name in named if (root / name).is_file()]
    return files.digest_of([*builds, *texts, sys.version, packages.own_code()])


def read(root: Path, state: str) -> Mapping[str, Any] | None:
    """Return the record of the last proof; None when it was of another state, or cannot be read."""
    try:
        record: dict[str, Any] = json.loads((root / _RECORD).read_bytes())
        return record if record["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(root: Path, proven: str, shown: Mapping[str, Any] | None) -> None:
    """Write the record.

    Args:
        proven: the state before the proof began: what changes meanwhile is proven again.
        shown: what the proof showed; None when another proof of the same state might show more.
    """
    files.write_atomically(root / _RECORD, json.dumps({"state": proven, "shown": shown}))


def is_within_limits(root: Path, state: str) -> bool:
    """Return whether every artifact of a state was within its limits."""
    try:
        return (root / _WITHIN_LIMITS).read_text(encoding="utf-8") == state
    except (OSError, ValueError):
        return False


def note_within_limits(root: Path, measured: str) -> None:
    """Note that every artifact of a state is within its limits.

    Args:
        measured: the state before the artifacts were measured.
    """
    files.write_atomically(root / _WITHIN_LIMITS, measured)
