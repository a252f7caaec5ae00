"""The scaffold of a new function fits this repository: every place of an insertion is there, and the code is Python."""

import ast
from pathlib import Path

import pytest

from automation.authoring import function_plans, insertions, scaffolds
from automation.authoring.function_plans import FunctionPlan, Options
from automation.authoring.names import Names
from automation.project import model
from automation.project.model import Project
from the_alchemiser.shared.messaging.messages import REGISTRY

ROOT = Path(__file__).parents[2]
NEW = Names("scaffold_probe")
KNOWN = {kind.__name__: route.source for kind, route in REGISTRY.items()}


@pytest.fixture(scope="module")
def project() -> Project:
    return model.load(ROOT)


def plan(project: Project, **choices: str) -> FunctionPlan:
    return function_plans.plan(project, NEW, Options(**choices), known=KNOWN)


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({"trigger": "bus"}, '    ScaffoldProbeRequested: Route(TRADING, (), ("scaffold_probe",)),\n'),
        ({"trigger": "queue"}, '    ScaffoldProbeRequested: Route(TRADING, (), ("scaffold_probe",), queued=True),\n'),
        ({"trigger": "bus", "message": "RunFailed"}, '        ("notifications_v2", "scaffold_probe"),\n'),
        ({"trigger": "schedule"}, '    "run-scaffold-probe": RunScaffoldProbe,\n'),
        ({"trigger": "bus", "stack": "data"}, '    ScaffoldProbeRequested: Route(TRADING, (), ("scaffold_probe",)),\n'),
    ],
)
def test_scaffold_registers_what_the_function_handles(project: Project, choices: dict[str, str], expected: str) -> None:
    contents = plan(project, **choices).changes.contents

    messaging = [text or "" for path, text in contents.items() if path.startswith("the_alchemiser/shared/messaging/")]
    assert [expected in text for text in messaging] == [True]
    assert "the_alchemiser/scaffold_probe/lambda_handler.py" in contents
    for path, text in contents.items():
        if path.endswith(".py"):
            ast.parse(text or "", filename=path)


@pytest.mark.parametrize("message", sorted(KNOWN))
def test_scaffold_finds_the_route_of_each_message(message: str) -> None:
    scaffold = scaffolds.read(ROOT / "desk/scaffold", name="desk/scaffold")
    [insertion] = [insertion for insertion in scaffold.insertions if "known-message" in insertion.when]
    before = (ROOT / insertion.file).read_text()
    values = {"message": message, "module": NEW.module}

    after = insertions.insert(before, insertion, values)

    [line] = [line for line in after.splitlines() if '"scaffold_probe"' in line]
    assert ', "scaffold_probe")' in line
    assert insertions.remove(after, insertion, values) == before


def test_scaffold_names_the_function_in_every_list(project: Project) -> None:
    contents = plan(project, trigger="bus", description="Checks risk").changes.contents

    lists = {path: (text or "").count("scaffold_probe") for path, text in contents.items()}
    assert (
        lists["pyproject.toml"]
        == lists["desk/report_model.py"]
        == lists["docs/architecture.md"]
        == lists["docs/runbook.md"]
        == 1
    )
    assert "| `scaffold_probe` | trading | bus | Checks risk |\n" in (contents["docs/architecture.md"] or "")


@pytest.mark.parametrize(("trigger", "keeps_claims"), [("bus", True), ("queue", True), ("schedule", False)])
def test_scaffold_grants_claims_only_for_messages(project: Project, trigger: str, keeps_claims: bool) -> None:
    contents = plan(project, trigger=trigger, stack="data").changes.contents

    role = (contents["data-template.yaml"] or "").partition("  ScaffoldProbeFunctionRole:")[2]
    assert ("Claims" in role[: role.index("\n\n")]) == keeps_claims
