"""What the guides say is true: the tasks of `inv`, their options, the dangers of a deployment, the functions."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from invoke.collection import Collection

import tasks
from automation.authoring import selections
from automation.authoring.triggers import Trigger, triggers_of
from automation.deploying.verdict import dangers
from automation.deploying.verdict.aspects import REFUSED_BY_AWS
from automation.deploying.views.plan_view import RANKS
from automation.project import model, setting_keys
from automation.project.model import Project
from the_alchemiser.notifications_v2 import explanations

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
GUIDES += sorted(path for path in (ROOT / "docs").rglob("*.md"))
DEPLOYMENTS = ROOT / "docs" / "deployments.md"
OTHER_PROJECTS = ROOT / "docs" / "other-projects.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
# Options of Invoke itself.
CORE = frozenset({"--help", "--print-completion-script"})
_COMMAND = re.compile(r"\binv ([a-z][\w.-]*\w)([^`\n|;()]*)")
_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
_DANGER = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.MULTILINE)
_FUNCTION = re.compile(r"^\| `(\w+)` \| (\w+) \| ([a-z, ]+) \| (.*) \|$", re.MULTILINE)
_RANK = re.compile(r"^\d\. ([a-z ]+)", re.MULTILINE)


def commands(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the task and the options of each command that is written in code."""
    blocks = re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)
    for match in _COMMAND.finditer("\n".join(blocks)):
        yield match[1], frozenset(_OPTION.findall(match[2])) - CORE


def faults(text: str, namespace: Collection) -> list[str]:
    """Return the tasks and options in a text that `inv` does not have."""
    contexts = {context.name: frozenset(context.flags) for context in namespace.to_contexts()}
    missing: list[str] = []
    for task, options in commands(text):
        if task not in contexts:
            missing.append(f"inv {task}")
        else:
            missing += [f"inv {task} {option}" for option in sorted(options - contexts[task])]
    return missing


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_guide_names_tasks_and_options_that_exist(guide: Path) -> None:
    assert faults(guide.read_text(encoding="utf-8"), tasks.namespace) == []


def test_mails_name_tasks_and_options_that_exist() -> None:
    text = Path(explanations.__file__).read_text(encoding="utf-8")

    assert "`inv run.start --env {stage} --replaces {run_id}`" in text
    assert faults(text, tasks.namespace) == []


def test_faults_finds_a_planted_task_and_option() -> None:
    text = "`inv deplou --env x`, `inv build --fast --explain`\n```\ninv prove   # all\ninv size --pretty\n```\n"

    assert faults(text, tasks.namespace) == ["inv deplou", "inv build --fast", "inv size --pretty"]


def test_deployments_lists_each_kind_of_danger() -> None:
    table: Mapping[str, str] = dict(_DANGER.findall(DEPLOYMENTS.read_text(encoding="utf-8")))

    assert table == dangers.KINDS


def test_deployments_lists_changes_in_the_order_of_a_plan() -> None:
    ranks = [rank.strip() for rank in _RANK.findall(DEPLOYMENTS.read_text(encoding="utf-8"))]

    assert ranks == [name.replace("watched setting", "watched settings") for name in RANKS.values()]


def test_kinds_that_aws_refuses_say_that_they_cannot_be_allowed() -> None:
    refused = {kind for kind, text in dangers.KINDS.items() if text.endswith("cannot be allowed")}

    assert refused == REFUSED_BY_AWS


def test_guide_for_other_projects_lists_every_setting() -> None:
    text = OTHER_PROJECTS.read_text(encoding="utf-8").partition("## Settings\n")[2].partition("\n## ")[0]
    rows = " ".join(row.split(" | ")[0] for row in text.splitlines() if row.startswith("| `"))
    listed = {re.split(r"[.\]]", name.removeprefix("[[tool.alchemiser."))[0] for name in re.findall(r"`([^`]+)`", rows)}

    assert listed == setting_keys.names(setting_keys.PROJECT)


def functions_of(project: Project) -> set[tuple[str, ...]]:
    """Return module, stack, triggers and description of every function; an inbox alone is the trigger `queue`."""
    rows: set[tuple[str, ...]] = set()
    for stack in project.stacks:
        parsed = selections.parse((project.root / stack.template.path).read_text(encoding="utf-8"), path=stack.name)
        for function in stack.functions:
            kinds = triggers_of(function.logical_id, parsed.resources, parsed.owners).kinds
            shown = [kind for kind in Trigger if kind in (kinds - {Trigger.QUEUE} or kinds)]
            module = str(function.handler).split(".")[1]
            rows.add((module, stack.name, ", ".join(shown), str(function.properties["Description"])))
    return rows


def test_architecture_lists_each_function_as_its_template_says() -> None:
    rows = set(_FUNCTION.findall(ARCHITECTURE.read_text(encoding="utf-8")))

    assert rows == functions_of(model.load(ROOT))
