"""Find out whether the last build is up to date, without loading the builder, which would take longer.

A note holds the number of artifacts, one digest of every byte that a build of everything reads, and one digest of the
names, sizes and times of its outputs. It is written after a build that had nothing to do, and only when nothing outside
the note can matter. In every other case the builder decides.

Files whose status is the same are not read again, as in git: a second digest holds the status of each input. It counts
only when all of them were old when it was taken, because a file that is written twice within one tick of the file
system's clock may keep its status.
"""

import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from automation.system import console, files

_NOTE = ".alchemiser/build/up_to_date.json"
# All of automation, not only this package: an edited builder must never pass as up to date.
_AUTOMATION = str(Path(__file__).parent.parent)
_CACHE = "__pycache__"
_TICK_NS = 2_000_000_000  # FAT has the coarsest clock


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
        status, _ = _status_digest(root, note["read"])
        is_known = note["status"] == status
        if not is_known:
            note["status"] = _status_of_old(root, note["read"])
        is_same = is_known or note["inputs"] == _content_digest(root, note["read"])
        is_same = is_same and not any((root / name).exists() for name in note["absent"])
        is_same = is_same and note["outputs"] == _signature_digest(root, note["built"])
        if not (is_same and note["says"] and note["artifacts"]):
            return None
        if note["status"] and not is_known:
            with suppress(OSError):
                files.write_atomically(root / _NOTE, json.dumps(note))
    except (OSError, ValueError, KeyError, TypeError, _LinkedFolderError):
        return None
    return note


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
    facts: dict[str, Any] = {
        "read": sorted(read),
        "absent": sorted(absent),
        "built": sorted(built),
        "artifacts": artifacts,
        "says": list(says),
    }
    try:
        note.unlink(missing_ok=True)
        digests = {
            "status": _status_of_old(root, facts["read"]),  # before their content: what changes in between is noticed
            "inputs": _content_digest(root, facts["read"]),
            "outputs": _signature_digest(root, facts["built"]),
        }
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
            for name, status in entries:
                content = files.read(f"{folder}/{name}")
                total.update(f"{folder} {name} {len(content)} {status.st_mode & 0o111}\n".encode())
                total.update(content)
    return total.hexdigest()


def _status_of_old(root: Path, names: Iterable[str]) -> str:
    clock = root / f"{_NOTE}.clock"
    try:
        clock.write_bytes(b"")
        now_ns = clock.stat().st_mtime_ns  # by the clock of the file system, which may be a server's
        clock.unlink()
    except OSError:  # it cannot be written, or another process does the same at this moment
        return ""
    return status_if_old(root, names, now_ns=now_ns)


def status_if_old(root: Path, names: Iterable[str], *, now_ns: int) -> str:
    """Return the digest of the status of every file; empty while one is so young that a write may not change it."""
    digest, newest_ns = _status_digest(root, names)
    return digest if newest_ns < now_ns - _TICK_NS else ""


def _status_digest(root: Path, names: Iterable[str]) -> tuple[str, int]:
    """Return a digest of the status of every file, of this Python and of this automation, and the latest change.

    The time of a status change is part of it: no program can set that one back.
    """
    total, newest_ns = hashlib.sha256(sys.version.encode()), 0
    for path in (_AUTOMATION, *(str(root / name) for name in names)):
        for folder, entries in _folders(path, without=_CACHE):
            lines = [folder]
            for name, status in entries:
                changed_ns, written_ns = status.st_ctime_ns, status.st_mtime_ns
                lines.append(
                    f"{name} {status.st_size} {written_ns} {changed_ns} {status.st_ino} {status.st_mode & 0o111}"
                )
                newest_ns = max(newest_ns, changed_ns, written_ns)
            total.update("\n".join(lines).encode())
    return total.hexdigest(), newest_ns


def _signature_digest(root: Path, names: Iterable[str]) -> str:
    """Return a digest of names, sizes and times, which changes with every write."""
    total = hashlib.sha256()
    known: files.Statuses = {}
    for path in (str(root / name) for name in names):
        for folder, entries in _folders(path, known=known):
            lines = [f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in entries]
            total.update("\n".join([folder, *lines]).encode())
    return total.hexdigest()


def _folders(
    path: str, *, without: str = "", known: files.Statuses | None = None
) -> Iterator[tuple[str, list[tuple[str, os.stat_result]]]]:
    """Yield each folder with its files, in the order of the file system; for a file, its folder with only that file.

    The order changes when a file is renamed, so a digest may change needlessly but never stay the same wrongly.

    Args:
        known: as in `files.status`.

    Raises:
        OSError: the path does not exist.
        _LinkedFolderError: a folder is a symbolic link.
    """
    top = os.stat(path)  # noqa: PTH116 - for thousands of files, a Path each would double the time
    if not stat.S_ISDIR(top.st_mode):
        yield os.path.dirname(path), [(os.path.basename(path), top)]  # noqa: PTH119, PTH120
        return
    waiting = [path]
    while waiting:
        folder, entries = waiting.pop(), []
        with os.scandir(folder) as iterator:
            for entry in iterator:
                if not entry.is_dir():
                    is_link = entry.is_symlink()
                    entries.append((entry.name, entry.stat() if is_link else files.status(entry, top.st_dev, known)))
                elif entry.is_symlink():
                    raise _LinkedFolderError(entry.path)
                elif entry.name != without:
                    waiting.append(entry.path)
        yield folder, entries
