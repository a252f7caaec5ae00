"""Ask git about commits, and check one out beside the working copy."""

from pathlib import Path

from automation.system import processes
from automation.system.errors import ConfigurationError


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
