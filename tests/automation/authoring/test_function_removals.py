from collections.abc import Iterable
from pathlib import Path

import pytest

from automation.authoring import file_changes, function_plans, function_removals, template_removals
from automation.authoring.function_plans import Options
from automation.authoring.function_removals import Consumed, RemovalPlan
from automation.authoring.names import Names
from automation.authoring.template_removals import TemplateRemoval
from automation.project import model
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.authoring import shops
from tests.automation.authoring.foreign import EVENTS, HELLO, ORDERS, SHARED
from tests.automation.projects import write_files

NEW = Names("risk_check")
OWN = Consumed("RiskCheckAsked", is_its_own=True)


def add(root: Path, **choices: str) -> None:
    planned = function_plans.plan(model.load(root), NEW, Options(**choices), known={"Placed": "shop"})
    with file_changes.written(root, planned.changes):
        pass


def plan(root: Path, name: str = "risk_check", consumed: Iterable[Consumed] = ()) -> RemovalPlan:
    return function_removals.plan(model.load(root), name, consumed=consumed)


def remove(root: Path, consumed: Iterable[Consumed] = ()) -> None:
    with file_changes.written(root, plan(root, consumed=consumed).changes):
        pass


@pytest.mark.parametrize(
    "contents",
    [
        shops.PLAIN,
        {"template.yml": HELLO, "hello/app.py": "", "tests/x.py": ""},
        {"template.yaml": EVENTS, "src/invoice/index.py": ""},
        {"template.yaml": SHARED, "src/orders.py": "", "src/stock.py": ""},
    ],
)
def test_removal_restores_a_project_without_settings(tmp_path: Path, contents: dict[str, str]) -> None:
    shops.make(tmp_path, contents)
    before = shops.snapshot(tmp_path)

    add(tmp_path)
    assert shops.snapshot(tmp_path) != before
    remove(tmp_path)

    assert shops.snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("choices", "consumed"),
    [
        ({"trigger": "bus", "description": "Checks risk"}, (OWN,)),
        ({"trigger": "bus", "message": "Placed"}, (Consumed("Placed", is_its_own=False),)),
        ({"trigger": "schedule"}, ()),
    ],
)
def test_removal_restores_a_project_with_a_scaffold(
    tmp_path: Path, choices: dict[str, str], consumed: tuple[Consumed, ...]
) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    before = shops.snapshot(tmp_path)

    add(tmp_path, **choices)
    remove(tmp_path, consumed)

    assert shops.snapshot(tmp_path) == before


def test_removal_of_one_function_leaves_another_new_one(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    other = function_plans.plan(model.load(tmp_path), Names("other_check"), Options(trigger="bus"), known={})
    with file_changes.written(tmp_path, other.changes):
        before = shops.snapshot(tmp_path)

    add(tmp_path, trigger="bus")
    remove(tmp_path, (OWN,))

    assert shops.snapshot(tmp_path) == before


def test_plan_keeps_a_message_that_others_use(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    add(tmp_path, trigger="bus")
    write_files(tmp_path, {"samples/RiskCheckAsked.json": ""})

    removal = plan(tmp_path, consumed=[Consumed("RiskCheckAsked", is_its_own=False)])

    assert (
        removal.changes.contents["messages.py"] == 'ROUTES = {\n    Placed: ("orders",),\n    RiskCheckAsked: (),\n}\n'
    )
    assert "samples/RiskCheckAsked.json" not in removal.changes.contents


def test_plan_removes_generated_files_of_its_own_message(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    add(tmp_path, trigger="bus")
    write_files(tmp_path, {"samples/RiskCheckAsked.json": "", "samples/Placed.json": ""})

    removal = plan(tmp_path, consumed=[OWN])

    assert removal.changes.removed == ("shop/risk_check/handler.py", "samples/RiskCheckAsked.json")


def test_plan_names_resources_module_and_generated_folder(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    add(tmp_path, trigger="bus")

    removal = plan(tmp_path, "RiskCheckFunction")

    assert (removal.module, removal.generated, removal.folders) == (
        "risk_check",
        "functions/risk_check",
        ("shop/risk_check",),
    )
    names = [resource.logical_id for resource in removal.resources]
    assert names == ["RiskCheckFunction", "RiskCheckQueue", "RiskCheckRule"]
    assert (removal.function.logical_id, removal.stack.name) == ("RiskCheckFunction", "main")


def test_plan_knows_which_files_somebody_has_worked_on(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    add(tmp_path, trigger="schedule")
    write_files(tmp_path, {"shop/risk_check/more.py": "x\n", "shop/risk_check/night.py": "mine\n"})

    assert plan(tmp_path).edited == ("shop/risk_check/more.py", "shop/risk_check/night.py")


def test_plan_accepts_imports_in_another_order(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    add(tmp_path, trigger="bus")
    write_files(tmp_path, {"shop/risk_check/handler.py": '"""risk_check."""\n\nimport a\nimport b\n'})

    assert plan(tmp_path).edited == ()


def test_plan_accepts_lines_that_a_formatter_has_wrapped(tmp_path: Path) -> None:
    scaffold = {**shops.WITH_SCAFFOLD, "scaffold/handler.txt": "run(${module}, True)\n"}
    shops.make(tmp_path, scaffold)
    add(tmp_path, trigger="bus")
    wrapped, edited = "run(\n    risk_check,\n    True,\n)\n", "run(\n    risk_check,\n    not True,\n)\n"

    write_files(tmp_path, {"shop/risk_check/handler.py": wrapped})
    assert plan(tmp_path).edited == ()
    write_files(tmp_path, {"shop/risk_check/handler.py": edited})
    assert plan(tmp_path).edited == ("shop/risk_check/handler.py",)


def test_plan_writes_the_template_last_so_that_a_killed_removal_can_go_on(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.WITH_SCAFFOLD)
    before = shops.snapshot(tmp_path)
    add(tmp_path, trigger="bus")
    changes = plan(tmp_path, consumed=[OWN]).changes.contents
    assert list(changes) == ["shop/risk_check/handler.py", "list.md", "messages.py", "template.yaml"]

    (tmp_path / "shop/risk_check/handler.py").unlink()
    write_files(tmp_path, {"list.md": str(changes["list.md"])})
    remove(tmp_path, (OWN,))

    assert shops.snapshot(tmp_path) == before


def test_plan_of_another_language_removes_the_code_folder(tmp_path: Path) -> None:
    shops.make(tmp_path, {"template.yaml": ORDERS.replace("python3.12", "nodejs22.x"), "src/orders/main.js": ""})

    removal = plan(tmp_path, "OrdersFunction")

    assert removal.changes.removed == ("src/orders/main.js",)
    assert removal.edited == ("src/orders/main.js",)
    assert removal.generated == ""


def test_plan_refuses_while_others_use_a_resource(tmp_path: Path) -> None:
    output = "Outputs:\n  Url:\n    Value: !Ref OrdersQueue\n"
    user = "  Bus: {Type: X, DependsOn: OrdersFunction}\n"
    shops.make(tmp_path, {**shops.PLAIN, "template.yaml": f"{ORDERS}{user}{output}"})

    with pytest.raises(CheckFailedError, match="OrdersFunction is still used; nothing was removed") as raised:
        plan(tmp_path, "OrdersFunction")

    assert [(finding.where, finding.what, finding.fix) for finding in raised.value.findings] == [
        ("template.yaml: Bus", "refers to OrdersFunction", "remove the reference first"),
        ("template.yaml: Outputs", "refers to OrdersQueue", "remove the reference first"),
    ]


def test_plan_refuses_a_removal_that_would_change_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = TemplateRemoval("Resources:\n  Table: {Type: X}\n", ())
    monkeypatch.setattr(template_removals, "remove", lambda *_: changed)
    shops.make(tmp_path, shops.PLAIN)

    with pytest.raises(
        ConfigurationError, match=r"^template\.yaml: the removal would change Resources\.Table\.Type; take"
    ):
        plan(tmp_path, "orders")


def test_plan_without_such_a_function_lists_them(tmp_path: Path) -> None:
    shops.make(tmp_path, shops.PLAIN)

    with pytest.raises(
        UsageError, match="there is no function 'x'; the functions are: OrdersFunction, ReturnsFunction"
    ):
        plan(tmp_path, "x")
