"""Two states of a project side by side: as a commit has it, and as it lies in the working copy.

Files that git ignores are in neither, so that what is generated or private is no change.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from automation.system import files, processes
from automation.system.errors import ConfigurationError, UsageError

HEAD = "HEAD"
_MAIN = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_WHERE = "affected"
_ODD_FILES = {"A": "added", "D": "deleted"}


class Status(StrEnum):
    """What happened to a file; one that was renamed is deleted and added."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A file that is not as it was, relative to the project root."""

    path: str
    status: Status


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit, and how people call it."""

    commit: str
    label: str


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The project root of each state, in a temporary folder: they may be written to."""

    before: Path
    now: Path


def find(root: Path, since: str = "") -> Revision:
    """The commit to compare with.

    Args:
        since: a revision; without one it is where this branch left the main one, and on the main branch HEAD.

    Raises:
        ConfigurationError: the project is in no git repository, or has no commit.
        UsageError: there is no such revision.
        ToolError: git is absent.
    """
    top(root)
    head = _commit(root, HEAD)
    if not head:
        raise ConfigurationError("the repository has no commit yet; commit once, or build everything: inv build")
    if since:
        found = _commit(root, since)
        if not found:
            raise UsageError(f"{since!r} is no revision of this repository; see git log --oneline", where="--since")
        return Revision(found, since if found.startswith(since) else f"{since} ({found[:9]})")
    return _default(root, head)


def changes(root: Path, revision: Revision) -> tuple[Change, ...]:
    """Every file that differs from the commit, those that git does not know yet among them; sorted by path."""
    place = top(root)
    told = _git(place, "diff", "--name-status", "--no-renames", "--no-ext-diff", "-z", revision.commit, "--")
    words = told.split("\0")
    found = {path: Status(_ODD_FILES.get(letter, "changed")) for letter, path in zip(words[::2], words[1::2])}  # noqa: B905 - the last word is empty
    for path in _git(place, "ls-files", "--others", "--exclude-standard", "-z").split("\0")[:-1]:
        found[path] = Status.CHANGED if path in found else Status.ADDED
    return tuple(sorted(Change(_seen_from(root, place / path), status) for path, status in found.items()))


def paths(root: Path) -> tuple[str, ...]:
    """The files of the project that git knows or would take, relative to its root."""
    told = _git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return tuple(sorted({path for path in told.split("\0")[:-1] if (root / path).is_file()}))


@contextmanager
def snapshots(root: Path, revision: Revision) -> Iterator[Snapshots]:
    """Both states, for as long as the block runs; neither the working copy nor git's index is touched."""
    home = root / ".alchemiser"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="affected-", dir=home) as folder:
        place, inner = top(root), root.resolve().relative_to(top(root))
        before, now = Path(folder) / "before", Path(folder) / "now"
        _check_out(place, revision, before)
        _link(place, now)
        for state in (before, now):
            (state / inner).mkdir(parents=True, exist_ok=True)
        yield Snapshots(before / inner, now / inner)


def top(root: Path) -> Path:
    """The folder of the repository.

    Raises:
        ConfigurationError: there is none.
    """
    asked = processes.run(["git", "rev-parse", "--show-toplevel"], cwd=root, check=False)
    if asked.exit_code:
        message = f"what has changed is known from git, and git says: {asked.tail(1)}; run git init and commit"
        raise ConfigurationError(message, where=_WHERE)
    return Path(asked.stdout.rstrip("\n")).resolve()


def _default(root: Path, head: str) -> Revision:
    branch = processes.run(["git", "symbolic-ref", "--quiet", "--short", HEAD], cwd=root, check=False).stdout.strip()
    for name in _MAIN:
        if _commit(root, name) and name.removeprefix("origin/") != branch:
            shared = processes.run(["git", "merge-base", HEAD, name], cwd=root, check=False).stdout.strip()
            if shared and branch not in {one.removeprefix("origin/") for one in _MAIN}:
                return Revision(shared, HEAD if shared == head else f"{name} ({shared[:9]})")
    return Revision(head, HEAD)


def _commit(root: Path, name: str) -> str:
    argv = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    return processes.run(argv, cwd=root, check=False).stdout.strip()


def _git(folder: Path, *arguments: str) -> str:
    return processes.run(["git", *arguments], cwd=folder).stdout


def _seen_from(root: Path, path: Path) -> str:
    return Path(os.path.relpath(path, root.resolve())).as_posix()


def _check_out(place: Path, revision: Revision, target: Path) -> None:
    target.mkdir()
    env = processes.environment({"GIT_INDEX_FILE": str(target.with_name("index"))})
    processes.run(["git", "read-tree", revision.commit], cwd=place, env=env)
    processes.run(["git", "checkout-index", "--all", f"--prefix={target}/"], cwd=place, env=env)


def _link(place: Path, target: Path) -> None:
    for path in _git(place, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")[:-1]:
        source = place / path
        if source.is_symlink() or source.is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            if not (target / path).is_symlink() and not (target / path).exists():
                files.link(source, target / path)
