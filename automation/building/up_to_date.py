"""Whether the last build of everything still stands: asked before the builder is loaded, which takes longer than this.

A note tells how many artifacts there are, and holds a digest of every byte that a build of everything reads, and one of
how its outputs look. It is written after a build that had nothing to do, and only where nothing else can matter;
whatever it does not cover is left to the builder.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from automation.system import console

_NOTE = ".alchemiser/build/up_to_date.json"
# The whole automation, not this package alone: an edited builder must not pass as up to date.
_AUTOMATION = str(Path(__file__).parent.parent)
_CACHE = "__pycache__"


class _UnclearError(Exception):
    """A folder behind a link: it may change without a trace here."""


def report_if_up_to_date(root: Path) -> bool:
    """Print what a build of everything would, if the last one still stands."""
    started = time.monotonic()
    standing = count(root)
    if standing:
        console.result(f"0 built, {standing} unchanged, {time.monotonic() - started:.1f} s")
    return standing > 0


def count(root: Path) -> int:
    """How many artifacts stand as the last build of everything left them; 0 when one of them may not."""
    try:
        note = json.loads((root / _NOTE).read_bytes())
        stands = note["inputs"] == _of_bytes(root, note["read"]) and note["outputs"] == _of_looks(root, note["built"])
        return int(note["artifacts"]) if stands else 0
    except (OSError, ValueError, KeyError, TypeError, _UnclearError):
        return 0


def write(root: Path, *, read: Iterable[str], built: Iterable[str], artifacts: int) -> None:
    """Note that everything stands.

    Args:
        read: files and folders that a build reads, relative to the root; all that is in a folder counts.
        built: files and folders that it makes.
    """
    note = root / _NOTE
    told = {"read": sorted(read), "built": sorted(built), "artifacts": artifacts}
    try:
        note.unlink(missing_ok=True)
        digests = {"inputs": _of_bytes(root, sorted(read)), "outputs": _of_looks(root, sorted(built))}
        note.write_text(json.dumps({**told, **digests}), encoding="utf-8")
    except (OSError, _UnclearError):
        return  # without a note the builder looks, which is right, too


def forget(root: Path) -> None:
    """Leave the next build to the builder."""
    (root / _NOTE).unlink(missing_ok=True)


def _of_bytes(root: Path, names: Iterable[str]) -> str:
    """A digest of every file, and of what reads them: this Python, and this automation."""
    total = hashlib.sha256(sys.version.encode())
    for path in (_AUTOMATION, *(str(root / name) for name in names)):
        for folder, looks in _folders(path, without=_CACHE):
            for name, look in looks:
                content = Path(folder, name).read_bytes()
                total.update(f"{folder} {name} {len(content)} {look.st_mode & 0o111}\n".encode())
                total.update(content)
    return total.hexdigest()


def _of_looks(root: Path, names: Iterable[str]) -> str:
    """A digest of names, sizes and times, which tells that somebody wrote there."""
    total = hashlib.sha256()
    for path in (str(root / name) for name in names):
        for folder, looks in _folders(path):
            lines = [f"{name} {look.st_size} {look.st_mtime_ns}" for name, look in looks]
            total.update("\n".join([folder, *lines]).encode())
    return total.hexdigest()


def _folders(path: str, *, without: str = "") -> Iterator[tuple[str, list[tuple[str, os.stat_result]]]]:
    """Each folder with its files, in an order that stays while nothing is renamed; of a file, that alone.

    Raises:
        OSError: nothing is there.
        _UnclearError: a link leads to a folder.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - there are thousands; a Path for each would double the time
        yield os.path.dirname(path), [(os.path.basename(path), os.stat(path))]  # noqa: PTH116, PTH119, PTH120
        return
    waiting = [path]
    while waiting:
        folder, found = waiting.pop(), []
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir():
                    found.append((entry.name, entry.stat()))
                elif entry.is_symlink():
                    raise _UnclearError(entry.path)
                elif entry.name != without:
                    waiting.append(entry.path)
        yield folder, found
