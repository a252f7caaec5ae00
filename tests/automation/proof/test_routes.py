"""Messages, their rules and their consumers, in different styles of template."""

from pathlib import Path
from typing import Any

import pytest

from automation.proof import registry, routes
from automation.proof.model import Fault, Severity, Subject
from automation.proof.registry import Route
from automation.system.errors import ConfigurationError
from tests.automation.proof import subjects
from tests.automation.proof.subjects import function, queue, reading, rule
from tests.faults.bakery import put

SETTINGS = '[tool.alchemiser]\nmessages = "mail:ROUTES"\n'
INBOX = {"Fn::GetAtt": ["Inbox", "Arn"]}
ROUTES = 'ROUTES = {"Sent": {"source": "post", "producers": ["Desk"], "consumers": ["App"]}}\n'


def faults(rule_id: str, subject: Subject) -> list[Fault]:
    return subjects.faults(routes.RULES, rule_id, subject)


def post(root: Path, events: dict[str, Any], registered: str = ROUTES, **resources: Any) -> Subject:
    """Write a function, its inbox, and a registry of one message."""
    put(root / "mail.py", registered)
    known = {"App": function(Events=events), "Inbox": queue(), "Other": queue(), **resources}
    return subjects.write(root, known, settings=SETTINGS)


def test_load_reads_objects_and_mappings_of_a_module_that_prints(tmp_path: Path) -> None:
    text = """
from types import SimpleNamespace
class Sent: ...
print("hello")
ROUTES = {
    Sent: SimpleNamespace(source="post", producers=("a",), consumers=("b", "c"), queued=True),
    "Lost": {"source": "post", "consumers": ["d"]},
}
"""
    put(tmp_path / "mail.py", text)

    assert registry.load(tmp_path, "mail:ROUTES") == (
        Route("Sent", "post", ("a",), ("b", "c"), queued=True),
        Route("Lost", "post", (), ("d",), queued=False),
    )


def test_load_imports_missing_modules_from_the_layers(tmp_path: Path) -> None:
    put(tmp_path / "mail.py", "import stamps_of_the_layer\nROUTES = {}\n")
    put(tmp_path / "site" / "stamps_of_the_layer.py", "")

    assert registry.load(tmp_path, "mail:ROUTES", fallbacks=[tmp_path / "site"]) == ()


@pytest.mark.parametrize("name", ["mail:NOTHING", "no_such_module:ROUTES", "mail"])
def test_load_missing_registry_fails_with_one_line(tmp_path: Path, name: str) -> None:
    put(tmp_path / "mail.py", "")

    with pytest.raises(ConfigurationError, match=r"messages: .* cannot be loaded: \w+Error: ") as caught:
        registry.load(tmp_path, name)

    assert "\n" not in str(caught.value)


def test_load_writes_nothing_beside_the_source(tmp_path: Path) -> None:
    put(tmp_path / "mail.py", "ROUTES = {}")

    registry.load(tmp_path, "mail:ROUTES")

    assert [path.name for path in tmp_path.iterdir()] == ["mail.py"]


def test_routes_without_a_registry_report_nothing(tmp_path: Path) -> None:
    subject = subjects.write(tmp_path, {"App": function()})

    assert [faults(rule.id, subject) for rule in routes.RULES] == [[], []]


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["post"], "detail_type": ["Sent"]},
        {"source": ["post"], "detail_type": ["Sent"], "detail": {"urgent": [True]}},
        {"source": ["post"]},
        {"source": [{"prefix": "po"}], "detail_type": [{"suffix": "nt"}]},
        {"source": ["post"], "detail_type": [{"anything-but": ["Lost"]}]},
    ],
)
def test_message_that_a_pattern_matches_is_routed(tmp_path: Path, pattern: dict[str, Any]) -> None:
    subject = post(tmp_path, reading("Inbox"), Rule=rule([INBOX], **pattern))

    assert faults("message-unrouted", subject) == []


@pytest.mark.parametrize(
    "pattern", [{"source": ["mail"]}, {"detail_type": ["Lost"]}, {"source": [{"prefix": "ma"}]}, {"detail_type": []}]
)
def test_message_that_no_pattern_matches_is_unrouted(tmp_path: Path, pattern: dict[str, Any]) -> None:
    subject = post(tmp_path, reading("Inbox"), Rule=rule([INBOX], **pattern))

    assert [fault.severity for fault in faults("message-unrouted", subject)] == [Severity.ERROR]


def test_message_to_a_function_with_a_rule_event_is_routed(tmp_path: Path) -> None:
    events = {"Mail": {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["post"]}}}}

    assert faults("message-unrouted", post(tmp_path, events)) == []


def test_message_to_a_queue_that_a_mapping_reads_is_routed(tmp_path: Path) -> None:
    mapping = {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {"EventSourceArn": {"Fn::Sub": "${Inbox.Arn}"}, "FunctionName": {"Ref": "App"}},
    }

    subject = post(tmp_path, {}, Rule=rule([INBOX], source=["post"]), Mapping=mapping)

    assert faults("message-unrouted", subject) == []


def test_message_through_a_queue_of_another_stack_is_a_warning(tmp_path: Path) -> None:
    elsewhere = {"Fn::ImportValue": "inbox"}

    subject = post(tmp_path, reading("Inbox"), Rule=rule([elsewhere], source=["post"]))

    assert [fault.severity for fault in faults("message-unrouted", subject)] == [Severity.WARNING]


def test_messages_to_a_function_without_a_queue_are_one_fault(tmp_path: Path) -> None:
    registered = 'ROUTES = {name: {"source": "post", "consumers": ["App"]} for name in ("Sent", "Lost")}\n'

    found_faults = faults("message-unrouted", post(tmp_path, {}, registered, Rule=rule([INBOX], source=["post"])))

    assert [(fault.what, fault.fix) for fault in found_faults] == [
        (
            "Sent, Lost: it is sent to App, which reads no queue",
            "give the function an event of Type: SQS whose Queue is Inbox",
        )
    ]


def test_rule_for_a_message_of_another_source_is_accepted(tmp_path: Path) -> None:
    ours, other = rule([INBOX], source=["post"]), rule([INBOX], source=["aws.s3"], detail_type=["Made"])

    subject = post(tmp_path, reading("Inbox"), Ours=ours, Theirs=other)

    assert faults("rule-unknown-message", subject) == []
