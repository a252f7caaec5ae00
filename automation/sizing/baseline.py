"""What to compare with: a file that `inv size --json` wrote, or a git revision, built for the purpose.

A revision is checked out below `.alchemiser/`, built with this project's store of artifacts, so that what has not
changed since costs nothing, measured, and removed again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from automation.building import builder, built, manifests, outputs, source_copies
from automation.project import model
from automation.project.model import Project
from automation.sizing import record, weighing
from automation.sizing.model import Sizes
from automation.system import console, files, processes
from automation.system.errors import AutomationError, ConfigurationError, UsageError

_HOME = ".alchemiser"
_STORE = "artifacts"
_WAIT_S = 900.0
_WHERE = "size --baseline"


@dataclass(frozen=True, slots=True)
class Baseline:
    """Sizes of another time, and how messages call them."""

    label: str
    sizes: Sizes
    notes: tuple[str, ...] = ()


def load(reference: str, current: Project) -> Baseline:
    """The sizes that a file holds or a git revision has; of a file and a revision of one name the file.

    Raises:
        UsageError: it is neither.
        ConfigurationError: the file is not what `inv size --json` prints, or the revision does not build.
        ToolError: git is absent, or could not check the revision out.
    """
    path = Path(reference)
    if path.is_file():
        return Baseline(reference, record.parse(_read(path), where=reference))
    commit = _commit(reference, current.root)
    label = reference[:9] if commit.startswith(reference) else f"{reference} ({commit[:9]})"
    return Baseline(label, _measured(commit, label, current), tuple(_engines_differ(current)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigurationError(f"cannot be read: {cause}", where=str(path)) from cause


def _commit(reference: str, root: Path) -> str:
    argv = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}"]
    found = processes.run(argv, cwd=root, check=False)
    if found.exit_code:
        message = f"{reference!r} is neither a file that inv size --json wrote nor a git revision of this project"
        raise UsageError(f"{message}; see git log --oneline", where=_WHERE)
    return found.stdout.strip()


def _measured(commit: str, label: str, current: Project) -> Sizes:
    """The lock of builds is held, because the store is shared with them."""
    home = current.root / _HOME
    console.note(f"building {label} to compare with")
    parameters = {stack.name: manifests.read(current.root, stack.name).parameters for stack in current.stacks}
    with (
        files.lock(home / "build.lock", wait_s=_WAIT_S, doing="building"),
        _checked_out(commit, current.root) as root,
    ):
        (home / _STORE).mkdir(parents=True, exist_ok=True)
        (root / _HOME).mkdir(exist_ok=True)
        (root / _HOME / _STORE).symlink_to(home / _STORE)
        try:
            loaded = model.load(root)
            source_copies.sync(loaded)
            builder.build(loaded, parameters=parameters)
            return weighing.weigh(loaded)
        except AutomationError as cause:
            raise ConfigurationError(f"{label} could not be built: {cause}", where=_WHERE) from cause


@contextmanager
def _checked_out(commit: str, root: Path) -> Iterator[Path]:
    """The project as it was then, in a folder that is removed; neither the working copy nor git's index is touched."""
    place = (root / _HOME / "baseline").resolve()
    files.remove(place)
    place.mkdir(parents=True)
    env = processes.environment({"GIT_INDEX_FILE": str(place / "index")})
    top = Path(processes.run(["git", "rev-parse", "--show-toplevel"], cwd=root).stdout.strip())
    try:
        processes.run(["git", "read-tree", commit], cwd=top, env=env)
        processes.run(["git", "checkout-index", "--all", f"--prefix={place / 'tree'}/"], cwd=top, env=env)
        yield place / "tree" / root.resolve().relative_to(top.resolve())
    finally:
        files.remove(place)


def _engines_differ(current: Project) -> list[str]:
    """Our own builder's artifacts have bytecode and are pruned: SAM's are not to be compared with them."""
    sams = [
        stack.name for stack in current.stacks if built.deployed_template(stack, current.root).name != outputs.PACKED
    ]
    if not sams:
        return []
    return [
        f"this build is SAM's ({', '.join(sams)}), the baseline our own builder's: bytecode alone makes a difference"
    ]
