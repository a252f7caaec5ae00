"""Ask git what changed since a commit, and put the commit and the working copy side by side in temporary folders.

Files that git ignores are in neither, so that generated and private files never count as changes.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from automation.system import files, git, processes
from automation.system.errors import ConfigurationError, UsageError

HEAD = "HEAD"
_MAIN_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
_WHERE = "affected"
_STATUS_LETTERS = {"A": "added", "D": "deleted"}
_UNIGNORED = ("ls-files", "--cached", "--others", "--exclude-standard", "-z")


class FileStatus(StrEnum):
    """How a file changed; a renamed file counts as deleted and added."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, order=True)
class FileChange:
    """A changed file, relative to the project root."""

    path: str
    status: FileStatus


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit.

    Attributes:
        label: the commit as a person names it, for messages.
    """

    commit: str
    label: str


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The project root in a temporary folder, at the commit and as it is in the working copy.

    Files may be added and replaced, but not edited in place: those of `now` are hard links to the working copy.
    """

    before: Path
    now: Path


def find_revision(root: Path, since: str = "") -> Revision:
    """Return the commit to compare with.

    Args:
        since: a git revision; by default the commit where this branch left the main one, or HEAD on the main branch.

    Raises:
        ConfigurationError: the project is not in a git repository, or the repository has no commit.
        UsageError: the revision does not exist.
        ToolError: git is not installed.
    """
    git.repository_root(root, where=_WHERE)
    head = git.find_commit(root, HEAD)
    if not head:
        raise ConfigurationError("the repository has no commit yet; commit once, or build everything: inv build")
    if since:
        commit = git.find_commit(root, since)
        if not commit:
            raise UsageError(f"unknown revision {since!r}; list the known ones: git log --oneline", where="--since")
        return Revision(commit, since if commit.startswith(since) else f"{since} ({commit[:9]})")
    return _default(root, head)


def changed_files(root: Path, revision: Revision) -> tuple[FileChange, ...]:
    """Return every file that differs from the commit, untracked ones included, sorted by path."""
    repository = git.repository_root(root, where=_WHERE)
    fields = _listed(repository, "diff", "--name-status", "--no-renames", "--no-ext-diff", "-z", revision.commit, "--")
    statuses = {
        path: FileStatus(_STATUS_LETTERS.get(letter, "changed"))
        for letter, path in zip(fields[::2], fields[1::2], strict=True)
    }
    for path in _listed(repository, "ls-files", "--others", "--exclude-standard", "-z"):
        statuses[path] = FileStatus.CHANGED if path in statuses else FileStatus.ADDED
    return tuple(sorted(FileChange(_relative(repository / path, root), status) for path, status in statuses.items()))


def unignored_files(root: Path) -> tuple[str, ...]:
    """Return the project's files that git does not ignore, tracked or not, relative to the project root."""
    return tuple(sorted({path for path in _listed(root, *_UNIGNORED) if (root / path).is_file()}))


@contextmanager
def snapshots(root: Path, revision: Revision) -> Iterator[Snapshots]:
    """Copy the commit and the working copy to temporary folders, removed after the block.

    Neither the working copy nor git's index is changed, except that the folder .alchemiser is created.
    """
    home = root / ".alchemiser"
    files.make_folder(home)
    with tempfile.TemporaryDirectory(prefix="affected-", dir=home) as folder:
        repository = git.repository_root(root, where=_WHERE)
        project = root.resolve().relative_to(repository)
        before, now = Path(folder) / "before", Path(folder) / "now"
        git.check_out(revision.commit, repository, before)
        _link(repository, now)
        for snapshot in (before, now):
            (snapshot / project).mkdir(parents=True, exist_ok=True)
        yield Snapshots(before / project, now / project)


def _default(root: Path, head: str) -> Revision:
    branch = processes.run(["git", "symbolic-ref", "--quiet", "--short", HEAD], cwd=root, check=False).stdout.strip()
    if branch in {name.removeprefix("origin/") for name in _MAIN_BRANCHES}:
        return Revision(head, HEAD)

    for name in _MAIN_BRANCHES:
        if git.find_commit(root, name):
            fork_point = processes.run(["git", "merge-base", HEAD, name], cwd=root, check=False).stdout.strip()
            if fork_point:
                return Revision(fork_point, HEAD if fork_point == head else f"{name} ({fork_point[:9]})")
    return Revision(head, HEAD)


def _listed(folder: Path, *arguments: str) -> list[str]:
    """Run a git command with `-z`, whose output ends every field with a NUL."""
    return processes.run(["git", *arguments], cwd=folder).stdout.split("\0")[:-1]


def _relative(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root.resolve())).as_posix()


def _link(repository: Path, target: Path) -> None:
    for path in _listed(repository, *_UNIGNORED):
        source = repository / path
        if source.is_symlink() or source.is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            if not (target / path).is_symlink() and not (target / path).exists():
                files.link(source, target / path)
