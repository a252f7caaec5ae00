"""Find out whether the last build is up to date, without loading the builder, which would take longer.

A note holds the number of artifacts, one digest of every byte that a build of everything reads, and one digest of the
names, sizes and times of its outputs. It is written after a build that had nothing to do, and only when nothing outside
the note can matter. In every other case the builder decides.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from automation.system import console

_NOTE = ".alchemiser/build/up_to_date.json"
# All of automation, not only this package: an edited builder must never pass as up to date.
_AUTOMATION = str(Path(__file__).parent.parent)
_CACHE = "__pycache__"


class _LinkedFolderError(Exception):
    """A folder is a symbolic link, so its content may change unnoticed."""


def report_if_up_to_date(root: Path) -> bool:
    """Print the result of a build of everything if there is nothing to do; return whether that is so."""
    started = time.monotonic()
    note = _valid_note(root)
    if note is None:
        return False
    *skipped, counts = note["says"]
    for line in skipped:
        console.warning(line)
    console.result(counts)
    console.result(f"0 built, {note['artifacts']} unchanged, {time.monotonic() - started:.1f} s")
    return True


def count(root: Path) -> int:
    """Return the number of artifacts when all are up to date; 0 when one may be stale."""
    note = _valid_note(root)
    return 0 if note is None else int(note["artifacts"])


def _valid_note(root: Path) -> dict[str, Any] | None:
    """Return the note when it describes the present state; None when an artifact may be stale."""
    try:
        note: dict[str, Any] = json.loads((root / _NOTE).read_bytes())
        # The inputs first: they are what usually changes.
        is_same = note["inputs"] == _content_digest(root, note["read"])
        is_same = is_same and not any((root / name).exists() for name in note["absent"])
        is_same = is_same and note["outputs"] == _signature_digest(root, note["built"])
        return note if is_same and note["says"] and note["artifacts"] else None
    except (OSError, ValueError, KeyError, TypeError, _LinkedFolderError):
        return None


def write_note(
    root: Path,
    *,
    read: Iterable[str],
    absent: Iterable[str],
    built: Iterable[str],
    artifacts: int,
    says: Sequence[str],
) -> None:
    """Note that everything is up to date.

    Args:
        read: the files and folders that a build reads, relative to the root; everything in a folder counts.
        absent: the files that it would read if they existed.
        built: the files and folders that it writes.
        artifacts: the number of artifacts.
        says: what a build says each time: what it skips, then the line that counts.
    """
    note = root / _NOTE
    facts = {
        "read": sorted(read),
        "absent": sorted(absent),
        "built": sorted(built),
        "artifacts": artifacts,
        "says": list(says),
    }
    try:
        note.unlink(missing_ok=True)
        digests = {"inputs": _content_digest(root, sorted(read)), "outputs": _signature_digest(root, sorted(built))}
        note.write_text(json.dumps({**facts, **digests}), encoding="utf-8")
    except (OSError, _LinkedFolderError):
        return  # safe: without a note the builder decides


def remove_note(root: Path) -> None:
    """Remove the note, so that the builder decides at the next build."""
    (root / _NOTE).unlink(missing_ok=True)


def _content_digest(root: Path, names: Iterable[str]) -> str:
    """Return a digest of every file, of this Python, and of this automation."""
    total = hashlib.sha256(sys.version.encode())
    for path in (_AUTOMATION, *(str(root / name) for name in names)):
        for folder, entries in _folders(path, without=_CACHE):
            for name, stat in entries:
                content = Path(folder, name).read_bytes()
                total.update(f"{folder} {name} {len(content)} {stat.st_mode & 0o111}\n".encode())
                total.update(content)
    return total.hexdigest()


def _signature_digest(root: Path, names: Iterable[str]) -> str:
    """Return a digest of names, sizes and times, which changes with every write."""
    total = hashlib.sha256()
    for path in (str(root / name) for name in names):
        for folder, entries in _folders(path):
            lines = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in entries]
            total.update("\n".join([folder, *lines]).encode())
    return total.hexdigest()


def _folders(path: str, *, without: str = "") -> Iterator[tuple[str, list[tuple[str, os.stat_result]]]]:
    """Yield each folder with its files, in the order of the file system; for a file, its folder with only that file.

    The order changes when a file is renamed, so a digest may change needlessly but never stay the same wrongly.

    Raises:
        OSError: the path does not exist.
        _LinkedFolderError: a folder is a symbolic link.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - for thousands of files, a Path each would double the time
        yield os.path.dirname(path), [(os.path.basename(path), os.stat(path))]  # noqa: PTH116, PTH119, PTH120
        return
    waiting = [path]
    while waiting:
        folder, entries = waiting.pop(), []
        with os.scandir(folder) as iterator:
            for entry in iterator:
                if not entry.is_dir():
                    entries.append((entry.name, entry.stat()))
                elif entry.is_symlink():
                    raise _LinkedFolderError(entry.path)
                elif entry.name != without:
                    waiting.append(entry.path)
        yield folder, entries
