"""What has changed since a commit, and what of it has to be deployed again: functions, layers, stacks, and why.

Both states are read as a build reads them, so an artifact counts as changed when its fingerprint is another one.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.project import model, templates
from automation.reach import differences, imports, plan, revisions, selected_tests, states
from automation.reach.model import Affected, Kind, Reached
from automation.reach.plan import Compared
from automation.reach.revisions import Revision, Snapshots, Status
from automation.reach.selected_tests import Choice, Layout
from automation.reach.states import State
from automation.system import console
from automation.system.errors import AutomationError, ConfigurationError

_SAMCONFIG = "samconfig.toml"
_SHOWN = 6


def find(root: Path, *, since: str = "") -> Affected:
    """Compare the working copy with a commit; files that git ignores are left out of both.

    Args:
        since: a git revision; without one it is where this branch left the main one, and on the main branch HEAD.

    Raises:
        ConfigurationError: the project is in no git repository, or cannot be read.
        UsageError: there is no such revision.
        ToolError: git is absent.
    """
    revision = revisions.find(root, since)
    changes = revisions.changes(root, revision)
    if not changes:
        return Affected(revision.label, (), (), (), ())
    with revisions.snapshots(root, revision) as snapshots:
        before, notes = _before(snapshots, root, revision)
        now = _read(snapshots.now, root)
        builders = (states.builder_of(snapshots.before), states.builder_of(snapshots.now))
        compared = _compare(before, now, frozenset(one.path for one in changes))
    reached = plan.of(compared)
    touched = {one.stack for one in reached}
    stacks = [stack.name for state in (now, before) for stack in state.project.stacks]
    return Affected(
        since=revision.label,
        changes=changes,
        reached=reached,
        stacks=tuple(name for name in dict.fromkeys(stacks) if name in touched),
        unreached=_unreached(compared, reached, builders),
        notes=(*notes, *(f"{name} is known to CloudFormation alone, so it was not compared" for name in now.unknown)),
    )


def show(affected: Affected) -> None:
    """Print what is deployed again and why, and which changes reach nothing."""
    for note in affected.notes:
        console.warning(note)
    rows = [(one.stack, one.name, _words(one), one.reason) for one in affected.reached]
    if rows:
        console.table(("stack", "what", "is", "because of"), rows)
    if affected.unreached:
        more = len(affected.unreached) - _SHOWN
        named = ", ".join(affected.unreached[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        console.result(f"reaches nothing that is deployed: {named}")
    console.result(_summary(affected))


def show_json(affected: Affected) -> None:
    console.result_json(as_json(affected))


def as_json(affected: Affected) -> dict[str, Any]:
    """For programs; `stacks` are in the order of deployment."""
    return {
        "format": 1,
        "since": affected.since,
        "changes": [{"path": one.path, "status": str(one.status)} for one in affected.changes],
        "stacks": list(affected.stacks),
        "functions": [_record(one) for one in affected.of(Kind.FUNCTION)],
        "layers": [_record(one) for one in affected.of(Kind.LAYER)],
        "resources": [_record(one) for one in affected.of(Kind.OTHER)],
        "unreached": list(affected.unreached),
        "notes": list(affected.notes),
    }


def choose_tests(root: Path, *, since: str = "") -> Choice:
    """The test files that what has changed since a commit reaches.

    Raises:
        ConfigurationError, UsageError, ToolError: as `find`.
    """
    revision = revisions.find(root, since)
    changed = frozenset(one.path for one in revisions.changes(root, revision))
    if not changed:
        return Choice()
    modules = [path for path in revisions.paths(root) if path.endswith(".py")]
    texts = {path: (root / path).read_text(encoding="utf-8", errors="replace") for path in modules}
    with revisions.snapshots(root, revision) as snapshots:
        graphs = imports.read({"now": (snapshots.now,), "before": (snapshots.before,)})
    layout = Layout.of(_pytest_settings(root))
    described = {stack.template.path for stack in model.load(root).stacks}
    graph = imports.joined(graphs["now"], graphs["before"])
    return selected_tests.choose(changed, texts, graph, layout, templates=described)


def show_tests(choice: Choice) -> None:
    """Print the tests as pytest takes them, one a line, and on stderr how they were chosen; nothing for none."""
    console.results(choice.files)
    if choice.everything:
        console.warning(f"every test is run: {choice.everything}")
    elif not choice.files:
        console.warning("no test is reached by what has changed")


def _record(one: Reached) -> dict[str, Any]:
    return {
        "stack": one.stack,
        "name": one.name,
        "effect": str(one.effect),
        "rebuilt": one.is_rebuilt,
        "imports_the_change": one.is_importer,
        "chain": list(one.chain),
        "why": one.why,
        "reason": one.reason,
    }


def _before(snapshots: Snapshots, root: Path, revision: Revision) -> tuple[State, tuple[str, ...]]:
    """The state of the commit; one that cannot be read makes everything new, because nothing is known of it."""
    try:
        return _read(snapshots.before, root), ()
    except AutomationError as cause:
        return states.nothing(snapshots.before), (f"{revision.label} cannot be read, so everything is new: {cause}",)


def _read(snapshot: Path, root: Path) -> State:
    try:
        return states.read(snapshot, real_root=root)
    except AutomationError as cause:
        raise ConfigurationError(str(cause).replace(f"{snapshot}/", "")) from cause


def _compare(before: State, now: State, files: frozenset[str]) -> Compared:
    found = differences.of_parts(before, now)
    graphs_now = imports.read(differences.searches(now, found))
    gone = any(path.endswith(".py") and not (now.project.root / path).exists() for path in files)
    graphs_before = imports.read(differences.searches(before, found)) if gone else {}
    outputs = {stack.name: (_outputs(before, stack.name), _outputs(now, stack.name)) for stack in now.project.stacks}
    return Compared(before, now, found, graphs_before, graphs_now, files, outputs)


def _outputs(state: State, name: str) -> Any:
    stack = states.stack_named(state, name)
    if stack is None:
        return None
    return templates.document(state.project.root / stack.template.path, name=stack.template.path).get(plan.OUTPUTS)


def _unreached(compared: Compared, reached: tuple[Reached, ...], builders: tuple[str, ...]) -> tuple[str, ...]:
    used = {path for one in compared.parts.values() for path in one.files}
    used |= {path for one in compared.parts for path in _new_files(compared, one)}
    told = {one.stack: one for one in reached if one.why}
    stacks = [*compared.now.project.stacks, *compared.before.project.stacks]
    used |= {stack.template.path for stack in stacks if stack.name in told}
    used |= {_SAMCONFIG} if told else set()
    used |= {states.BUILDER_FILE} if len(set(builders)) > 1 else set()
    named = " ".join(one.why for one in reached)
    return tuple(sorted(path for path in compared.files if path not in used and f"{path} changed" not in named))


def _new_files(compared: Compared, key: states.Key) -> set[str]:
    return set(compared.now.parts[key].origins.values()) if compared.parts[key].is_new else set()


def _words(one: Reached) -> str:
    return f"{one.effect}, runs nothing of the change" if not one.is_importer else str(one.effect)


def _summary(affected: Affected) -> str:
    since = f"since {affected.since}"
    if not affected.changes:
        return f"nothing has changed {since}"
    removed = sum(one.status is Status.DELETED for one in affected.changes)
    changed = f"{len(affected.changes)} file(s) changed {since}{f' ({removed} deleted)' if removed else ''}"
    if not affected.reached:
        return f"{changed}; nothing is to be deployed again"
    built = sum(one.is_rebuilt for one in affected.reached)
    return f"{changed}; {built} artifact(s) to build; to deploy again: {', '.join(affected.stacks)}"


def _pytest_settings(root: Path) -> Mapping[str, Any]:
    try:
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = document.get("tool", {}).get("pytest", {}).get("ini_options", {})
    return found if isinstance(found, Mapping) else {}
