"""`inv build`: build the artifacts that are stale, and print what was built and why."""

from collections.abc import Mapping
from pathlib import Path

from automation.building import builder, source_copies
from automation.building.builder import BuildResult
from automation.building.engines import Engine
from automation.project import environments, model, selection
from automation.system import console
from automation.system.errors import UsageError


def build(
    root: Path,
    chosen: selection.Chosen,
    *,
    engine: str,
    env: str = "",
    variables: Mapping[str, str],
    force: bool = False,
    note: bool = False,
) -> BuildResult:
    """Sync the project at `root`, then build what is stale. After a failure, show what was built before raising it.

    A stack whose template cannot be read is such a failure, unless others are chosen.

    Args:
        engine: `uv` or `sam`, as the user typed it.
        env: the environment whose template parameters are used; empty for the templates' defaults.
        variables: the process's environment variables, which that environment may refer to.
        force: build what is up to date, too.
        note: this builds everything with its defaults, so note for `up_to_date` when there was nothing to do.

    Raises:
        UsageError: the engine, environment, artifact or stack does not exist.
        AutomationError: as `builder.build` and `source_copies.sync`.
    """
    if engine not in set(Engine):
        raise UsageError(f"there is no engine {engine!r}; the engines are: {', '.join(Engine)}", where="build")
    project = model.load(root, remember=True, keeps_going=True)
    source_copies.sync(project)

    parameters = environments.parameters_by_stack(project, env, variables) if env else {}
    try:
        chosen = selection.resolved(project, chosen)
        result = builder.build(
            project, parameters=parameters, chosen=chosen, force=force, engine=Engine(engine), keeps_going=True
        )
    except UsageError as cause:  # what is chosen may stand in a template that cannot be read
        for failure in project.unread.values():
            raise failure from cause
        raise
    unread = () if chosen.names or chosen.stack else project.unread.values()
    if failures := (*unread, *result.failures):
        show(result)
        for failure in failures[:-1]:
            console.error(str(failure))
        raise failures[-1]

    if note:
        builder.note_if_up_to_date(project, result)
    return result


def show(result: BuildResult, *, explain: bool = False) -> None:
    """Print what was built, and why; with `explain`, print what was up to date, too."""
    for line in result.skipped:
        console.warning(line)
    decisions = result.decisions if explain else result.rebuilt
    rows = [
        (decision.stack, decision.logical_id, "; ".join(decision.reasons) or "up to date") for decision in decisions
    ]
    if rows:
        console.table(("stack", "artifact", "why"), rows)
    for line in result.left_out:
        console.result(line)

    not_selected = f", {result.not_selected} not selected" if result.not_selected else ""
    unchanged = len(result.decisions) - len(result.rebuilt)
    console.result(result.counts)
    console.result(f"{len(result.rebuilt)} built, {unchanged} unchanged{not_selected}, {result.seconds:.1f} s")
