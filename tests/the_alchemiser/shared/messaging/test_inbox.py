"""The shell around every service: it parses, claims, publishes, reports failures and gives up."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from tests.the_alchemiser.examples import example, raw_record, sqs_record
from tests.the_alchemiser.fakes import Context, InMemoryClaims, InMemoryPublisher
from the_alchemiser.shared.errors import MalformedMessageError
from the_alchemiser.shared.messaging.commands import Command, RefreshMarketData, StartRun
from the_alchemiser.shared.messaging.delivery import BatchFailedError, parse
from the_alchemiser.shared.messaging.inbox import serve
from the_alchemiser.shared.messaging.messages import Message, RunFailed, StrategyFailed, TradeFailed
from the_alchemiser.shared.messaging.wiring import Inbox, Reaction

EVENTS = Path(__file__).parents[3] / "events"
FAILED = cast("StrategyFailed", example(StrategyFailed))
REACTION = example(RunFailed)


class Service:
    """Keeps what it receives and reacts with one message; its first `fails` calls raise."""

    def __init__(self, *, fails: int = 0) -> None:
        self.received: list[Message | Command] = []
        self.times_noted = 0
        self.fails = fails

    def handle(self, content: Any) -> Reaction:
        self.received.append(content)
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the service failed")
        return Reaction((REACTION,), on_published=self._note)

    def _note(self) -> None:
        self.times_noted += 1


class Shell:
    """One module's inbox over fakes."""

    def __init__(self, service: Service, **inbox: Any) -> None:
        self.service = service
        self.publisher = InMemoryPublisher()
        self.claims = InMemoryClaims()
        self.inbox = Inbox(
            module="a_module",
            handlers={StrategyFailed: service.handle, StartRun: service.handle},
            publisher=self.publisher,
            claims=self.claims,
            **inbox,
        )

    def receive(self, *records: dict[str, Any]) -> dict[str, Any]:
        return self.serve({"Records": list(records)})

    def serve(self, event: dict[str, Any]) -> dict[str, Any]:
        return serve(event, Context(), build=lambda: self.inbox)

    def receive_all_failing(self, *records: dict[str, Any]) -> BatchFailedError:
        with pytest.raises(BatchFailedError) as caught:
            self.receive(*records)
        return caught.value


def failed_ids(answer: dict[str, Any]) -> Sequence[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def event(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((EVENTS / name).read_text()))


def test_serve_bus_event_as_sqs_delivers_it_handles_it() -> None:
    shell = Shell(Service())

    answer = shell.serve(event("sqs_bus_event.json"))

    assert answer == {"batchItemFailures": []}
    assert isinstance(shell.service.received[0], StrategyFailed)
    assert shell.service.received[0].strategy == "trend"


def test_serve_scheduler_command_as_sqs_delivers_it_handles_it() -> None:
    shell = Shell(Service())

    answer = shell.serve(event("sqs_scheduler_command.json"))

    assert answer == {"batchItemFailures": []}
    assert shell.service.received == [StartRun(command="start-run")]


def test_serve_health_message_runs_the_checks_and_nothing_else() -> None:
    calls: list[str] = []
    shell = Shell(Service(), checks={"bus": lambda: calls.append("bus")})

    answer = shell.serve({"health": True})

    assert answer["checks"] == {"settings": "ok", "claims table": "ok", "bus": "ok"}
    assert calls == ["bus"]
    assert shell.service.received == []
    assert shell.publisher.published == []
    assert shell.claims.are_completed == {}


def test_serve_message_publishes_then_notes() -> None:
    shell = Shell(Service())

    shell.receive(sqs_record(FAILED))

    assert shell.publisher.published == [REACTION]
    assert shell.service.times_noted == 1


def test_serve_duplicate_message_is_handled_once() -> None:
    shell = Shell(Service())

    shell.receive(sqs_record(FAILED))
    answer = shell.receive(sqs_record(FAILED, receives=2))

    assert answer == {"batchItemFailures": []}
    assert shell.service.received == [FAILED]
    assert shell.publisher.published == [REACTION]


def test_serve_duplicate_within_a_batch_is_handled_once() -> None:
    shell = Shell(Service())

    shell.receive(sqs_record(FAILED, record_id="a"), sqs_record(FAILED, record_id="b"))

    assert shell.service.received == [FAILED]


def test_serve_message_claimed_by_a_module_is_free_for_another() -> None:
    shell, second_service = Shell(Service()), Service()
    shell.receive(sqs_record(FAILED))
    second = Inbox("another_module", {StrategyFailed: second_service.handle}, InMemoryPublisher(), shell.claims)

    serve({"Records": [sqs_record(FAILED)]}, Context(), build=lambda: second)

    assert second_service.received == [FAILED]


def test_serve_command_twice_is_handled_twice() -> None:
    shell = Shell(Service())

    shell.serve(event("sqs_scheduler_command.json"))
    shell.serve(event("sqs_scheduler_command.json"))

    assert len(shell.service.received) == 2


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "5",
        "null",
        "{}",
        '{"command": "sell-everything"}',
        '{"command": ["start-run"]}',
        '{"command": "start-run", "surprise": 1}',
        '{"detail-type": "StrategyFailed", "detail": {}}',
        '{"detail-type": "SomethingElse", "detail": {}}',
    ],
)
def test_parse_malformed_body_raises_and_quotes_it(body: str) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        parse(body)

    assert str(caught.value).startswith("cannot parse as a message or a command: ")
    assert str(caught.value).endswith(f": {body}")


def test_parse_of_a_long_body_quotes_its_first_300_characters() -> None:
    with pytest.raises(MalformedMessageError) as caught:
        parse("x" * 301)

    assert str(caught.value).endswith(f": {'x' * 300}")


def test_parse_message_of_a_later_release_ignores_its_new_fields() -> None:
    later = example(TradeFailed).to_content() | {"venue": "NYSE"}
    later["fills"] = [fill | {"commission": "0.01"} for fill in later["fills"]]

    message = parse(json.dumps({"detail-type": "TradeFailed", "detail": later, "region": "us-east-1"}))

    assert message == example(TradeFailed)


def test_serve_malformed_record_fails_only_itself() -> None:
    shell = Shell(Service())

    answer = shell.receive(raw_record("nonsense", record_id="bad"), sqs_record(FAILED, record_id="good"))

    assert failed_ids(answer) == ["bad"]
    assert shell.service.received == [FAILED]


def test_serve_message_the_module_does_not_consume_fails() -> None:
    shell = Shell(Service())

    error = shell.receive_all_failing(sqs_record(REACTION))

    assert "does not consume RunFailed" in str(error)


def test_serve_command_of_another_module_fails() -> None:
    shell = Shell(Service())
    body = RefreshMarketData(command="refresh-market-data").to_json()

    error = shell.receive_all_failing(raw_record(body))

    assert "does not consume RefreshMarketData" in str(error)


def test_serve_failure_of_one_record_reports_that_one() -> None:
    shell = Shell(Service(fails=1))
    another = FAILED.changed(message_id="another")

    answer = shell.receive(sqs_record(FAILED, record_id="first"), sqs_record(another, record_id="second"))

    assert failed_ids(answer) == ["first"]


def test_serve_failure_frees_the_claim_for_the_next_receive() -> None:
    shell = Shell(Service(fails=1))
    shell.receive_all_failing(sqs_record(FAILED))

    answer = shell.receive(sqs_record(FAILED, receives=2))

    assert failed_ids(answer) == []
    assert len(shell.service.received) == 2
    assert shell.publisher.published == [REACTION]


def test_serve_failure_whose_claim_cannot_be_released_reports_both(caplog: pytest.LogCaptureFixture) -> None:
    shell = Shell(Service(fails=1))
    shell.claims.fails_to_release = True

    error = shell.receive_all_failing(sqs_record(FAILED))

    assert "ConnectionError: the table did not answer" in str(error)
    assert caplog.records[-1].exc_text is not None
    assert "the service failed" in caplog.records[-1].exc_text


def test_serve_message_is_claimed_for_as_long_as_lambda_lets_it_run() -> None:
    shell = Shell(Service())

    shell.receive(sqs_record(FAILED))

    assert shell.claims.remaining_ms == [30_000]


def test_serve_publish_failure_is_published_at_the_next_receive() -> None:
    shell = Shell(Service())
    shell.publisher.fail_next = 1

    shell.receive_all_failing(sqs_record(FAILED))
    noted_before = shell.service.times_noted
    shell.receive(sqs_record(FAILED, receives=2))

    assert noted_before == 0
    assert shell.publisher.published == [REACTION]
    assert shell.service.times_noted == 1


def test_serve_message_in_progress_elsewhere_returns_to_its_queue() -> None:
    shell = Shell(Service())
    answers: list[dict[str, Any]] = []

    def receive_it_again(_: Any) -> Reaction:
        answers.append(shell.receive(sqs_record(FAILED)))
        return Reaction()

    shell.inbox = Inbox("a_module", {StrategyFailed: receive_it_again}, shell.publisher, shell.claims)

    answer = shell.receive(sqs_record(FAILED))

    assert failed_ids(answer) == []
    assert failed_ids(answers[0]) == ["record-1"]


def giving_up(reaction: Reaction) -> Callable[[Any, Exception], Reaction]:
    return lambda content, error: reaction


@pytest.mark.parametrize("receives", [1, 2])
def test_serve_failure_before_the_last_receive_is_not_given_up(receives: int) -> None:
    shell = Shell(Service(fails=1), give_up=giving_up(Reaction((REACTION,))))

    shell.receive_all_failing(sqs_record(FAILED, receives=receives))

    assert shell.publisher.published == []


def test_serve_failure_at_the_last_receive_is_given_up_and_acknowledged() -> None:
    shell = Shell(Service(fails=1), give_up=giving_up(Reaction((REACTION,))))

    answer = shell.receive(sqs_record(FAILED, receives=3))

    assert failed_ids(answer) == []
    assert shell.publisher.published == [REACTION]


def test_serve_failure_at_the_last_receive_without_give_up_fails() -> None:
    shell = Shell(Service(fails=1))

    error = shell.receive_all_failing(sqs_record(FAILED, receives=3))

    assert "the service failed" in str(error)


def test_serve_wiring_that_fails_fails_the_whole_batch() -> None:
    def build() -> Inbox:
        raise KeyError("RUNS_TABLE")

    with pytest.raises(KeyError, match="RUNS_TABLE"):
        serve({"Records": [sqs_record(FAILED)]}, Context(), build=build)
