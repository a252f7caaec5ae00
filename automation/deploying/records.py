"""Records of what was last deployed to each stack: a stack that is still as recorded is not deployed again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from automation.building import outputs
from automation.system import files
from automation.system.aws import StackState
from automation.system.targets import Target


@dataclass(frozen=True, slots=True)
class Record:
    """One finished deployment.

    Attributes:
        digest: of the template, its zips and the parameters; see `deployment_digest`.
        stack_id, changed_at: the stack as this deployment left it.
        is_smoked: whether every function has answered the smoke test since.
    """

    digest: str
    stack_id: str
    changed_at: str
    is_smoked: bool = False


def deployment_digest(template: Path, parameters: Mapping[str, str]) -> str:
    """Return one digest of a packed template, its zips and the parameters; empty for a template that names folders."""
    zips = template.parent / outputs.ZIPS
    if template.name != outputs.PACKED or not zips.is_dir():
        return ""

    parts: list[str | bytes] = [template.read_bytes(), json.dumps(dict(parameters), sort_keys=True)]
    for name, digest in files.digest_tree(zips).items():
        parts += [name, digest]
    return files.digest_of(parts)


def is_up_to_date(path: Path, digest: str, state: StackState) -> bool:
    """Return whether exactly this was deployed and the stack is still as that deployment left it."""
    is_settled = state.status.endswith("_COMPLETE") and "ROLLBACK" not in state.status
    record = read(path)
    if not digest or not is_settled or record is None:
        return False
    return (record.digest, record.stack_id, record.changed_at) == (digest, state.stack_id, state.changed_at)


def is_smoked(path: Path) -> bool:
    """Return whether the recorded deployment has passed its smoke test."""
    record = read(path)
    return record is not None and record.is_smoked


def write(path: Path, digest: str, state: StackState) -> None:
    """Write down what was deployed, not smoked yet; without a digest remove the record: nothing may be skipped then."""
    if digest:
        _write(path, Record(digest, state.stack_id, state.changed_at))
    else:
        files.remove(path)


def mark_smoked(path: Path) -> None:
    """Record that the deployment has passed its smoke test; without a record there is nothing to mark."""
    record = read(path)
    if record is not None:
        _write(path, replace(record, is_smoked=True))


def read(path: Path) -> Record | None:
    """Return the record; None when it is missing or cannot be read."""
    try:
        content = json.loads(path.read_text())
        return Record(content["made_of"], content["stack_id"], content["changed_at"], content.get("smoked") is True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def path_of(root: Path, target: Target, stack_name: str) -> Path:
    """Return where the record of a stack is kept: one file per stack and target."""
    target_digest = files.digest_of([target.endpoint, target.region, target.key_id])[:16]
    return root / ".alchemiser" / "deployed" / f"{stack_name}-{target_digest}.json"


def _write(path: Path, record: Record) -> None:
    content = {
        "made_of": record.digest,
        "stack_id": record.stack_id,
        "changed_at": record.changed_at,
        "smoked": record.is_smoked,
    }
    files.write_atomically(path, json.dumps(content))
