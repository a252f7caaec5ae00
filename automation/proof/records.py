"""The record of a passed proof, with what it showed: the same state is not proven again."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.project.model import Project
from automation.project.sam_configuration import SAMCONFIG
from automation.system import files, packages

_RECORD = ".alchemiser/proven.json"


def state(project: Project) -> str:
    """Return a digest of everything a proof depends on: builds, templates, settings, rules and runtime packages."""
    root = project.root
    builds = [files.signature(root / stack.build_dir) for stack in project.stacks]
    named = [*(stack.template.path for stack in project.stacks), "pyproject.toml", SAMCONFIG, "locks/runtime.txt"]
    texts = [(root / name).read_bytes() for name in named if (root / name).is_file()]
    return files.digest_of([*builds, *texts, sys.version, packages.own_code()])


def read(project: Project) -> Mapping[str, Any] | None:
    """Return the record of the last proof; None when it was of another state, or cannot be read."""
    try:
        record: dict[str, Any] = json.loads((project.root / _RECORD).read_bytes())
        return record if record["state"] == state(project) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(root: Path, proven: str, shown: Mapping[str, Any] | None) -> None:
    """Write the record.

    Args:
        proven: the state before the proof began: what changes meanwhile is proven again.
        shown: what the proof showed; None when another proof of the same state might show more.
    """
    files.write_atomically(root / _RECORD, json.dumps({"state": proven, "shown": shown}))
