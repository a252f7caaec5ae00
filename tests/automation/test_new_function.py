from collections.abc import Sequence
from pathlib import Path

import pytest

from automation import new_function
from automation.authoring.function_plans import FunctionPlan, Options
from automation.project.model import Stack
from automation.system.errors import CheckFailedError, ConfigurationError, Finding, ToolError, UsageError
from tests.automation.authoring import shops


def pass_lint(_stacks: Sequence[Stack], _root: Path) -> list[Finding]:
    return []


def create(root: Path, name: str = "risk_check", **options: str) -> FunctionPlan:
    return new_function.create(root, name, Options(**options), lint=pass_lint)


def test_create_writes_the_function(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.PLAIN)

    plan = create(tmp_path, description="Checks risk")

    written = {path: (tmp_path / path).read_text() for path in plan.changes.contents}
    assert written == plan.changes.contents
    assert "RiskCheckFunction:" in written["template.yaml"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"trigger": "queue"}, "Handles RiskCheckAsked"),
        ({"trigger": "schedule", "schedule": "rate(9 days)"}, "rate(9 days)"),
        ({"trigger": "bus", "message": "Sold"}, "detail-type: [Sold]"),
        ({"description": "Checks risk"}, "Checks risk"),
        ({"example": "orders"}, "RiskCheckFunction"),
        ({"stack": "main"}, "RiskCheckFunction"),
    ],
)
def test_create_passes_each_option_on(tmp_path: Path, options: dict[str, str], text: str) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)

    create(tmp_path, **options)

    assert text in (tmp_path / "template.yaml").read_text()


def test_create_passes_the_layer_on(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.PLAIN)

    with pytest.raises(UsageError, match="the stack main has no layer 'x'"):
        create(tmp_path, layer="x")


def test_create_with_a_bad_name_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a name is missing; type, for example, inv new-function risk_check"):
        create(tmp_path, "")


def test_create_lints_the_new_template_before_it_writes(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.PLAIN)
    before = shops.snapshot(tmp_path)
    linted: list[str] = []

    def lint(stacks: Sequence[Stack], root: Path) -> list[Finding]:
        [stack] = stacks
        text = (root / stack.template.path).read_text()
        linted.append(text)
        faults = [Finding("template.yaml:9", "E1: old")]
        return [*faults, Finding("template.yaml:3", "E2: new")] if "RiskCheck" in text else faults

    with pytest.raises(CheckFailedError, match="the new template would have faults; nothing was written") as raised:
        new_function.create(tmp_path, "risk_check", Options(), lint=lint)

    assert raised.value.findings == (Finding("template.yaml:3", "E2: new"),)
    assert ["RiskCheck" in text for text in linted] == [True, False]
    assert shops.snapshot(tmp_path) == before


def test_create_accepts_faults_that_the_template_has_already(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.PLAIN)

    plan = new_function.create(tmp_path, "risk_check", Options(), lint=lambda *_: [Finding("t:9", "E1: old")])

    assert plan.function == "RiskCheckFunction"


def test_create_accepts_a_fault_that_only_moves_down(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.PLAIN)

    def lint(stacks: Sequence[Stack], root: Path) -> list[Finding]:
        lines = len((root / stacks[0].template.path).read_text().splitlines())
        return [Finding(f"t:{lines}", f"E0000: Duplicate found 'Enabled' (line {lines})")]

    assert new_function.create(tmp_path, "risk_check", Options(), lint=lint).function == "RiskCheckFunction"


def test_create_without_a_linter_writes_the_function(tmp_path: Path) -> None:
    def lint(_stacks: Sequence[Stack], _root: Path) -> list[Finding]:
        raise ToolError("cfn-lint was not found")

    shops.make(tmp_path, shops.PLAIN)

    assert new_function.create(tmp_path, "risk_check", Options(), lint=lint).function == "RiskCheckFunction"


def scaffold_with(root: Path, *runs: str) -> None:
    commands = ", ".join(f'["python", "-c", "{run}"]' for run in runs)
    changed = shops.SCAFFOLD.replace("generated =", f"runs = [{commands}]\ngenerated =")
    shops.make(root, {**shops.WITH_SCAFFOLD, "scaffold/scaffold.toml": changed})
    (root / "samples").mkdir()


GENERATE = "open('samples/$message.json', 'w').write(open('shop/$module/handler.py').read())"


def test_create_runs_the_commands_of_the_scaffold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scaffold_with(tmp_path, GENERATE)

    new_function.show(tmp_path, create(tmp_path, trigger="bus"))

    assert (tmp_path / "samples/RiskCheckAsked.json").read_text().startswith('"""risk_check."""')
    assert capsys.readouterr().out.splitlines() == [
        "RiskCheckFunction in the stack main, like OrdersFunction; trigger bus: RiskCheckAsked",
        "  list.md",
        "  messages.py",
        "  samples/RiskCheckAsked.json",
        "  shop/risk_check/handler.py",
        "  template.yaml",
        "next: inv sync build prove size, then inv deploy",
    ]


def test_create_takes_everything_back_when_a_command_fails(tmp_path: Path) -> None:
    scaffold_with(tmp_path, GENERATE, "raise SystemExit('no')")
    before = shops.snapshot(tmp_path)

    with pytest.raises(ToolError, match=r"nothing was written, because a command of the scaffold failed: .* code 1"):
        create(tmp_path, trigger="bus")

    assert shops.snapshot(tmp_path) == before


def test_show_without_a_message_prints_the_trigger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shops.make(tmp_path, shops.PLAIN)

    new_function.show(tmp_path, create(tmp_path))

    assert capsys.readouterr().out.startswith(
        "RiskCheckFunction in the stack main, like ReturnsFunction; trigger queue\n"
    )


def test_routes_of_a_project_without_a_registry_are_none(tmp_path: Path) -> None:
    assert new_function.routes_of(shops.make(tmp_path, shops.PLAIN)) == ()


def test_routes_of_a_registry_that_cannot_be_imported_says_so(tmp_path: Path) -> None:
    project = shops.make(tmp_path, {**shops.PLAIN, "pyproject.toml": '[tool.alchemiser]\nmessages = "nope:R"\n'})

    with pytest.raises(ConfigurationError, match="nope:R cannot be loaded"):
        new_function.routes_of(project)
