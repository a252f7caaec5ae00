"""Report which functions, layers and stacks must be deployed again since a commit, and why.

Both states are read as a build reads them: an artifact changed when its fingerprint did.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.project import model, templates
from automation.reach import differences, import_graphs, redeployments, revisions, selected_tests, states
from automation.reach.model import Affected, Redeployment, ResourceKind
from automation.reach.redeployments import StateComparison
from automation.reach.revisions import FileStatus, Revision, Snapshots
from automation.reach.selected_tests import PytestLayout, SelectedTests
from automation.reach.states import ProjectState
from automation.system import console
from automation.system.errors import AutomationError, ConfigurationError

_SAMCONFIG = "samconfig.toml"
_SHOWN_FILES = 6


def find(root: Path, *, since: str = "") -> Affected:
    """Compare the working copy with a commit; files that git ignores are left out of both.

    Args:
        since: a git revision; by default the commit where this branch left the main one, or HEAD on the main branch.

    Raises:
        ConfigurationError: the project is not in a git repository, or cannot be read.
        UsageError: the revision does not exist.
        ToolError: git is not installed.
    """
    revision = revisions.find_revision(root, since)
    changes = revisions.changed_files(root, revision)
    if not changes:
        return Affected(revision.label, (), (), (), ())

    with revisions.snapshots(root, revision) as snapshots:
        before, notes = _before(snapshots, root, revision)
        now = _read(snapshots.now, root)
        builders = (states.builder_version(snapshots.before), states.builder_version(snapshots.now))
        comparison = _compare(before, now, frozenset(change.path for change in changes))

    planned = redeployments.plan(comparison)
    redeployed_stacks = {redeployment.stack for redeployment in planned}
    stacks = [stack.name for stack in (*now.project.stacks, *before.project.stacks)]
    return Affected(
        since=revision.label,
        changes=changes,
        redeployments=planned,
        stacks=tuple(name for name in dict.fromkeys(stacks) if name in redeployed_stacks),
        unreached=_unreached(comparison, planned, builders),
        notes=(
            *notes,
            *(f"{name} was not compared: its code is only known at deploy time" for name in now.unknown_code),
        ),
    )


def show(affected: Affected) -> None:
    """Print what is deployed again and why, and which changed files affect nothing deployed."""
    for note in affected.notes:
        console.warning(note)

    rows = [
        (redeployment.stack, redeployment.name, _effect_text(redeployment), redeployment.reason)
        for redeployment in affected.redeployments
    ]
    if rows:
        console.table(("stack", "resource", "effect", "reason"), rows)

    if affected.unreached:
        more = len(affected.unreached) - _SHOWN_FILES
        named = ", ".join(affected.unreached[:_SHOWN_FILES]) + (f" and {more} more" if more > 0 else "")
        console.result(f"changed files that affect nothing deployed: {named}")
    console.result(_summary(affected))


def show_json(affected: Affected) -> None:
    console.result_json(as_json(affected))


def as_json(affected: Affected) -> dict[str, Any]:
    """Return the answer as JSON values; `stacks` are in the order of deployment."""
    return {
        "format": 1,
        "since": affected.since,
        "changes": [{"path": change.path, "status": str(change.status)} for change in affected.changes],
        "stacks": list(affected.stacks),
        "functions": [_record(redeployment) for redeployment in affected.of_kind(ResourceKind.FUNCTION)],
        "layers": [_record(redeployment) for redeployment in affected.of_kind(ResourceKind.LAYER)],
        "resources": [_record(redeployment) for redeployment in affected.of_kind(ResourceKind.OTHER)],
        "unreached": list(affected.unreached),
        "notes": list(affected.notes),
    }


def select_tests(root: Path, *, since: str = "") -> SelectedTests:
    """Select the test files that the changes since a commit reach.

    Raises:
        ConfigurationError, UsageError, ToolError: as `find`.
    """
    revision = revisions.find_revision(root, since)
    changed = frozenset(change.path for change in revisions.changed_files(root, revision))
    if not changed:
        return SelectedTests()

    modules = [path for path in revisions.unignored_files(root) if path.endswith(".py")]
    texts = {path: (root / path).read_text(encoding="utf-8", errors="replace") for path in modules}
    with revisions.snapshots(root, revision) as snapshots:
        graphs = import_graphs.read({"now": (snapshots.now,), "before": (snapshots.before,)})

    layout = PytestLayout.from_settings(_pytest_settings(root))
    template_paths = {stack.template.path for stack in model.load(root).stacks}
    graph = import_graphs.union(graphs["now"], graphs["before"])
    return selected_tests.select(changed, texts, graph, layout, templates=template_paths)


def show_tests(selected: SelectedTests) -> None:
    """Print the test files one per line, as arguments of pytest, and a warning when all or none are selected."""
    console.results(selected.files)
    if selected.run_all_reason:
        console.warning(f"every test is selected: {selected.run_all_reason}")
    elif not selected.files:
        console.warning("the changes reach no test")


def _record(redeployment: Redeployment) -> dict[str, Any]:
    return {
        "stack": redeployment.stack,
        "name": redeployment.name,
        "effect": str(redeployment.effect),
        "rebuilt": redeployment.is_rebuilt,
        "imports_the_change": redeployment.is_importer,
        "chain": list(redeployment.chain),
        "why": redeployment.why,
        "reason": redeployment.reason,
    }


def _before(snapshots: Snapshots, root: Path, revision: Revision) -> tuple[ProjectState, tuple[str, ...]]:
    """Read the state of the commit; when it cannot be read, everything counts as new."""
    try:
        return _read(snapshots.before, root), ()
    except AutomationError as cause:
        return states.empty(snapshots.before), (f"{revision.label} cannot be read, so everything is new: {cause}",)


def _read(snapshot: Path, root: Path) -> ProjectState:
    try:
        return states.read(snapshot, real_root=root)
    except AutomationError as cause:
        raise ConfigurationError(str(cause).replace(f"{snapshot}/", "")) from cause


def _compare(before: ProjectState, now: ProjectState, files: frozenset[str]) -> StateComparison:
    changed = differences.changed_artifacts(before, now)
    graphs_now = import_graphs.read(differences.search_paths(now, changed))
    has_deleted_modules = any(path.endswith(".py") and not (now.project.root / path).exists() for path in files)
    graphs_before = import_graphs.read(differences.search_paths(before, changed)) if has_deleted_modules else {}
    outputs = {stack.name: (_outputs(before, stack.name), _outputs(now, stack.name)) for stack in now.project.stacks}
    return StateComparison(before, now, changed, graphs_before, graphs_now, files, outputs)


def _outputs(state: ProjectState, name: str) -> Any:
    stack = states.stack_named(state, name)
    if stack is None:
        return None
    return templates.document(state.project.root / stack.template.path, name=stack.template.path).get(
        redeployments.OUTPUTS
    )


def _unreached(
    comparison: StateComparison, planned: tuple[Redeployment, ...], builders: tuple[str, str]
) -> tuple[str, ...]:
    used: set[str] = set()

    for key, difference in comparison.changed_artifacts.items():
        used.update(difference.files)
        if difference.is_new:
            used.update(comparison.now.artifacts[key].origins.values())

    configured_stacks = {redeployment.stack for redeployment in planned if redeployment.why}
    stacks = [*comparison.now.project.stacks, *comparison.before.project.stacks]
    used |= {stack.template.path for stack in stacks if stack.name in configured_stacks}
    if configured_stacks:
        used.add(_SAMCONFIG)
    if builders[0] != builders[1]:
        used.add(states.BUILDER_FILE)

    reasons = " ".join(redeployment.why for redeployment in planned)
    return tuple(sorted(path for path in comparison.files if path not in used and f"{path} changed" not in reasons))


def _effect_text(redeployment: Redeployment) -> str:
    return (
        str(redeployment.effect) if redeployment.is_importer else f"{redeployment.effect}, does not import the change"
    )


def _summary(affected: Affected) -> str:
    since = f"since {affected.since}"
    if not affected.changes:
        return f"no changes {since}"
    deleted = sum(change.status is FileStatus.DELETED for change in affected.changes)
    changed = f"{len(affected.changes)} file(s) changed {since}{f' ({deleted} deleted)' if deleted else ''}"
    if not affected.redeployments:
        return f"{changed}; nothing to deploy again"
    rebuilt = len(affected.rebuilt)
    return f"{changed}; {rebuilt} artifact(s) to build; stacks to deploy again: {', '.join(affected.stacks)}"


def _pytest_settings(root: Path) -> Mapping[str, Any]:
    try:
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    table = document.get("tool", {}).get("pytest", {}).get("ini_options", {})
    return table if isinstance(table, Mapping) else {}
