"""Remember how long the handlers took to import on this machine, for comparison: `.alchemiser/coldstart.json`."""

import json
from collections.abc import Mapping
from pathlib import Path

from automation.system import files

RECORD = ".alchemiser/coldstart.json"
_FORMAT = 1

type Medians = Mapping[tuple[str, str], float]  # milliseconds, by stack and logical id


def write(root: Path, medians_ms: Medians) -> None:
    """Store the medians; those of other functions stay as they are."""
    merged = {**read(root), **medians_ms}
    rows = [{"stack": stack, "name": name, "median_ms": median} for (stack, name), median in sorted(merged.items())]
    files.write_atomically(root / RECORD, json.dumps({"format": _FORMAT, "functions": rows}, indent=1))


def read(root: Path) -> dict[tuple[str, str], float]:
    """Return the medians; empty when nothing was measured, or the record cannot be read."""
    try:
        document = json.loads((root / RECORD).read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            return {}
        return {(row["stack"], row["name"]): float(row["median_ms"]) for row in document["functions"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
