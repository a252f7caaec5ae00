"""The cache of finished artifacts that all projects of a user share: a second clone takes what the first has built.

An entry is a folder with the tree and the zip of an artifact, and a note with the signature of the tree and the digest
of the zip. So an entry is whole, or its damage is noticed and the artifact is built again. Clones get a copy of the
zip, which is what they deploy, and hard links of the tree, which cost neither time nor space; who writes to a file of a
built tree damages the entry, too. Everything may be deleted at any time.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.system import console, files
from automation.system.files import WINDOWS

FOLDER_VARIABLE = "ALCHEMISER_CACHE_DIR"
_TREE = "tree"
_ZIP = "artifact.zip"
_NOTE = "note.json"
_KEPT_DAYS = 30
_STAGED_S = 86_400.0  # nobody stages or removes an entry for a day
_MAX_BYTES = 2_000_000_000
_KEY = re.compile(r"[0-9a-f]{64}")
_OF_ENTRIES = re.compile(rf"\.?{_KEY.pattern}.*")  # entries, half of them, and the zips and notes of earlier versions


@dataclass(frozen=True, slots=True)
class SharedCache:
    """A folder of entries, by key; what cannot be read or written there is built instead.

    Attributes:
        folder: None for a machine without a cache.
    """

    folder: Path | None

    def fetch(self, key: str, tree: Path, archive: Path) -> Mapping[str, int] | None:
        """Link the tree of an entry and copy its zip.

        Args:
            key: a SHA-256 digest.

        Returns:
            The bytes that pruning saved, by what it removed; None without a usable entry. A damaged one is removed.
        """
        if self.folder is None:
            return None
        entry = self.folder / key
        try:
            facts = json.loads(files.read(entry / _NOTE))
            _require_whole(entry, facts)
            files.link_tree(entry / _TREE, tree)
            shutil.copyfile(entry / _ZIP, archive)
            os.utime(entry / _NOTE)
            return dict(facts["pruned"])
        except (OSError, ValueError, KeyError, TypeError) as cause:
            if entry.exists():
                reason = cause.strerror if isinstance(cause, OSError) else "it is damaged"
                console.warning(f"{entry} is not used ({reason}); building it again")
                self._remove(entry)
        files.remove(tree)
        files.remove(archive)
        return None

    def add(self, key: str, tree: Path, archive: Path, pruned: Mapping[str, int]) -> None:
        """Add an entry unless another process has; it enters by one rename, so nobody sees a part of one."""
        if self.folder is None:
            return
        entry, staged = self.folder / key, self.folder / f".{key}.{uuid.uuid4().hex}"
        try:
            staged.mkdir(parents=True)
            files.link_tree(tree, staged / _TREE)
            shutil.copyfile(archive, staged / _ZIP)
            facts = {**_facts(staged), "bytes": files.size_bytes(staged), "pruned": dict(pruned)}
            (staged / _NOTE).write_text(json.dumps(facts), encoding="utf-8")
            staged.rename(entry)
        except OSError as cause:
            if not entry.is_dir():  # otherwise another process was faster
                console.note(f"{self.folder} cannot be written ({cause.strerror}); nothing is shared with other clones")
        finally:
            if staged.is_dir():
                files.remove(staged)

    def remove_unused(self, *, max_bytes: int = _MAX_BYTES, now_s: float | None = None) -> None:
        """Remove what nobody has used for a month, then the entries that are unused for longest until it is small."""
        now_s = time.time() if now_s is None else now_s
        total_bytes = 0
        for used_s, path in sorted(self._entries(now_s), reverse=True):
            total_bytes += _bytes(path)
            if used_s < now_s - _KEPT_DAYS * 86_400 or total_bytes > max_bytes:
                self._remove(path)

    def _entries(self, now_s: float) -> list[tuple[float, Path]]:
        """Return when each entry was last used, and its path; what is not an entry counts as never used."""
        used: list[tuple[float, Path]] = []
        for path in self.folder.iterdir() if self.folder and self.folder.is_dir() else ():
            if not _OF_ENTRIES.fullmatch(path.name):
                continue  # somebody else's
            try:
                if not path.name.startswith("."):
                    note = path / _NOTE
                    used.append((note.stat().st_mtime if note.is_file() else 0.0, path))
                elif path.stat().st_mtime < now_s - _STAGED_S:
                    used.append((0.0, path))
            except FileNotFoundError:
                continue  # another process has removed it
        return used

    def _remove(self, path: Path) -> None:
        """Remove an entry, out of sight by a rename first: nobody sees a part of one."""
        hidden = path.with_name(f".{path.name.lstrip('.')}.{uuid.uuid4().hex}")
        try:
            path.rename(hidden)
            files.remove(hidden)
        except OSError:
            return  # another process removes it


NONE = SharedCache(None)


def of_user(environ: Mapping[str, str], *, platform: str = sys.platform) -> SharedCache:
    """Return the cache in the user's cache folder, or in ALCHEMISER_CACHE_DIR; an empty value there means none."""
    if FOLDER_VARIABLE in environ:
        own = environ[FOLDER_VARIABLE]
        return SharedCache(Path(own) if own else None)
    home = environ.get("USERPROFILE" if platform == WINDOWS else "HOME", "")
    places = {"darwin": Path(home, "Library/Caches"), WINDOWS: Path(environ.get("LOCALAPPDATA") or home)}
    usual = places.get(platform, Path(environ.get("XDG_CACHE_HOME") or Path(home, ".cache")))
    return SharedCache(usual / "alchemiser" / "artifacts" if usual.is_absolute() else None)


def _require_whole(entry: Path, facts: Mapping[str, object]) -> None:
    if any(facts[name] != value for name, value in _facts(entry).items()):
        raise ValueError


def _facts(entry: Path) -> dict[str, str]:
    """Return what a write to the tree or a damage of the zip changes."""
    with (entry / _ZIP).open("rb") as archive:
        return {"tree": files.signature(entry / _TREE), "sha256": hashlib.file_digest(archive, "sha256").hexdigest()}


def _bytes(entry: Path) -> int:
    try:
        return int(json.loads(files.read(entry / _NOTE))["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
