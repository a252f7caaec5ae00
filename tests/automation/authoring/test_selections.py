import pytest

from automation.authoring import selections
from automation.authoring.selections import Selection
from automation.authoring.triggers import Trigger, triggers_of
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.authoring.foreign import EVENTS, HELLO, ORDERS, SHARED

# A has a rule of its own, a rule that it shares with B, an alarm per rule, a schedule and its role; B is longer.
RULES = """\
Resources:
  AFunction:
    Type: AWS::Serverless::Function
    Properties: {Events: {In: {Type: SQS, Properties: {Queue: !GetAtt AQueue.Arn}}}}
  AQueue: {Type: AWS::SQS::Queue}
  SharedRule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [shop], detail-type: [Sold]}
      Targets: [{Id: a, Arn: !GetAtt AQueue.Arn}, {Id: b, Arn: !GetAtt BQueue.Arn}]
  SharedAlarm: {Type: AWS::CloudWatch::Alarm, Properties: {Dimensions: [{Value: !Ref SharedRule}]}}
  OwnRule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [shop], detail-type: [Gone]}
      Targets: [{Id: a, Arn: !GetAtt AQueue.Arn}]
  OwnAlarm: {Type: AWS::CloudWatch::Alarm, Properties: {Dimensions: [{Value: !Ref OwnRule}]}}
  Night:
    Type: AWS::Scheduler::Schedule
    Properties: {Target: {Arn: !GetAtt AQueue.Arn, RoleArn: !GetAtt NightRole.Arn}}
  NightRole: {Type: AWS::IAM::Role, Properties: {Policies: [{Statement: [{Resource: !GetAtt AQueue.Arn}]}]}}
  Hourly:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 hour), Targets: [{Id: b, Arn: !GetAtt BQueue.Arn}]}
  BFunction:
    Type: AWS::Serverless::Function
    Properties:
      Description: a longer definition than that of the other function, so that the other one is the shorter example
      Events: {In: {Type: SQS, Properties: {Queue: !GetAtt BQueue.Arn}}}
  BQueue: {Type: AWS::SQS::Queue}
"""
NOTHING = "so there is nothing to copy"


def select(text: str, *, example: str = "", trigger: str = "") -> Selection:
    return selections.select(selections.parse(text, path="t.yaml"), example=example, trigger=trigger, keep={})


def test_select_for_the_bus_takes_the_first_rule_and_its_alarm() -> None:
    chosen = select(RULES, trigger="bus")

    assert chosen == Selection(
        example="AFunction",
        trigger=Trigger.BUS,
        picked="SharedRule",
        copies=("AFunction", "AQueue", "SharedRule", "SharedAlarm"),
    )


def test_select_for_a_queue_takes_no_rule_and_no_schedule() -> None:
    chosen = select(RULES, trigger="queue")

    assert (chosen.picked, chosen.copies) == ("", ("AFunction", "AQueue"))


def test_select_for_a_schedule_takes_it_with_its_role() -> None:
    chosen = select(RULES, example="AFunction", trigger="schedule")

    assert (chosen.picked, chosen.copies) == ("Night", ("AFunction", "AQueue", "Night", "NightRole"))


def test_select_for_a_schedule_takes_a_rule_with_a_time() -> None:
    chosen = select(RULES, example="BFunction", trigger="schedule")

    assert (chosen.picked, chosen.copies) == ("Hourly", ("Hourly", "BFunction", "BQueue"))


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        (RULES, Trigger.BUS),
        (ORDERS, Trigger.QUEUE),
        (EVENTS, Trigger.BUS),
        (HELLO, Trigger.NONE),
        (SHARED, Trigger.QUEUE),
    ],
)
def test_select_without_a_trigger_takes_the_first_that_there_is(text: str, trigger: Trigger) -> None:
    assert select(text).trigger is trigger


def test_select_takes_the_shortest_example() -> None:
    assert select(ORDERS, trigger="queue").example == "ReturnsFunction"
    assert select(RULES, trigger="queue").example == "AFunction"


def test_select_takes_the_example_that_is_named() -> None:
    assert select(ORDERS, example="OrdersFunction", trigger="queue").example == "OrdersFunction"


@pytest.mark.parametrize(
    ("text", "example", "trigger", "message"),
    [
        (ORDERS, "Nope", "", "t.yaml has no function 'Nope'; its functions are: OrdersFunction, ReturnsFunction"),
        (ORDERS, "", "cron", "--trigger must be bus, queue or schedule, got 'cron'"),
        (ORDERS, "", "none", "--trigger must be bus, queue or schedule, got 'none'"),
        (
            *(ORDERS, "", "bus"),
            (
                f"no function of t.yaml has the trigger bus, {NOTHING}; use --trigger queue or --trigger schedule, "
                "and write the rule by hand"
            ),
        ),
        (
            *(ORDERS, "ReturnsFunction", "schedule"),
            (
                f"ReturnsFunction does not have the trigger schedule, {NOTHING}; "
                "use --trigger queue, and write the schedule by hand"
            ),
        ),
        (
            *(HELLO, "", "queue"),
            (
                f"HelloFunction does not have the trigger queue, {NOTHING}; use the command without --trigger, "
                "and write the queue by hand"
            ),
        ),
        ("Resources:\n  T: {Type: X}\n", "", "", "t.yaml has no function to copy; add the first one by hand"),
    ],
)
def test_select_refuses_what_it_cannot_copy(text: str, example: str, trigger: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        select(text, example=example, trigger=trigger)

    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "function", "kinds", "main"),
    [
        (RULES, "AFunction", {Trigger.BUS, Trigger.SCHEDULE, Trigger.QUEUE}, Trigger.BUS),
        (RULES, "BFunction", {Trigger.BUS, Trigger.SCHEDULE, Trigger.QUEUE}, Trigger.BUS),
        (ORDERS, "OrdersFunction", {Trigger.SCHEDULE, Trigger.QUEUE}, Trigger.SCHEDULE),
        (ORDERS, "ReturnsFunction", {Trigger.QUEUE}, Trigger.QUEUE),
        (SHARED, "Orders", {Trigger.QUEUE}, Trigger.QUEUE),
        (EVENTS, "DailyReportLambda", {Trigger.SCHEDULE}, Trigger.SCHEDULE),
        (EVENTS, "InvoiceLambda", {Trigger.BUS}, Trigger.BUS),
        (HELLO, "HelloFunction", set(), Trigger.NONE),
    ],
)
def test_triggers_of_reads_rules_schedules_queues_and_events(
    text: str, function: str, kinds: set[Trigger], main: Trigger
) -> None:
    parsed = selections.parse(text, path="t.yaml")

    own = triggers_of(function, parsed.resources, parsed.owners)

    assert (set(own.kinds), own.main) == (kinds, main)


def test_parse_refuses_json() -> None:
    with pytest.raises(ConfigurationError, match=r"t\.json: is JSON"):
        selections.parse('{"Resources": {}}', path="t.json")


def test_select_takes_an_example_that_uses_what_the_new_code_needs() -> None:
    """A function for a schedule has a queue too, but not what the code of a queue needs."""
    parsed = selections.parse(ORDERS, path="t.yaml")
    keep = {"queue": frozenset({"Table", "Missing"})}

    assert selections.select(parsed, example="", trigger="queue", keep={}).example == "ReturnsFunction"
    assert selections.select(parsed, example="", trigger="queue", keep=keep).example == "OrdersFunction"
    with pytest.raises(UsageError) as raised:
        selections.select(parsed, example="ReturnsFunction", trigger="queue", keep=keep)
    assert str(raised.value) == ("no function of t.yaml with the trigger queue uses Table; choose another --example")


def test_select_prefers_code_in_a_folder_to_shorter_inline_code() -> None:
    text = """\
Resources:
  Inline: {Type: AWS::Serverless::Function, Properties: {InlineCode: "x = 1"}}
  Zipped: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: "x = 1"}}}
  Uploaded:
    Type: AWS::Lambda::Function
    Properties: {Code: {S3Bucket: artifacts, S3Key: uploaded.zip}, Description: longer than the two with inline code}
"""
    assert select(text).example == "Uploaded"
