"""Read, compare and write file trees. A write is complete or does not happen."""

import errno
import hashlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from automation.system.errors import ConfigurationError, ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import IO

type Statuses = dict[tuple[int, int], os.stat_result]  # by device and number

SYMLINK = "symlink"
WINDOWS = "win32"  # as sys.platform names it
OWN_FOLDERS = frozenset({".alchemiser", ".tools"})  # what the automation keeps for itself beside a project
_LOCK_POLL_S = 0.05
# EINVAL is the answer of Windows for a drive without hard links, and for a file that has too many.
_CANNOT_LINK = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
)
_HEADS_OF_PROGRAMS = (b"#!", b"\x7fELF")


def write_atomically(path: Path, data: bytes | str, *, mode: int = 0o644) -> None:
    """Replace a file in one step and create its folder; readers see the old bytes or the new ones.

    The bytes go to a file beside it first: a rename is atomic only within one file system. Until the rename only its
    owner can read that file.
    """
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Create a folder with its parents; those of `OWN_FOLDERS` get a .gitignore of their own, so git ignores them."""
    folder.mkdir(parents=True, exist_ok=True)
    for own in (folder, *folder.parents):
        if own.name in OWN_FOLDERS and not (own / ".gitignore").exists():
            (own / ".gitignore").write_text("*\n", encoding="utf-8")


def read(path: "Path | str") -> bytes:
    """Return the bytes of a file, in a quarter of the time of Path.read_bytes: a build reads thousands."""
    with FileIO(str(path)) as file:
        return file.read()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def digest_of(parts: "Iterable[str | bytes]") -> str:
    """Return one digest of a sequence; the boundaries between the parts count."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def walk(root: Path, *, keep: "Callable[[Path], bool] | None" = None) -> "Iterator[Path]":
    """Yield files and symlinks under a folder, sorted, relative to it; nothing when the folder is missing.

    Args:
        keep: decides for each folder and file by its relative path; a refused folder is not entered.
    """
    for name, _ in entries(root, keep=keep):
        yield Path(name)


def entries(root: Path, *, keep: "Callable[[Path], bool] | None" = None) -> "Iterator[tuple[str, os.DirEntry[str]]]":
    """Yield what `walk` yields: each file or link by its relative path as text, which takes a fraction of the time.

    The files of a folder come first, then those of its subfolders.
    """
    waiting = [(str(root), "")] if root.is_dir() and not root.is_symlink() else []
    while waiting:
        folder, prefix = waiting.pop()
        with os.scandir(folder) as listed:
            sorted_entries = sorted(listed, key=lambda entry: entry.name)
        folders = []
        for entry in sorted_entries:
            name = prefix + entry.name
            if keep is None or keep(Path(name)):
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{name}/"))
                else:
                    yield name, entry
        waiting += reversed(folders)


def digest_tree(root: Path, *, keep: "Callable[[Path], bool] | None" = None) -> dict[str, str]:
    """Return the digest of each file under a folder, by its POSIX path; a symlink's digest is `SYMLINK`."""
    return {
        name: SYMLINK if entry.is_symlink() else digest(read(entry.path)) for name, entry in entries(root, keep=keep)
    }


def signature(path: Path, *, known: "Statuses | None" = None) -> str:
    """Return a quick fingerprint of a file or folder from names, sizes and times; it changes with every write.

    It is empty when the file or folder is missing.

    Args:
        known: as in `status`.
    """
    lines: list[str] = []
    folders, prefix_length = [str(path)], len(str(path))
    try:
        top = path.lstat()
        if not path.is_dir():
            return _signature_line(path.name, top)
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        lines.append(_signature_line(entry.path[prefix_length:], status(entry, top.st_dev, known)))
    except FileNotFoundError:
        return ""
    return digest("\n".join(sorted(lines)).encode())


def status(entry: "os.DirEntry[str]", device: int, known: "Statuses | None") -> os.stat_result:
    """Return the status of a file or of a link itself.

    Args:
        known: by device and number. A second name of the same file, such as the artifacts of equal layers have, then
            costs no system call.
    """
    if known is None or sys.platform == WINDOWS:  # there a status comes with the name, and a number does not
        return entry.stat(follow_symlinks=False)
    key = device, entry.inode()
    if key not in known:
        known[key] = entry.stat(follow_symlinks=False)
    return known[key]


def _signature_line(name: str, stat: os.stat_result) -> str:
    return f"{name} {stat.st_size} {stat.st_mtime_ns}"


def link_tree(source: Path, target: Path) -> None:
    """Put the same files at `target`: as hard links where the file system has them, otherwise as copies."""
    target.mkdir(parents=True, exist_ok=True)
    _link_files(str(source), str(target))


def _link_files(source: str, target: str) -> None:
    # Text instead of paths: it halves the time for thousands of files.
    with os.scandir(source) as entries:
        for entry in entries:
            below = f"{target}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                with suppress(FileExistsError):
                    os.mkdir(below)  # noqa: PTH102
                _link_files(entry.path, below)
            else:
                _link(entry.path, below)


def link(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system has no hard links."""
    _link(str(source), str(target))


def _link(source: str, target: str) -> None:
    # Windows always links the link itself.
    options = {"follow_symlinks": False} if os.link in os.supports_follow_symlinks else {}
    try:
        os.link(source, target, **options)
    except OSError as cause:
        if cause.errno not in _CANNOT_LINK:
            raise
        shutil.copy2(source, target, follow_symlinks=False)


def show_at(source: Path, target: Path, *, platform: str = sys.platform) -> None:
    """Show a file or folder at a second path, by a symbolic link where nobody needs a right for that.

    On Windows a folder gets a junction, and a file a hard link or, on another drive, a copy.
    """
    if platform != WINDOWS:
        target.symlink_to(source)
    elif source.is_dir():
        importlib.import_module("_winapi").CreateJunction(str(source.resolve()), str(target))
    else:
        link(source, target)


def is_program(path: Path, *, platform: str = sys.platform) -> bool:
    """Return whether a file may be run, by its mode; on Windows, which has none, by its first bytes: `#!` or ELF.

    Modules of packages often begin with `#!` too, but are not programs.
    """
    if platform != WINDOWS:
        return bool(path.stat().st_mode & 0o111)
    if path.suffix == ".py":
        return False
    with path.open("rb") as file:
        return file.read(4).startswith(_HEADS_OF_PROGRAMS)


def display_path(path: Path) -> str:
    """Return a path for messages: relative to the current folder if it lies inside."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def read_link(path: Path) -> str:
    return str(path.readlink())


def size_bytes(root: Path) -> int:
    """Return the total size of all files under a folder, unzipped."""
    return sum(entry.stat().st_size for _, entry in entries(root))


def remove(path: Path) -> None:
    """Remove a file or a folder; do nothing when it is missing."""
    if path.is_dir() and not (path.is_symlink() or path.is_junction()):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_with_empty_parents(path: Path, stop: Path) -> None:
    """Remove a file, then each parent folder below `stop` that is left empty."""
    remove(path)
    for folder in path.parents:
        if folder == stop or any(folder.iterdir()):
            return
        folder.rmdir()


def remove_with_empty_folders(root: Path, names: "Sequence[str]") -> None:
    """Remove files, then each folder below `root` that this leaves empty; much faster than one file after the other.

    Args:
        names: relative to `root`.
    """
    folders: set[str] = set()
    for name in names:
        os.unlink(f"{root}/{name}")  # noqa: PTH108 - for thousands of files, a Path each would double the time
        folder = name.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    for folder in sorted(folders, key=len, reverse=True):  # an inner folder before the one around it
        if not any((root / folder).iterdir()):
            (root / folder).rmdir()


def replace_tree(staged: Path, target: Path) -> None:
    """Replace a folder by a finished one of the same file system; an interrupt waits until it is done.

    Two renames, because a folder cannot replace a non-empty one. A process killed between them leaves the old tree as
    `.<name>.old`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    old = target.with_name(f".{target.name}.old")
    remove(old)
    with uninterrupted():
        if target.exists():
            target.rename(old)
        staged.rename(target)
    remove(old)


@contextmanager
def uninterrupted() -> "Iterator[None]":
    """Delay Ctrl-C until the few system calls of the block are done. Only the main thread is ever interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pending.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pending:
        raise KeyboardInterrupt


@contextmanager
def lock(path: Path, *, wait_s: float, doing: str) -> "Iterator[None]":
    """Hold a lock file, so that two commands do not do the same work at once.

    Raises:
        ToolError: another process still holds it after `wait_s` seconds.
    """
    make_folder(path.parent)
    deadline = time.monotonic() + wait_s
    try:
        held = path.open("a")
    except OSError as cause:
        raise ConfigurationError(f"cannot be locked: {cause.strerror}", where=str(path)) from cause
    with held:
        while True:
            try:
                try_lock(held)
                break
            except BlockingIOError as cause:
                if time.monotonic() > deadline:
                    message = f"another command is {doing}; wait for it to end and try again"
                    raise ToolError(message, where=str(path)) from cause
                time.sleep(_LOCK_POLL_S)
            except OSError as cause:
                raise ConfigurationError(f"cannot be locked: {cause.strerror}", where=str(path)) from cause
        yield


def try_lock(file: "IO[str]", *, platform: str = sys.platform) -> None:
    """Lock an open file until it is closed. The portable filelock takes 40 ms to import.

    Raises:
        BlockingIOError: another process holds the lock.
    """
    if platform != WINDOWS:
        fcntl = importlib.import_module("fcntl")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    msvcrt = importlib.import_module("msvcrt")
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except PermissionError as cause:
        raise BlockingIOError(cause.errno, cause.strerror) from cause
