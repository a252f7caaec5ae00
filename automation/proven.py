"""Show what a proof has found; also of one that passed before, without loading what proves."""

from collections.abc import Mapping
from typing import Any

from automation.project.model import Project
from automation.proof import records
from automation.system import console


def show_recorded(loaded: Project, state: str, *, is_json: bool = False) -> bool:
    """Print what the last proof showed, if it passed and nothing has changed; return whether that is so.

    Args:
        state: as `records.state` returns it now.
    """
    record = records.read(loaded.root, state) or {}
    shown = record.get("shown")
    if not shown:
        return False
    outdated = () if records.has_same_sources(loaded.root, record) else _outdated(loaded)
    if is_json:
        console.result_json({**shown["json"], "outdated": list(outdated)})
    else:
        again = "nothing has changed since; inv prove --force proves it again"
        print_shown({**shown, "summary": f"{shown['summary']}; {again}"}, outdated)
    return True


def _outdated(loaded: Project) -> tuple[str, ...]:
    from automation.proof import freshness, model  # noqa: PLC0415 - slow to import, and usually not needed

    return freshness.outdated(model.subject_of(loaded))


def print_shown(shown: Mapping[str, Any], outdated: tuple[str, ...]) -> None:
    """Print the functions and what was skipped, then the faults rule by rule, then a summary.

    Args:
        shown: JSON values, as `prove` makes them.
        outdated: sources that changed since the build.
    """
    if shown["rows"]:
        rows = [tuple(row) for row in shown["rows"]]
        console.table(("function", "how", "python", "import s", "remark"), rows, right=("import s",))
    _show_rules("error", shown["errors"], style="bold")
    _show_rules("warning", shown["warnings"], style="")
    console.result()
    console.result(shown["counts"])
    console.result(shown["summary"])
    if outdated:
        more = f" and {len(outdated) - 1} more" if len(outdated) > 1 else ""
        console.warning(f"the build is older than {outdated[0]}{more}; run inv build, then inv prove")


def _show_rules(title: str, faults: list[Mapping[str, str]], *, style: str) -> None:
    for rule in dict.fromkeys(fault["rule"] for fault in faults):
        of_rule = [fault for fault in faults if fault["rule"] == rule]
        console.result()
        console.result(f"{title}: {rule}. {of_rule[0]['title']}. {of_rule[0]['why']}", style=style)
        for fault in of_rule:
            console.result(f"  {fault['where']}: {fault['what']}")
            console.result(f"    fix: {fault['fix']}")
