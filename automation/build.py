"""`inv build`: build the artifacts that are stale, and print what was built and why."""

from collections.abc import Mapping
from pathlib import Path

from automation.building import builder, source_copies
from automation.building.builder import Built
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
) -> Built:
    """Sync the project at `root`, then build what is stale.

    Args:
        engine: `uv` or `sam`, as it was typed.
        env: the environment whose template parameters are used; empty for the templates' defaults.
        variables: the process's environment variables, which that environment may refer to.
        note: this builds everything with its defaults, so the next such build may ask `up_to_date` alone.

    Raises:
        UsageError: there is no such engine, environment, artifact or stack.
        AutomationError: as `builder.build` and `source_copies.sync`.
    """
    if engine not in set(Engine):
        raise UsageError(f"there is no engine {engine!r}; the engines are: {', '.join(Engine)}", where="build")
    project = model.load(root, remember=True)
    source_copies.sync(project)

    parameters = environments.parameters_by_stack(project, env, variables) if env else {}
    built = builder.build(project, parameters=parameters, chosen=chosen, force=force, engine=Engine(engine))

    if note:
        builder.note_if_up_to_date(project, built)
    return built


def show(built: Built, *, explain: bool = False) -> None:
    """Print what was built, and why; with `explain` what was not, too."""
    for one in built.unknown:
        console.warning(f"{one} is known to CloudFormation alone, so it was not built")
    told = built.decisions if explain else built.made
    rows = [(one.stack, one.logical_id, "; ".join(one.reasons) or "current") for one in told]
    if rows:
        console.table(("stack", "artifact", "why"), rows)
    others = f", {built.left} not asked for" if built.left else ""
    current = len(built.decisions) - len(built.made)
    console.result(f"{len(built.made)} built, {current} unchanged{others}, {built.seconds:.1f} s")
