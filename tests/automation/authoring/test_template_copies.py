"""A copy of a function in other projects' templates, and in this one's: what it takes over, changes and leaves out."""

import difflib
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.authoring import additions, selections, template_copies, template_removals
from automation.authoring.names import Names
from automation.authoring.selections import Parsed
from automation.authoring.template_copies import TemplateCopy, Wishes
from automation.authoring.triggers import Trigger
from automation.project import yamls
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.authoring.foreign import EVENTS, HELLO, ORDERS, SHARED, TEMPLATES
from tests.automation.authoring.test_selections import RULES

ROOT = Path(__file__).parents[3]
NEW = Names("risk_check")
PROBE = Names("copy_probe")  # not the name of a function of this project


def copy(text: str, *, example: str = "", trigger: str = "", **wishes: str | frozenset[str]) -> TemplateCopy:
    parsed = selections.parse(text, path="t.yaml")
    selection = selections.select(parsed, example=example, trigger=trigger, keep={})
    return template_copies.copy(parsed, selection, Wishes(NEW, "Checks risk", **wishes))  # type: ignore[arg-type] # by name


def added(text: str, **choices: str | frozenset[str]) -> list[str]:
    """Return the lines that a copy adds, without their indent; nothing may go but a line that grew."""
    changed = copy(text, **choices).text  # type: ignore[arg-type]  # by name
    lines = difflib.ndiff(text.splitlines(), changed.splitlines())
    return [line[2:].strip() for line in lines if line.startswith("+ ")]


def test_copy_of_a_queue_function_keeps_only_what_it_needs() -> None:
    text = copy(ORDERS, example="OrdersFunction", trigger="queue").text

    block = text[text.index("  RiskCheckFunction:") : text.index("  ReturnsFunction:")]
    assert block == (
        "  RiskCheckFunction:\n"
        "    Type: AWS::Serverless::Function\n"
        "    Properties:\n"
        '      FunctionName: !Sub "${AWS::StackName}-risk-check"\n'
        '      Description: "Checks risk"\n'
        "      CodeUri: src/risk_check/\n"
        "      Handler: main.handle\n"
        "      Runtime: python3.12\n"
        "      Environment:\n"
        "        Variables:\n"
        "          LOG_LEVEL: INFO\n"
        "      Policies:\n"
        "        # may read its queue\n"
        "        - SQSPollerPolicy:\n"
        "            QueueName: !GetAtt RiskCheckQueue.QueueName\n"
        "      Events:\n"
        "        Queue:\n"
        "          Type: SQS\n"
        "          Properties:\n"
        "            Queue: !GetAtt RiskCheckQueue.Arn\n"
    )


def test_copy_keeps_grants_and_variables_of_resources_to_keep() -> None:
    lines = added(ORDERS, example="OrdersFunction", trigger="queue", keep=frozenset({"Table"}))

    assert "TABLE: !Ref Table # the stock" in lines
    assert "- DynamoDBCrudPolicy:" in lines
    assert "- AmazonS3ReadOnlyAccess" not in lines


def test_copy_gives_a_literal_name_an_end_of_its_own() -> None:
    assert 'QueueName: "shop-incoming-risk-check"' in added(ORDERS, example="OrdersFunction", trigger="queue")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders.fifo", '"orders-risk-check.fifo"'),
        ('!Sub "${AWS::StackName}-in.fifo"', '!Sub "${AWS::StackName}-in-risk-check.fifo"'),
        ('!Sub "${AWS::StackName}-a-queue"', '!Sub "${AWS::StackName}-risk-check-queue"'),
    ],
)
def test_copy_makes_physical_names_differ(name: str, expected: str) -> None:
    text = (
        "Resources:\n"
        "  AFunction:\n"
        "    Type: AWS::Serverless::Function\n"
        "    Properties: {CodeUri: x, Events: {In: {Type: SQS, Properties: {Queue: !GetAtt AQueue.Arn}}}}\n"
        f"  AQueue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}}}}}\n"
    )

    assert f"RiskCheckQueue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {expected}}}}}" in added(text)


def test_copy_of_a_resource_that_is_called_as_its_type_and_property() -> None:
    text = (
        "Resources:\n"
        "  Function:\n"
        "    Type: AWS::Serverless::Function\n"
        "    Properties: {Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}}\n"
        "  Queue: {Type: AWS::SQS::Queue}\n"
    )

    assert added(text) == [
        "RiskCheck:",
        "Type: AWS::Serverless::Function",
        "Properties: {Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt RiskCheckQueue.Arn}}}}",
        "RiskCheckQueue: {Type: AWS::SQS::Queue}",
    ]


def test_copy_refuses_a_name_that_is_computed() -> None:
    text = ORDERS.replace("QueueName: shop-incoming", 'QueueName: !Join ["-", [a, b]]')

    with pytest.raises(
        ConfigurationError, match="OrdersQueue: QueueName is computed, so a copy cannot get another name"
    ):
        copy(text, example="OrdersFunction", trigger="queue")


def test_copy_for_the_bus_has_a_rule_of_its_own_for_one_message() -> None:
    copied = copy(RULES, trigger="bus", message="RiskFound")

    assert copied.text[copied.text.index("  RiskCheckRule:") : copied.text.index("  OwnRule:")] == (
        "  RiskCheckRule:\n"
        "    Type: AWS::Events::Rule\n"
        "    Properties:\n"
        "      EventPattern: {source: [shop], detail-type: [RiskFound]}\n"
        "      Targets: [{Id: a, Arn: !GetAtt RiskCheckQueue.Arn}]\n"
        "  RiskCheckAlarm: {Type: AWS::CloudWatch::Alarm, Properties: {Dimensions: [{Value: !Ref RiskCheckRule}]}}\n"
    )


def test_copy_for_the_bus_takes_the_source_that_is_asked_for() -> None:
    copied = copy(RULES, trigger="bus", message="RiskFound", source="bank")

    assert "EventPattern: {source: [bank], detail-type: [RiskFound]}" in copied.text


def test_copy_without_a_message_keeps_the_pattern() -> None:
    copied = copy(RULES, trigger="bus")

    assert copied.text.count("detail-type: [Sold]") == 2


def test_copy_of_events_of_sam_changes_their_pattern() -> None:
    lines = added(EVENTS, trigger="bus", message="RiskFound")

    assert "{source: [shop], detail-type: [RiskFound]}" in lines


def test_copy_of_a_schedule_changes_its_time_and_input_and_drops_the_anchor() -> None:
    lines = added(EVENTS, trigger="schedule", schedule="rate(1 day)", schedule_input="it's")

    assert "Properties: {ScheduleExpression: \"rate(1 day)\", Input: 'it''s'}" in lines
    assert "CodeUri: src/risk-check/" in lines
    assert "Properties:" in lines


def test_copy_of_a_schedule_of_its_own_changes_its_description() -> None:
    schedule = "Properties: {Target: {Arn: !GetAtt AQueue.Arn, RoleArn: !GetAtt NightRole.Arn}}"
    text = RULES.replace(schedule, schedule.replace("{Target: {", "{Description: at night, Target: {Input: x, "))

    lines = added(text, example="AFunction", trigger="schedule", schedule_input="go")

    assert (
        "Properties: {Description: \"Checks risk\", Target: {Input: 'go', Arn: !GetAtt RiskCheckQueue.Arn, "
        "RoleArn: !GetAtt RiskCheckScheduleRole.Arn}}"
    ) in lines


def test_copy_of_a_function_without_a_trigger_drops_its_events() -> None:
    assert added(HELLO) == [
        "RiskCheckFunction:",
        "Type: AWS::Serverless::Function # the only one",
        "Properties:",
        "CodeUri: risk_check/",
        "Handler: app.lambda_handler",
        'Description: "Checks risk"',
    ]


def test_copy_in_a_shared_code_folder_renames_the_module() -> None:
    lines = added(SHARED, example="Orders", trigger="queue")

    assert "Code: src/" in lines
    assert "Handler: risk_check.handle" in lines


def test_copy_joins_the_lists_of_shared_policies() -> None:
    lines = added(SHARED, example="Orders", trigger="queue")

    assert "- !GetAtt RiskCheckQueue.Arn" in lines
    assert "Queues: [!Ref OrdersQueue, !Ref RiskCheckQueue, !Ref StockQueue]" in lines


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("Layers: [!Ref Base, !Ref Heavy]", "Layers: [!Ref Base, !Ref Light]"),
        ("Layers: [!Ref Base]", "Layers: [!Ref Base, !Ref Light]"),
    ],
)
def test_copy_with_a_layer_keeps_the_layers_of_all_functions(layers: str, expected: str) -> None:
    text = ORDERS.replace("CodeUri: src/returns/", "CodeUri: src/returns/\n      Layers: [!Ref Base]")
    text = text.replace("CodeUri: src/orders/", f"CodeUri: src/orders/\n      {layers}")

    assert expected in added(text, example="OrdersFunction", trigger="queue", layer="Light")


def test_copy_with_a_layer_adds_it_to_a_function_without_layers() -> None:
    text = copy(ORDERS, example="ReturnsFunction", trigger="queue", layer="Light").text

    assert text.endswith(
        "        Queue: {Type: SQS, Properties: {Queue: !GetAtt RiskCheckQueue.Arn}}\n      Layers: [!Ref Light]\n"
    )


def test_copy_with_a_layer_of_the_only_function_replaces_its_layers() -> None:
    text = HELLO.replace("CodeUri: hello/", "CodeUri: hello/\n      Layers: [!Ref Old]")

    assert "Layers: [!Ref Light]" in added(text, layer="Light")


def test_copy_refuses_a_name_that_is_taken() -> None:
    with pytest.raises(UsageError, match=r"t\.yaml already has a resource RiskCheckQueue; choose another name"):
        copy(ORDERS + "  RiskCheckQueue: {Type: AWS::SQS::Queue}\n", trigger="queue")


def test_copy_refuses_resources_in_braces() -> None:
    text = "Resources: {A: {Type: AWS::Serverless::Function, Properties: {CodeUri: a/, Handler: b.c}}}\n"

    with pytest.raises(
        ConfigurationError, match=r"t\.yaml: Resources is written in braces; write one resource per line"
    ):
        copy(text)


@pytest.mark.parametrize(
    ("text", "function", "module"),
    [
        (ORDERS, "OrdersFunction", "orders"),
        (EVENTS, "DailyReportLambda", "daily-report"),
        (SHARED, "Orders", "orders"),
        (HELLO, "HelloFunction", "hello"),
        ("Resources:\n  A: {Type: AWS::Lambda::Function, Properties: {Code: f/a, Handler: x.y}}\n", "A", "a"),
        ("Resources:\n  A: {Type: AWS::Lambda::Function, Properties: {Handler: p/x.y}}\n", "A", "x"),
        ("Resources:\n  A: {Type: AWS::Lambda::Function, Properties: {Handler: y}}\n", "A", ""),
        ("Resources:\n  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: ., Handler: x.y}}\n", "A", "x"),
    ],
)
def test_module_of_is_the_folder_or_the_module_of_the_handler(text: str, function: str, module: str) -> None:
    assert template_copies.module_of(selections.parse(text, path="t"), function) == module


@cache
def _every_template() -> dict[str, Parsed]:
    ours = {name: (ROOT / name).read_text() for name in ("template.yaml", "data-template.yaml")}
    return {name: selections.parse(text, path=name) for name, text in (TEMPLATES | {"rules": RULES} | ours).items()}


@pytest.mark.parametrize("name", [*TEMPLATES, "rules", "template.yaml", "data-template.yaml"])
def test_copy_of_each_function_only_adds_and_its_removal_restores_each_character(name: str) -> None:
    parsed = _every_template()[name]
    before = yamls.load(parsed.text, name=name)

    for example in parsed.functions:
        selection = selections.select(parsed, example=example, trigger="", keep={})
        copied = template_copies.copy(parsed, selection, Wishes(PROBE, "Probes", message="RiskFound"))

        assert [*additions.differences(before, yamls.load(copied.text, name=name))] == []
        again = selections.parse(copied.text, path=name)
        assert set(copied.ids.values()) <= set(again.resources)
        assert template_removals.remove(again, copied.function).text == parsed.text


@given(st.sampled_from(sorted(TEMPLATES)), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(0, 2))
def test_removal_restores_the_text_in_each_layout(name: str, newline: str, has_end: bool, gap: int) -> None:
    text = TEMPLATES[name].replace("\n  Orders", f"{'\n' * gap}\n  Orders").removesuffix("\n")
    text = (text + "\n" * has_end).replace("\n", newline)

    copied = copy(text)

    assert copied.text.count("\n") == copied.text.count(newline)
    assert copied.text.endswith("\n") == has_end
    assert template_removals.remove(selections.parse(copied.text, path="t"), copied.function).text == text


def test_copy_of_this_project_grants_its_queue_its_log_and_what_it_keeps() -> None:
    parsed = _every_template()["template.yaml"]
    selection = selections.select(parsed, example="MetricsFunction", trigger="bus", keep={})
    wishes = Wishes(PROBE, "Probes", message="RiskFound", keep=frozenset({"Claims"}))

    copied = template_copies.copy(parsed, selection, wishes)

    resources = yamls.load(copied.text, name="t")["Resources"]
    [policy] = resources["CopyProbeFunctionRole"]["Properties"]["Policies"]
    granted = [statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]]
    assert granted == [
        {"Fn::GetAtt": ["Claims", "Arn"]},
        {"Fn::GetAtt": ["CopyProbeInbox", "Arn"]},
        {"Fn::GetAtt": ["CopyProbeLogs", "Arn"]},
    ]
    assert "Environment" not in resources["CopyProbeFunction"]["Properties"]
    assert selection.trigger is Trigger.BUS


@pytest.mark.parametrize(
    ("example", "trigger", "original", "logical_id"),
    [
        ("BFunction", "schedule", "Hourly", "RiskCheckSchedule"),
        ("AFunction", "schedule", "Night", "RiskCheckSchedule"),
        ("AFunction", "bus", "SharedRule", "RiskCheckRule"),
    ],
)
def test_copy_calls_a_rule_by_what_it_does(example: str, trigger: str, original: str, logical_id: str) -> None:
    assert copy(RULES, example=example, trigger=trigger).ids[original] == logical_id


INLINE = """\
Resources:
  Hello:
    Type: {type}
    Properties:
      Handler: index.handler
{code}
      Runtime: python3.12

Outputs: {{Name: {{Value: !Ref Hello}}}}
"""


@pytest.mark.parametrize(
    ("kind", "code", "line"),
    [
        (
            "AWS::Serverless::Function",
            "      InlineCode: |\n        def handler(event, context):\n            return 1\n",
            "CodeUri: risk_check/",
        ),
        ("AWS::Serverless::Function", "      InlineCode: 'def handler(event, context): ...'", "CodeUri: risk_check/"),
        (
            "AWS::Lambda::Function",
            "      Code:\n        ZipFile: |\n          def handler(event, context): ...",
            "Code: risk_check/",
        ),
        ("AWS::Lambda::Function", "      Code: {ZipFile: 'def handler(event, context): ...'}", "Code: risk_check/"),
    ],
)
def test_copy_of_inline_code_has_a_folder(kind: str, code: str, line: str) -> None:
    assert [text for text in added(INLINE.format(type=kind, code=code)) if text] == [
        "RiskCheck:",
        f"Type: {kind}",
        "Properties:",
        "Handler: risk_check.handler",
        'Description: "Checks risk"',
        line,
        "Runtime: python3.12",
    ]
