"""Ask git about commits, and check one out beside the working copy."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.system import processes
from automation.system.errors import ConfigurationError, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The state of a folder in a git repository.

    Attributes:
        commit: the full hash of HEAD.
        description: of HEAD in words: the nearest tag, otherwise the short hash.
        is_dirty: whether files of the folder differ from HEAD, or are new and not ignored.
        has_remote: whether the repository has a remote.
        is_pushed: whether a branch of a remote contains HEAD, as far as this repository knows.
    """

    commit: str
    description: str
    is_dirty: bool
    has_remote: bool
    is_pushed: bool


def read_work_tree(folder: Path, *, apart_from: str = "") -> WorkTree | None:
    """Return the state of a folder; None without git, outside a repository and before the first commit.

    Args:
        apart_from: a file that does not make the folder dirty, relative to it, such as a plan that was saved there.
    """
    try:
        commit = find_commit(folder, "HEAD")
    except ToolError:
        return None
    if not commit:
        return None
    return WorkTree(
        commit=commit,
        description=_output(folder, "describe", "--tags", "--always"),
        is_dirty=is_dirty(folder, apart_from=apart_from),
        has_remote=bool(_output(folder, "remote")),
        is_pushed=is_pushed(folder),
    )


def origin(folder: Path) -> str:
    """Return the URL of the remote `origin`; empty without one, without git and outside a repository."""
    try:
        return processes.run(["git", "remote", "get-url", "origin"], cwd=folder).stdout.strip()
    except ToolError:
        return ""


def is_dirty(folder: Path, *, apart_from: str = "") -> bool:
    """Return whether files of the folder differ from HEAD, or are new and not ignored.

    Args:
        apart_from: a file that does not count, relative to the folder.

    Raises:
        ToolError: git is not installed, or the folder is not in a repository.
    """
    excluded = [f":(exclude){apart_from}"] if apart_from else []
    return bool(_output(folder, "status", "--porcelain", "--untracked-files=all", "--", ".", *excluded))


def uncommitted(folder: Path, paths: "Sequence[str]") -> tuple[str, ...]:
    """Return those of the files that differ from HEAD or are new; all of them outside a repository.

    Args:
        paths: relative to the folder.
    """
    if not paths:
        return ()
    argv = ["git", "-c", "core.quotePath=false", "status", "--porcelain", "--untracked-files=all", "--", *paths]
    try:
        finished = processes.run(argv, cwd=folder)
    except ToolError:
        return tuple(paths)
    changed = {line[3:] for line in finished.stdout.splitlines()}
    return tuple(path for path in paths if any(name.endswith(path) for name in changed))


def mentions(folder: Path, words: "Sequence[str]") -> tuple[str, ...]:
    """Return the lines of tracked files with one of the words, as `file:line: text`; none outside a repository."""
    patterns = [f"-e{word}" for word in words]
    try:
        finished = processes.run(["git", "grep", "-nIw", "--fixed-strings", *patterns], cwd=folder, check=False)
    except ToolError:
        return ()
    return tuple(finished.stdout.splitlines())


def is_pushed(folder: Path) -> bool:
    """Return whether a branch of a remote contains HEAD, as far as this repository knows.

    Raises:
        ToolError: git is not installed, or the repository has no commit.
    """
    return bool(_output(folder, "branch", "--remotes", "--contains", "HEAD"))


def repository_root(folder: Path, *, where: str) -> Path:
    """Return the top folder of the git repository that contains a folder.

    Raises:
        ConfigurationError: the folder is not in a git repository; `where` is the command that needs one.
        ToolError: git is not installed.
    """
    finished = processes.run(["git", "rev-parse", "--show-toplevel"], cwd=folder, check=False)
    if finished.exit_code:
        message = f"needs a git repository: {finished.tail(1)}; run git init and commit"
        raise ConfigurationError(message, where=where)
    return Path(finished.stdout.rstrip("\n")).resolve()


def find_commit(folder: Path, name: str) -> str:
    """Return the full hash of a revision; empty when it does not exist.

    Raises:
        ToolError: git is not installed.
    """
    argv = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    finished = processes.run(argv, cwd=folder, check=False)
    return "" if finished.exit_code else finished.stdout.strip()


def tags(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the tags of each commit that has some; empty without git and outside a repository."""
    listing = "--format=%(objectname) %(*objectname) %(refname:strip=2)"
    try:
        lines = _output(folder, "for-each-ref", "refs/tags", "--sort=version:refname", listing).splitlines()
    except ToolError:
        return {}
    names: dict[str, tuple[str, ...]] = {}
    for line in lines:
        # An annotated tag is an object of its own; the second hash is the commit that it names.
        object_hash, commit, name = line.split(" ", 2)
        names[commit or object_hash] = (*names.get(commit or object_hash, ()), name)
    return names


def check_out(commit: str, repository: Path, target: Path) -> None:
    """Write the files of a commit to a new folder; a file `index` beside it is overwritten.

    Raises:
        ToolError: git is not installed, or cannot check out the commit.
    """
    target.mkdir()
    # An index of our own, so that the person's staged changes stay as they are.
    env = processes.environment({"GIT_INDEX_FILE": str(target.with_name("index"))})
    processes.run(["git", "read-tree", commit], cwd=repository, env=env)
    processes.run(["git", "checkout-index", "--all", f"--prefix={target}/"], cwd=repository, env=env)


def _output(folder: Path, *words: str) -> str:
    return processes.run(["git", *words], cwd=folder).stdout.strip()
