import runpy
from pathlib import Path

import pytest

from automation.authoring import function_plans, template_copies
from automation.authoring.function_plans import FunctionPlan, Options
from automation.authoring.names import Names
from automation.authoring.selections import Parsed
from automation.authoring.template_copies import TemplateCopy
from automation.authoring.triggers import Trigger
from automation.project import model
from automation.project.model import Project
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.authoring import shops
from tests.automation.authoring.foreign import HELLO, ORDERS, SHARED
from tests.automation.projects import make_shop, write_files

KNOWN = {"Placed": "shop"}
NEW = Names("risk_check")


def plan(project: Project, **choices: str) -> FunctionPlan:
    return function_plans.plan(project, NEW, Options(**choices), known=KNOWN)


def contents(project: Project, **choices: str) -> dict[str, str | None]:
    return {**plan(project, **choices).changes.contents}


def test_plan_without_settings_is_the_template_a_handler_and_a_test(tmp_path: Path) -> None:
    planned = plan(shops.make(tmp_path, shops.PLAIN), description="Checks risk")

    assert (planned.function, planned.example, planned.trigger) == ("RiskCheckFunction", "ReturnsFunction", "queue")
    assert list(planned.changes.contents) == ["template.yaml", "src/risk_check/main.py", "tests/test_risk_check.py"]


def test_plan_without_settings_writes_a_handler_whose_test_passes(tmp_path: Path) -> None:
    planned = plan(shops.make(tmp_path, shops.PLAIN), description="Checks risk")
    write_files(tmp_path, {path: text or "" for path, text in planned.changes.contents.items()})

    test = runpy.run_path(str(tmp_path / "tests/test_risk_check.py"))["test_risk_check_handles_an_event"]

    test()
    assert (tmp_path / "src/risk_check/main.py").read_text().startswith('"""risk_check: Checks risk"""\n')


def test_plan_in_a_shared_code_folder_is_one_more_module(tmp_path: Path) -> None:
    project = shops.make(tmp_path, {"template.yaml": SHARED, "src/orders.py": "", "src/stock.py": ""})

    assert list(contents(project)) == ["template.yaml", "src/risk_check.py"]


def test_plan_in_a_template_yml_without_a_trigger(tmp_path: Path) -> None:
    planned = plan(shops.make(tmp_path, {"template.yml": HELLO, "hello/app.py": ""}))

    assert planned.trigger is Trigger.NONE
    assert list(planned.changes.contents) == ["template.yml", "risk_check/app.py"]


def test_plan_with_a_scaffold_fills_files_and_lists(tmp_path: Path) -> None:
    written = contents(shops.make(tmp_path, shops.WITH_SCAFFOLD), trigger="bus", description="Checks risk")

    assert written["shop/risk_check/handler.py"] == '"""risk_check."""\n\nimport b\nimport a\n'
    assert written["messages.py"] == 'ROUTES = {\n    Placed: ("orders",),\n    RiskCheckAsked: ("risk_check",),\n}\n'
    assert written["list.md"] == "orders, risk_check (RiskCheckFunction, main, bus): Checks risk\n"
    assert sorted(written) == ["list.md", "messages.py", "shop/risk_check/handler.py", "template.yaml"]


def test_plan_with_a_new_message_has_its_rule_and_keeps_a_grant(tmp_path: Path) -> None:
    template = contents(shops.make(tmp_path, shops.WITH_SCAFFOLD), trigger="bus")["template.yaml"] or ""

    assert "EventPattern: {source: [shop], detail-type: [RiskCheckAsked]}" in template
    assert template.count("DynamoDBCrudPolicy: {TableName: !Ref Claims}") == 2
    assert 'Description: "Handles RiskCheckAsked"' in template


def test_plan_with_a_known_message_joins_its_consumers(tmp_path: Path) -> None:
    written = contents(shops.make(tmp_path, shops.WITH_SCAFFOLD), trigger="bus", message="Placed")

    assert written["messages.py"] == 'ROUTES = {\n    Placed: ("orders", "risk_check"),\n}\n'
    assert (written["template.yaml"] or "").count("detail-type: [Placed]") == 2


def test_plan_of_a_known_message_takes_its_source(tmp_path: Path) -> None:
    project = shops.make(tmp_path, shops.WITH_SCAFFOLD)
    options, known = Options(trigger="bus", message="Placed"), {"Placed": "bank"}

    template = function_plans.plan(project, NEW, options, known=known).changes.contents["template.yaml"] or ""

    assert "EventPattern: {source: [bank], detail-type: [Placed]}" in template


def test_plan_with_a_schedule_has_its_files_time_and_input(tmp_path: Path) -> None:
    written = contents(shops.make(tmp_path, shops.WITH_SCAFFOLD), trigger="schedule", schedule="rate(2 days)")

    assert "shop/risk_check/night.py" in written
    assert "messages.py" not in written
    template = written["template.yaml"] or ""
    assert (
        "{ScheduleExpression: \"rate(2 days)\", Target: {Arn: !GetAtt RiskCheckQueue.Arn, Input: 'run risk-check'}}"
        in template
    )
    assert template.count("DynamoDBCrudPolicy") == 1
    assert 'Description: "Does the work of risk_check"' in template


def test_plan_reads_a_file_with_crlf_and_keeps_it(tmp_path: Path) -> None:
    project = shops.make(tmp_path, shops.PLAIN)
    (tmp_path / "template.yaml").write_bytes(ORDERS.replace("\n", "\r\n").encode())

    template = contents(project)["template.yaml"] or ""

    assert template.count("\r\n") == template.count("\n") > ORDERS.count("\n")


def test_plan_takes_the_last_stack_with_an_example(tmp_path: Path) -> None:
    project = model.load(make_shop(tmp_path))

    assert (plan(project).stack.name, plan(project, stack="base").stack.name) == ("app", "base")
    assert plan(project, example="Stock").stack.name == "base"
    assert plan(project, example="till").example == "Till"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"stack": "nope"}, "there is no stack 'nope'; the stacks are: base, app"),
        ({"example": "nope"}, "there is no function 'nope'; the functions are: Stock, Till, Ledger"),
        (
            {"example": "handler"},
            "'handler' names more than one function: base/Stock, app/Till, app/Ledger; type one of these",
        ),
        ({"example": "Stock", "stack": "app"}, "Stock is not a function of the stack app"),
        (
            {"trigger": "bus"},
            (
                "no function of app.yaml has the trigger bus, so there is nothing to copy; "
                "use the command without --trigger, and write the rule by hand"
            ),
        ),
        (
            {"layer": "nope"},
            "the stack app has no layer 'nope'; its layers are: Code, Wheels; inv new-layer adds one",
        ),
        ({"message": "Placed"}, "--message needs --trigger bus or queue"),
        ({"schedule": "rate(1 day)"}, "--schedule needs --trigger schedule"),
        (
            {"description": 'say "a"'},
            "--description must be one line of at most 80 characters, without double quotes, backslashes and |",
        ),
    ],
)
def test_plan_refuses_what_it_cannot_do(tmp_path: Path, choices: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan(model.load(make_shop(tmp_path)), **choices)

    assert str(raised.value) == message


def test_plan_refuses_a_module_of_python_where_it_would_be_imported(tmp_path: Path) -> None:
    """`json.handle` is Python's json on Lambda, but src/json/main.py works."""
    names = Names("json")
    project = shops.make(tmp_path, {"template.yaml": HELLO.replace("app.lambda", "hello.lambda")})

    with pytest.raises(
        UsageError, match=r"^json is a module of Python, which Lambda would import instead; choose anoth"
    ):
        function_plans.plan(project, names, Options(), known={})

    (tmp_path / "template.yaml").write_text(HELLO)
    planned = function_plans.plan(model.load(tmp_path), names, Options(), known={})
    assert "json/app.py" in planned.changes.contents


def test_plan_writes_new_files_last_so_that_a_killed_command_can_be_undone(tmp_path: Path) -> None:
    texts = contents(shops.make(tmp_path, shops.WITH_SCAFFOLD), trigger="bus")

    assert list(texts) == ["template.yaml", "messages.py", "list.md", "shop/risk_check/handler.py"]


@pytest.mark.parametrize("schedule", ["daily", "rate()", "every(1 day)", "cron(0 20 * * ? *) x", "xat(1)"])
def test_plan_refuses_a_schedule_that_aws_would_refuse(tmp_path: Path, schedule: str) -> None:
    """Of a schedule of EventBridge Scheduler, cfn-lint does not check the expression."""
    with pytest.raises(UsageError) as raised:
        plan(shops.make(tmp_path, shops.WITH_SCAFFOLD), trigger="schedule", schedule=schedule)

    assert str(raised.value) == (
        f"--schedule must be as in 'rate(1 day)' or 'cron(0 20 ? * MON-FRI *)', got {schedule!r}"
    )


@pytest.mark.parametrize("schedule", ["rate(5 minutes)", "cron(0 20 ? * MON-FRI *)", "at(2026-01-01T00:00:00)"])
def test_plan_writes_a_schedule(tmp_path: Path, schedule: str) -> None:
    texts = contents(shops.make(tmp_path, shops.WITH_SCAFFOLD), trigger="schedule", schedule=schedule)

    assert f'ScheduleExpression: "{schedule}"' in (texts["template.yaml"] or "")


@pytest.mark.parametrize(("name", "code"), [("orders", "src/orders/"), ("daily_report", "src/daily-report/")])
def test_plan_refuses_the_name_of_a_function_of_the_template(tmp_path: Path, name: str, code: str) -> None:
    text = ORDERS.replace("src/orders/", code)
    project = shops.make(tmp_path, {"template.yaml": text})

    with pytest.raises(UsageError) as raised:
        function_plans.plan(project, Names(name), Options(), known={})

    assert str(raised.value) == (
        f"{name} is the code of OrdersFunction already; choose another name, or take that one out first: "
        "inv remove-function OrdersFunction"
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"message": "lower"}, "--message must be a name such as OrderPlaced, got 'lower'"),
        (
            {"message": "Placed", "trigger": "queue"},
            "Placed has its consumers already; a queue has messages of its own",
        ),
    ],
)
def test_plan_refuses_a_message_that_it_cannot_route(tmp_path: Path, choices: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        plan(shops.make(tmp_path, shops.WITH_SCAFFOLD), **choices)

    assert str(raised.value) == message


def test_plan_refuses_a_new_message_that_exists(tmp_path: Path) -> None:
    known = {"RiskCheckAsked": "shop"}

    with pytest.raises(
        UsageError, match=r"there is a message RiskCheckAsked already; .* type --message RiskCheckAsked"
    ):
        function_plans.plan(shops.make(tmp_path, shops.WITH_SCAFFOLD), NEW, Options(trigger="bus"), known=known)


@pytest.mark.parametrize("description", ["x" * 81, "a\nb", "a\rb", "a\\b", "a|b"])
def test_plan_refuses_a_description_that_a_list_cannot_hold(tmp_path: Path, description: str) -> None:
    with pytest.raises(UsageError, match="--description must be one line"):
        plan(shops.make(tmp_path, shops.PLAIN), description=description)


def test_plan_accepts_a_description_of_80_characters(tmp_path: Path) -> None:
    assert "x" * 80 in (contents(shops.make(tmp_path, shops.PLAIN), description="x" * 80)["template.yaml"] or "")


@pytest.mark.parametrize("path", ["shop/risk_check/handler.py", "shop/risk_check/more.py"])
def test_plan_refuses_a_folder_that_exists(tmp_path: Path, path: str) -> None:
    project = shops.make(tmp_path, {**shops.WITH_SCAFFOLD, path: ""})

    with pytest.raises(UsageError, match="shop/risk_check exists already; choose another name, or remove it first"):
        plan(project)


def test_plan_refuses_a_file_that_exists(tmp_path: Path) -> None:
    project = shops.make(tmp_path, {"template.yaml": SHARED, "src/risk_check.py": ""})

    with pytest.raises(UsageError, match=r"src/risk_check\.py exists already"):
        plan(project)


def test_plan_ignores_a_folder_with_caches_only(tmp_path: Path) -> None:
    project = shops.make(tmp_path, {**shops.WITH_SCAFFOLD, "shop/risk_check/__pycache__/x.pyc": ""})

    assert plan(project).function == "RiskCheckFunction"


def test_plan_needs_files_for_the_trigger(tmp_path: Path) -> None:
    scaffold = '[[files]]\npath = "x"\ntext = "handler.txt"\nwhen = ["bus"]\n'
    project = shops.make(tmp_path, {**shops.WITH_SCAFFOLD, "scaffold/scaffold.toml": scaffold})

    with pytest.raises(UsageError, match="the scaffold has no files for the trigger queue; choose another --trigger"):
        plan(project, trigger="queue")


def test_plan_names_a_file_of_the_scaffold_that_is_missing(tmp_path: Path) -> None:
    project = shops.make(tmp_path, shops.WITH_SCAFFOLD)
    (tmp_path / "list.md").unlink()

    with pytest.raises(ConfigurationError, match=r"list\.md: cannot be read"):
        plan(project)


@pytest.mark.parametrize("name", ["app", "wheels", "Wheels"])
def test_plan_takes_a_layer_by_id_or_folder(tmp_path: Path, name: str) -> None:
    project = model.load(make_shop(tmp_path))
    if name == "app":
        assert "!Ref Wheels" not in (contents(project, example="Ledger")["app.yaml"] or "").partition("RiskCheck:")[2]
        return

    template = contents(project, example="Ledger", layer=name)["app.yaml"] or ""

    assert "Layers: [!Ref Wheels]}" in template.partition("RiskCheck:")[2]


def test_facts_of_are_triggers_and_what_is_known_of_the_message() -> None:
    triggers = {Trigger.BUS, Trigger.QUEUE}

    facts = function_plans.facts_of(triggers, "", is_known=False)
    about_new = function_plans.facts_of(triggers, "Sold", is_known=False)
    about_known = function_plans.facts_of(triggers, "Sold", is_known=True)

    assert facts == {"bus", "queue"}
    assert about_new == facts | {"message", "new-message"}
    assert about_known == facts | {"message", "known-message"}


def test_plan_refuses_a_copy_that_would_change_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(parsed: Parsed, _selection: object, _wishes: object) -> TemplateCopy:
        return TemplateCopy(parsed.text.replace("src/orders", "src/new"), {}, "OrdersFunction")

    monkeypatch.setattr(template_copies, "copy", change)

    with pytest.raises(ConfigurationError) as raised:
        plan(shops.make(tmp_path, shops.PLAIN))

    place = "Resources.OrdersFunction.Properties.CodeUri"
    message = f"template.yaml: the new function would change {place}; copy another function with --example"
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("path", "folder"),
    [("a/risk/b.py", "a/risk"), ("risk/x/b.py", "risk"), ("a/risky/b.py", ""), ("risk", ""), ("a/risk.py", "")],
)
def test_own_folder_is_the_one_with_the_name(path: str, folder: str) -> None:
    assert function_plans.own_folder(path, "risk") == folder


def test_plan_like_inline_code_writes_a_file_in_a_folder(tmp_path: Path) -> None:
    properties = "{InlineCode: 'def main(event, context): ...', Handler: index.main, Runtime: python3.12}"
    template = f"Resources:\n  Hello:\n    Type: AWS::Serverless::Function\n    Properties: {properties}\n"
    write_files(tmp_path, {"template.yaml": template})

    assert list(plan(model.load(tmp_path)).changes.contents) == ["template.yaml", "risk_check/risk_check.py"]
