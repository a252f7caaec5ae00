"""The cache of finished artifacts that all projects of a user share: a second clone takes what the first has built.

An entry is the artifact's zip and a note with the zip's digest. The tree is unpacked from the zip. So an entry is
whole, or its damage is noticed and the artifact is built again. Everything may be deleted at any time.
"""

import json
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.system import console, files
from automation.system.files import WINDOWS

FOLDER_VARIABLE = "ALCHEMISER_CACHE_DIR"
_KEPT_DAYS = 30
_MAX_BYTES = 2_000_000_000
_RUN_BITS = 0o111 << 16  # of a zip entry's attributes


@dataclass(frozen=True, slots=True)
class SharedCache:
    """A folder of entries, `<key>.zip` and `<key>.json`; what cannot be read or written there is built instead.

    Attributes:
        folder: None for a machine without a cache.
    """

    folder: Path | None

    def fetch(self, key: str, tree: Path, archive: Path) -> Mapping[str, int] | None:
        """Unpack an entry into a folder and copy its zip.

        Returns:
            The bytes that pruning saved, by what it removed; None without a usable entry. A damaged one is removed.
        """
        if self.folder is None:
            return None
        note, cached = self.folder / f"{key}.json", self.folder / f"{key}.zip"
        try:
            facts = json.loads(note.read_bytes())
            shutil.copyfile(cached, archive)
            _require_digest(archive, facts["sha256"])
            _unpack(archive, tree)
            os.utime(note)
            return dict(facts["pruned"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as cause:
            console.note(f"{cached} is not used ({cause}); building it again")
            self._remove(key)
        files.remove(tree)
        files.remove(archive)
        return None

    def add(self, key: str, archive: Path, pruned: Mapping[str, int]) -> None:
        """Add an entry; the note comes last, so another process never sees a part of one."""
        if self.folder is None:
            return
        try:
            content = archive.read_bytes()
            files.write_atomically(self.folder / f"{key}.zip", content)
            note = {"sha256": files.digest(content), "bytes": len(content), "pruned": dict(pruned)}
            files.write_atomically(self.folder / f"{key}.json", json.dumps(note))
        except OSError as cause:
            console.note(f"{self.folder} cannot be written ({cause.strerror}); nothing is shared with other clones")

    def remove_unused(self, *, max_bytes: int = _MAX_BYTES, now_s: float | None = None) -> None:
        """Remove what nobody has used for a month, then the entries that are unused for longest until it is small."""
        oldest = (time.time() if now_s is None else now_s) - _KEPT_DAYS * 86_400
        total_bytes = 0
        for used_s, key in sorted(self._entries(), reverse=True):
            total_bytes += self._bytes(key)
            if used_s < oldest or total_bytes > max_bytes:
                self._remove(key)

    def _entries(self) -> list[tuple[float, str]]:
        """Return when each entry was last used, and its key; a zip without a note counts as never used."""
        if self.folder is None:
            return []
        used: dict[str, float] = {}
        for path in self.folder.glob("[!.]*"):
            try:
                used[path.stem] = max(used.get(path.stem, 0.0), path.stat().st_mtime if path.suffix == ".json" else 0.0)
            except FileNotFoundError:
                continue  # another process has removed it
        return [(moment, key) for key, moment in used.items()]

    def _bytes(self, key: str) -> int:
        try:
            return (self.folder / f"{key}.zip").stat().st_size if self.folder else 0
        except FileNotFoundError:
            return 0

    def _remove(self, key: str) -> None:
        for suffix in (".json", ".zip"):  # without its note an entry is not found
            if self.folder is not None:
                (self.folder / f"{key}{suffix}").unlink(missing_ok=True)


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


def _require_digest(archive: Path, expected: str) -> None:
    if files.digest(archive.read_bytes()) != expected:
        raise ValueError("it is damaged")


def _unpack(archive: Path, tree: Path) -> None:
    """Write the files of a zip that we have packed, on all processors."""
    count = os.cpu_count() or 1
    with zipfile.ZipFile(archive) as opened:
        names = [(entry.filename, bool(entry.external_attr & _RUN_BITS)) for entry in opened.infolist()]
    for name, _ in names:
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            raise ValueError(f"it would write {name}")
    for folder in {(tree / name).parent for name, _ in names} | {tree}:
        folder.mkdir(parents=True, exist_ok=True)

    def write(share: list[tuple[str, bool]]) -> None:
        with zipfile.ZipFile(archive) as own:
            for name, is_program in share:
                path = tree / name
                path.write_bytes(own.read(name))
                if is_program:
                    path.chmod(0o755)

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(write, [names[number::count] for number in range(count)]))
