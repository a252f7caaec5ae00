"""The facts of modules from earlier proofs, by what they were read from: a source that is the same is not read again.

The file may be deleted at any time. One that is damaged, or of other rules or another Python, counts as empty.
"""

import io
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from automation.proof import literals, module_facts
from automation.proof.module_facts import Module, ModuleFacts
from automation.system import files

_FILE = ".alchemiser/facts.pickle"
_MOST = 5000
_CLASSES: Mapping[tuple[str, str], Any] = {
    ("pathlib", "PurePosixPath"): PurePosixPath,
    **{
        (known.__module__, known.__name__): known
        for known in (
            literals.LambdaPath,
            module_facts.Import,
            module_facts.ModuleFacts,
            module_facts.Opened,
            module_facts.Read,
            module_facts.When,
        )
    },
}


def key(code: bytes, module: Module) -> str:
    """Return what the facts of a source depend on, beside the rules and this Python."""
    return files.digest_of([code, repr(module)])


def read(root: Path) -> dict[str, ModuleFacts]:
    """Return the facts that are known, by `key`."""
    try:
        reader, facts = (root / _FILE).read_bytes().split(b"\n", 1)
        known = _Unpickler(io.BytesIO(facts)).load() if reader.decode() == _reader() else {}
    except Exception:
        # A damaged pickle may raise anything.
        return {}
    return known if isinstance(known, dict) else {}


def write(root: Path, known: Mapping[str, ModuleFacts], used: Mapping[str, ModuleFacts]) -> None:
    """Write the known facts with those that a proof has used, if there are new ones; the latest are kept."""
    if used.keys() <= known.keys():
        return
    unused = {name: facts for name, facts in known.items() if name not in used}
    latest = dict([*unused.items(), *used.items()][-_MOST:])
    files.write_atomically(root / _FILE, _reader().encode() + b"\n" + pickle.dumps(latest))


class _Unpickler(pickle.Unpickler):
    """Makes nothing but facts, so that a file of somebody else cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        return _CLASSES[module, name]


def _reader() -> str:
    """Return a digest of what reads the facts: the code of this package, and this Python."""
    return files.digest_of([sys.version, *(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))])
