"""What was last deployed where: a deployment of the same to a stack that nobody has touched since does nothing."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from automation.building import outputs
from automation.system import files
from automation.system.aws import StackState, Target


@dataclass(frozen=True, slots=True)
class Record:
    """One finished deployment: what it was made of, and the stack as it left it."""

    made_of: str
    stack_id: str
    changed_at: str


def made_of(template: Path, parameters: Mapping[str, str]) -> str:
    """The digest of a packed template, its zips and the parameters; empty for a template that names folders."""
    zips = template.parent / outputs.ZIPS
    if template.name != outputs.PACKED or not zips.is_dir():
        return ""
    parts: list[str | bytes] = [template.read_bytes(), json.dumps(dict(parameters), sort_keys=True)]
    for name, digest in files.digest_tree(zips).items():
        parts += [name, digest]
    return files.digest_of(parts)


def is_current(path: Path, made: str, state: StackState) -> bool:
    """Was exactly this deployed, and is the stack as that left it?"""
    record = read(path)
    stands = state.status.endswith("_COMPLETE") and "ROLLBACK" not in state.status
    return bool(made) and stands and record == Record(made, state.stack_id, state.changed_at)


def write(path: Path, made: str, state: StackState) -> None:
    """Keep what was deployed, or forget what was there when it cannot be told."""
    if made:
        files.write_atomically(path, json.dumps(asdict(Record(made, state.stack_id, state.changed_at))))
    else:
        files.remove(path)


def read(path: Path) -> Record | None:
    """The record; None when there is none, or none that can be read."""
    try:
        return Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def path_of(root: Path, target: Target, stack_name: str) -> Path:
    """One record a stack of a target."""
    place = files.digest_of([target.endpoint, target.region, target.key_id])[:16]
    return root / ".alchemiser" / "deployed" / f"{stack_name}-{place}.json"
