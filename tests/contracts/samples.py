"""The stored samples of messages and items, one per kind and form: `python -m tests.contracts.samples` adds new ones.

A sample stays as long as a release that writes its form may be deployed, or what it wrote may be stored.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desk.deployment.contracts import schemas
from desk.deployment.stored_items import STORED_ITEMS
from tests.contracts.written import as_json, written
from the_alchemiser.shared.messaging.messages import REGISTRY

FOLDER = Path(__file__).with_name("samples")
KINDS = tuple(model.__name__ for model in (*REGISTRY, *STORED_ITEMS))


def sample_name(kind: str, schema: Mapping[str, Any]) -> str:
    """Return the file name of the sample of a kind in the form of that schema."""
    digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:8]
    return f"{kind}-{digest}.json"


def kind_of(path: Path) -> str:
    """Return the kind of a sample."""
    return path.stem.rpartition("-")[0]


def missing_samples(contracts: Mapping[str, Any]) -> list[str]:
    """Return one sentence per kind that has no sample of its present form, with the command that adds one."""
    return [
        f"{kind} has a new form and no sample of it: add tests/contracts/samples/{name} by "
        "`python -m tests.contracts.samples`, keep the earlier samples, and commit it"
        for kind in KINDS
        if not (FOLDER / (name := sample_name(kind, contracts[kind]))).is_file()
    ]


def add_samples(folder: Path) -> list[str]:
    """Write the samples that are missing from a folder; return their names."""
    contracts, contents = schemas({}), written()
    added: list[str] = []
    for kind in KINDS:
        path = folder / sample_name(kind, contracts[kind])
        if not path.exists():
            path.write_text(json.dumps(as_json(contents[kind]), indent=1, sort_keys=True) + "\n")
            added.append(path.name)
    return added


if __name__ == "__main__":
    sys.stdout.writelines(f"added {name}\n" for name in add_samples(FOLDER))
