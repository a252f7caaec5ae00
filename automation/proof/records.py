"""The records of a passed proof, with what it showed, and of sizes within their limits.

The same state is neither proven nor measured again.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automation.project.model import Project
from automation.project.sam_configuration import SAMCONFIG
from automation.system import files, packages, tools

_RECORD = ".alchemiser/proven.json"
_WITHIN_LIMITS = ".alchemiser/within_limits"


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources that a proof compared with the build: their paths relative to the root, and their fingerprint."""

    paths: tuple[str, ...] = ()
    fingerprint: str = ""


def state(project: Project) -> str:
    """Return a digest of everything a proof depends on.

    These are the builds and their parameters, templates, settings, the message registry, our own rules, this Python
    and the packages of the runtime.
    """
    root = project.root
    builds = [files.signature(root / stack.build_dir) for stack in project.stacks]
    parameters = json.dumps([sorted(stack.parameters.items()) for stack in project.stacks])
    named = [*(stack.template.path for stack in project.stacks), "pyproject.toml", SAMCONFIG, "locks/runtime.txt"]
    texts = [b"".join([name.encode(), (root / name).read_bytes()]) for name in named if (root / name).is_file()]
    registry = _registry(project)
    return files.digest_of([*builds, parameters, *texts, registry, _sdk(root), sys.version, packages.own_code()])


def _registry(project: Project) -> str:
    """Return a fingerprint of the project's own package that has the message registry, which the proof imports."""
    top = project.settings.messages.partition(":")[0].partition(".")[0]
    if not top:
        return ""
    return files.signature(project.root / top) + files.signature(project.root / f"{top}.py")


def _sdk(root: Path) -> str:
    """Return a fingerprint of the SDK that stands in for the runtime's; empty when a lock names its versions."""
    if tools.lock_file(root, "runtime").is_file():
        return ""
    from automation.lambda_runtime import runtime  # noqa: PLC0415 - slow to import, and not needed with a lock

    # A new version of a package rewrites its first file.
    firsts = [path / "__init__.py" if path.is_dir() else path for path in runtime.own_sdk().values()]
    return " ".join(f"{path} {files.signature(path)}" for path in firsts)


def read(root: Path, state: str) -> Mapping[str, Any] | None:
    """Return the record of the last proof; None when it was of another state, or cannot be read."""
    try:
        record: dict[str, Any] = json.loads((root / _RECORD).read_bytes())
        return record if record["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(root: Path, proven: str, shown: Mapping[str, Any] | None, *, sources: Sources | None = None) -> None:
    """Write the record.

    Args:
        proven: the state before the proof began: what changes meanwhile is proven again.
        shown: what the proof showed; None when another proof of the same state might show more.
        sources: those that the build is not older than; None when it is older, or it is not known.
    """
    record = {"state": proven, "shown": shown, "sources": asdict(sources) if sources else None}
    files.write_atomically(root / _RECORD, json.dumps(record))


def sources(root: Path, paths: Iterable[str]) -> Sources:
    """Return sources with their fingerprint of now."""
    listed = tuple(sorted(set(paths)))
    return Sources(listed, files.digest_of(files.signature(root / path) for path in listed))


def has_same_sources(root: Path, record: Mapping[str, Any]) -> bool:
    """Return whether no source has changed since the build was proven not to be older than it."""
    try:
        noted = record["sources"]
        return bool(noted["paths"]) and noted["fingerprint"] == sources(root, noted["paths"]).fingerprint
    except (KeyError, TypeError, ValueError):
        return False


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
