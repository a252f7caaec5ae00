"""Read, compare and write file trees. What is written is whole or is not there."""

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from automation.errors import ConfigurationError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SYMLINK = "symlink"


def write_atomically(path: Path, data: bytes | str) -> None:
    """Replace a file in one step; its folder is made; readers see the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest_of(parts: "Iterable[str | bytes]") -> str:
    """One digest of a sequence; the boundaries between the parts count."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def walk(root: Path, *, keep: "Callable[[Path], bool]" = lambda _: True) -> "Iterator[Path]":
    """Files and symlinks under a folder, sorted, relative to it; nothing when it is absent.

    Args:
        keep: is asked for each folder and file by its relative path; a folder refused is not entered.
    """
    if not root.is_dir() or root.is_symlink():
        return
    for folder, names, files in root.walk():
        here = folder.relative_to(root)
        linked = [name for name in names if (folder / name).is_symlink()]
        names[:] = sorted(name for name in names if name not in linked and keep(here / name))
        yield from (here / name for name in sorted([*files, *linked]) if keep(here / name))


def digest_tree(root: Path, *, keep: "Callable[[Path], bool]" = lambda _: True) -> dict[str, str]:
    """The digest of each file under a folder, by its path in POSIX form; a symlink's digest is `SYMLINK`."""
    return {
        path.as_posix(): SYMLINK if (root / path).is_symlink() else digest((root / path).read_bytes())
        for path in walk(root, keep=keep)
    }


def signature(root: Path) -> str:
    """A quick fingerprint of a folder from names, sizes and times: it tells that somebody wrote there."""
    stats = ((path, (root / path).lstat()) for path in walk(root))
    return digest_of(f"{path.as_posix()} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats)


def size_bytes(root: Path) -> int:
    """The bytes of all files under a folder, as they count unzipped."""
    return sum((root / path).stat().st_size for path in walk(root))


def remove(path: Path) -> None:
    """Remove a file or a folder, or nothing when nothing is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_with_empty_parents(path: Path, stop: Path) -> None:
    """Remove a file, and each folder above it, below `stop`, that is empty then."""
    remove(path)
    for folder in path.parents:
        if folder == stop or any(folder.iterdir()):
            return
        folder.rmdir()


def replace_tree(staged: Path, target: Path) -> None:
    """Put a finished folder in the place of another of the same file system.

    Between the two renames the target is absent; a killed process leaves the old tree as `.<name>.old`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    old = target.with_name(f".{target.name}.old")
    remove(old)
    if target.exists():
        target.rename(old)
    staged.rename(target)
    remove(old)


@contextmanager
def lock(path: Path, *, wait_s: float, doing: str) -> "Iterator[None]":
    """Hold a lock file, so that two commands do not do the same at once.

    Raises:
        ToolError: another process still holds it after `wait_s` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path, timeout=wait_s)
    try:
        held.acquire()
    except Timeout as cause:
        raise ToolError(f"another command is {doing}; wait for it to end and try again", where=str(path)) from cause
    except OSError as cause:
        raise ConfigurationError(f"cannot be locked: {cause.strerror}", where=str(path)) from cause
    try:
        yield
    finally:
        held.release()
