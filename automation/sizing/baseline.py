"""Load the sizes to compare with: from a file that `inv size --json` wrote, or from a git revision, which is built.

A revision is checked out below `.alchemiser/`, built, measured and removed. The build uses this project's artifact
store, so that unchanged artifacts are not built again.
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
from automation.system import console, files, git
from automation.system.errors import AutomationError, ConfigurationError, UsageError

_HOME = ".alchemiser"
_STORE = "artifacts"
_WAIT_S = 900.0
_WHERE = "size --baseline"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The sizes to compare with.

    Attributes:
        label: the name of the file or revision in messages.
        notes: why the comparison may mislead.
    """

    label: str
    sizes: Sizes
    notes: tuple[str, ...] = ()


def load(reference: str, current: Project) -> Baseline:
    """Load the sizes of a file or of a git revision; a file wins over a revision with the same name.

    Raises:
        UsageError: the reference is neither a file nor a git revision.
        ConfigurationError: the file is not the output of `inv size --json`, or the revision cannot be built.
        ToolError: git is not installed, or cannot check out the revision.
    """
    path = Path(reference)
    if path.is_file():
        return Baseline(reference, record.parse(_read(path), where=reference))
    commit = _commit(reference, current.root)
    label = reference[:9] if commit.startswith(reference) else f"{reference} ({commit[:9]})"
    return Baseline(label, _measured(commit, label, current), tuple(_engine_notes(current)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigurationError(f"cannot be read: {cause}", where=str(path)) from cause


def _commit(reference: str, root: Path) -> str:
    commit = git.find_commit(root, reference)
    if not commit:
        message = f"{reference!r} is neither a file that inv size --json wrote nor a git revision of this project"
        raise UsageError(f"{message}; list the revisions: git log --oneline", where=_WHERE)
    return commit


def _measured(commit: str, label: str, current: Project) -> Sizes:
    """Build and measure a commit, holding the build lock because builds share the artifact store."""
    home = current.root / _HOME
    console.note(f"building {label} for the comparison")
    parameters = {stack.name: manifests.read(current.root, stack.name).parameters for stack in current.stacks}

    with (
        files.lock(home / "build.lock", wait_s=_WAIT_S, doing="building"),
        _checked_out(commit, current.root) as root,
    ):
        (home / _STORE).mkdir(parents=True, exist_ok=True)
        (root / _HOME).mkdir(exist_ok=True)
        files.show_at(home / _STORE, root / _HOME / _STORE)
        try:
            loaded = model.load(root)
            source_copies.sync(loaded)
            builder.build(loaded, parameters=parameters)
            return weighing.weigh(loaded)
        except AutomationError as cause:
            raise ConfigurationError(f"{label} could not be built: {cause}", where=_WHERE) from cause


@contextmanager
def _checked_out(commit: str, root: Path) -> Iterator[Path]:
    """Check out the project at a commit into a folder that is removed after the block.

    Neither the working copy nor git's index is touched.
    """
    scratch = (root / _HOME / "baseline").resolve()
    files.remove(scratch)  # a killed run may have left it
    scratch.mkdir(parents=True)
    try:
        repository = git.repository_root(root, where=_WHERE)
        git.check_out(commit, repository, scratch / "tree")
        yield scratch / "tree" / root.resolve().relative_to(repository)
    finally:
        files.remove(scratch)


def _engine_notes(current: Project) -> list[str]:
    """Warn when SAM made the current build: our own builder, which makes the baseline's, adds bytecode and prunes."""
    built_by_sam = [
        stack.name for stack in current.stacks if built.deployed_template(stack, current.root).name != outputs.PACKED
    ]
    if not built_by_sam:
        return []
    stacks = ", ".join(built_by_sam)
    return [f"SAM built {stacks}, our own builder the baseline: part of the change is bytecode and pruning"]
