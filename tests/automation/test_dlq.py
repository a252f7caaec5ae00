"""Dead letters are listed and shown, and stay as they are."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from automation import dlq
from automation.deploying import scope as scopes
from automation.system.errors import CheckFailedError, Finding, UsageError
from automation.system.log_lines import LogLine
from automation.system.message_queues import MessageQueues
from tests.automation.dead_letter_shop import NOW, DeadLetterShop, Printed
from tests.automation.fake_queues import SENT, url_of
from tests.automation.projects import make_shop


@pytest.fixture
def shop(tmp_path: Path) -> DeadLetterShop:
    return DeadLetterShop(make_shop(tmp_path))


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Return a function that returns what was printed since the last time, with single spaces."""
    return lambda: [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_list_prints_each_queue_and_fails_with_findings(shop: DeadLetterShop, printed: Printed) -> None:
    with pytest.raises(CheckFailedError, match="live: 1 queue of dead letters") as caught:
        shop.report()

    assert caught.value.findings == (
        Finding("Dead", "2 messages could not be handled", "inv dlq.show Dead --env live"),
    )
    assert printed() == [
        "queue waiting in flight oldest from",
        "Dead 2 0 1 hour In",
        "LineDead 0 0 Line",
    ]


def test_list_without_messages_succeeds(shop: DeadLetterShop, printed: Printed) -> None:
    shop.dead().clear()

    shop.report()

    assert printed()[1:] == ["Dead 0 0 In", "LineDead 0 0 Line"]
    assert shop.queues.made("receive") == []


def test_list_changes_nothing(shop: DeadLetterShop) -> None:
    with pytest.raises(CheckFailedError):
        shop.report()

    assert shop.queues.bodies("dead") == ['{"order": 1}', '{"refund": 2}']
    assert shop.queues.queues[url_of("dead")].hidden == {}


def test_list_json_has_each_queue_and_no_findings(shop: DeadLetterShop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CheckFailedError) as caught:
        shop.report(json=True)

    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["environment"], caught.value.findings) == (1, "live", ())
    assert [(queue["name"], queue["waiting"], queue["oldest"]) for queue in document["queues"]] == [
        ("Dead", 2, "2026-01-02T15:01:00+00:00"),
        ("LineDead", 0, ""),
    ]


def test_list_counts_messages_that_somebody_has_received(shop: DeadLetterShop) -> None:
    shop.queues.receive(url_of("dead"), hidden_s=60)

    with pytest.raises(CheckFailedError) as caught:
        shop.report()
    assert caught.value.findings[0].what == "2 messages could not be handled"


def test_list_of_functions_without_queues_says_so(shop: DeadLetterShop, printed: Printed) -> None:
    shop.cloud.add("shop-live", "Resources: {Till: {Type: AWS::Lambda::Function}}")

    shop.report()

    assert printed() == ["live has no dead-letter queue"]


def test_list_not_deployed_says_what_to_type(shop: DeadLetterShop) -> None:
    shop.cloud.stacks.clear()

    with pytest.raises(UsageError, match="live is not deployed; deploy it first: inv deploy --env live"):
        shop.report()


def test_connect_makes_no_call(shop: DeadLetterShop) -> None:
    connection = dlq.connect(scopes.read(shop.root, "live", variables={}))

    assert isinstance(connection.queues, MessageQueues)
    assert connection.queues.target.region == "eu-west-1"


def test_show_prints_messages_reasons_and_commands(shop: DeadLetterShop, printed: Printed) -> None:
    shop.logs.groups["/Till"] = [LogLine(SENT + timedelta(minutes=3), "s", "[ERROR] m-2 sold out")]

    shop.show()

    assert printed() == [
        "message m-1: sent 2026-01-02 15:01:00 UTC, received 4 times",
        *("{", '"order": 1', "}"),
        "message m-2: sent 2026-01-02 15:02:00 UTC, received 4 times",
        "reason: m-2 sold out",
        *("{", '"refund": 2', "}"),
        "a look counts as a receive of each message",
        "send them back: inv dlq.redrive Dead --env live",
        "delete them: inv dlq.drop Dead --env live; only one of them: --id MESSAGE",
    ]
    assert shop.queues.queues[url_of("dead")].hidden == {}


def test_show_with_a_limit_prints_that_many(shop: DeadLetterShop, printed: Printed) -> None:
    shop.show(limit=1)

    lines = printed()
    assert [line for line in lines if line.startswith("message")] == [
        "message m-1: sent 2026-01-02 15:01:00 UTC, received 4 times"
    ]
    assert "1 more message in Dead; --limit 2" in lines


@pytest.mark.parametrize("limit", [0, -1])
def test_show_limit_below_one_is_refused(shop: DeadLetterShop, limit: int) -> None:
    with pytest.raises(UsageError, match=f"--limit must be at least 1, got {limit}"):
        shop.show(limit=limit)


def test_show_json_has_whole_messages(shop: DeadLetterShop, capsys: pytest.CaptureFixture[str]) -> None:
    shop.show(json=True)

    document = json.loads(capsys.readouterr().out)
    assert {key: document[key] for key in ("format", "environment", "queue")} == {
        "format": 1,
        "environment": "live",
        "queue": "Dead",
    }
    assert [(entry["id"], entry["body"], entry["reason"]) for entry in document["messages"]] == [
        ("m-1", '{"order": 1}', ""),
        ("m-2", '{"refund": 2}', ""),
    ]


def test_show_empty_queue_says_so(shop: DeadLetterShop, printed: Printed) -> None:
    shop.show("LineDead")

    assert printed() == ["nothing to show: LineDead has no messages"]


@pytest.mark.parametrize("command", ["report", "show"])
def test_look_into_another_account_is_refused(shop: DeadLetterShop, command: str) -> None:
    shop.account = "999999999999"

    with pytest.raises(CheckFailedError, match="live cannot be used with these credentials; nothing was changed"):
        getattr(shop, command)()
    assert shop.queues.calls == []


def test_look_with_a_clock_that_is_wrong_is_refused(shop: DeadLetterShop) -> None:
    shop.server_time = NOW - timedelta(minutes=6)

    with pytest.raises(CheckFailedError) as caught:
        shop.report()
    assert [finding.where for finding in caught.value.findings] == ["clock"]


@pytest.mark.parametrize("command", ["show", "redrive", "drop"])
def test_unknown_queue_lists_those_that_exist(shop: DeadLetterShop, command: str) -> None:
    with pytest.raises(UsageError, match=rf"^dlq\.{command}: live has no dead-letter queue 'Ded'; did you mean Dead\?"):
        getattr(shop, command)("Ded")
