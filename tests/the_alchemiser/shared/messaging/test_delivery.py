"""A failure that passes by itself costs one line of the log; every other one is an error, with its traceback."""

from typing import Any

import pytest

from tests.the_alchemiser.examples import raw_record, sqs_record
from tests.the_alchemiser.shared.messaging.test_inbox import FAILED, Service, Shell, event, failed_ids
from the_alchemiser.shared.errors import AlchemiserError, StateUnavailableError
from the_alchemiser.shared.messaging.delivery import BatchFailedError
from the_alchemiser.shared.messaging.messages import StrategyFailed
from the_alchemiser.shared.messaging.wiring import Inbox, Reaction


class BrokenError(AlchemiserError):
    """A failure that no retry changes."""


class Failing(Service):
    """Raises the same error at every call."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def handle(self, content: Any) -> Reaction:
        super().handle(content)
        raise self.error


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the log, line by line, with the fields of each."""
    return [vars(record) | {"message": record.getMessage()} for record in caplog.records]


def test_deliver_retryable_failure_returns_to_the_queue_without_an_error() -> None:
    shell = Shell(Failing(StateUnavailableError("the run is not visible")))

    answer = shell.receive(sqs_record(FAILED, record_id="first"))

    assert failed_ids(answer) == ["first"]


@pytest.mark.parametrize("receives", [1, 2])
def test_deliver_retryable_failure_is_one_line_without_traceback(
    receives: int, caplog: pytest.LogCaptureFixture
) -> None:
    shell = Shell(Failing(StateUnavailableError("the run is not visible")))

    shell.receive(sqs_record(FAILED, receives=receives))

    (line,) = lines(caplog)
    assert (line["levelname"], line["message"]) == ("WARNING", "will be tried again")
    assert line["detail"] == "StateUnavailableError: the run is not visible"
    assert (line["kind"], line["message_id"], line["run_id"]) == ("StrategyFailed", FAILED.message_id, FAILED.run_id)
    assert (line["sqs_message_id"], line["receives"]) == ("record-1", receives)
    assert line["exc_info"] is None


def test_deliver_retryable_failure_at_the_last_receive_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    shell = Shell(Failing(StateUnavailableError("the run is not visible")))

    error = shell.receive_all_failing(sqs_record(FAILED, receives=3))

    (line,) = lines(caplog)
    assert (line["levelname"], line["message"]) == ("ERROR", "failed")
    assert line["exc_info"][0] is StateUnavailableError
    assert "all 1 records failed" in str(error)


@pytest.mark.parametrize("error", [BrokenError("broken"), RuntimeError("a bug")])
def test_deliver_failure_that_does_not_pass_is_an_error_with_body(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    record = sqs_record(FAILED)

    Shell(Failing(error)).receive_all_failing(record)

    (line,) = lines(caplog)
    assert (line["levelname"], line["message"], line["body"]) == ("ERROR", "failed", record["body"])
    assert (line["kind"], line["message_id"], line["run_id"]) == ("StrategyFailed", FAILED.message_id, FAILED.run_id)
    assert line["exc_info"][1] is error


def test_deliver_malformed_record_is_an_error_of_unknown_kind(caplog: pytest.LogCaptureFixture) -> None:
    Shell(Service()).receive_all_failing(raw_record("nonsense"))

    (line,) = lines(caplog)
    assert (line["kind"], line["message_id"], line["run_id"]) == ("unparsed", None, None)
    assert (line["body"], line["sqs_message_id"]) == ("nonsense", "record-1")


def test_deliver_batch_of_both_failures_is_an_error() -> None:
    shell = Shell(Failing(StateUnavailableError("the run is not visible")))

    error = shell.receive_all_failing(sqs_record(FAILED, record_id="a"), raw_record("nonsense", record_id="b"))

    assert str(error).startswith("all 2 records failed: StateUnavailableError: the run is not visible; Malformed")


def test_deliver_fault_beside_a_success_fails_only_itself() -> None:
    shell = Shell(Service())

    answer = shell.receive(raw_record("nonsense", record_id="bad"), sqs_record(FAILED))

    assert failed_ids(answer) == ["bad"]


def test_deliver_awaited_failures_only_return_to_the_queue() -> None:
    shell = Shell(Failing(StateUnavailableError("the run is not visible")))
    records = [sqs_record(FAILED.changed(message_id=name), record_id=name) for name in ("a", "b")]

    assert failed_ids(shell.receive(*records)) == ["a", "b"]


def test_deliver_empty_batch_fails_nothing() -> None:
    assert Shell(Service()).receive() == {"batchItemFailures": []}


def test_deliver_event_of_another_kind_is_an_error() -> None:
    with pytest.raises(KeyError, match="Records"):
        Shell(Service()).serve({"detail-type": "StrategyFailed"})


def test_deliver_claim_in_progress_is_awaited_until_the_last_receive(caplog: pytest.LogCaptureFixture) -> None:
    shell = Shell(Service())

    def receive_it_again(_: Any) -> Reaction:
        shell.receive(sqs_record(FAILED, receives=2))
        with pytest.raises(BatchFailedError):
            shell.receive(sqs_record(FAILED, receives=3))
        return Reaction()

    shell.inbox = Inbox("a_module", {StrategyFailed: receive_it_again}, shell.publisher, shell.claims)

    shell.receive(sqs_record(FAILED))

    assert [line["message"] for line in lines(caplog)] == ["will be tried again", "failed", "handled"]


def test_deliver_duplicate_and_command_are_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    shell = Shell(Service())
    shell.receive(sqs_record(FAILED))
    caplog.clear()

    shell.receive(sqs_record(FAILED, receives=2))
    shell.serve(event("sqs_scheduler_command.json"))

    assert [(line["message"], line["message_id"]) for line in lines(caplog)] == [
        ("duplicate", FAILED.message_id),
        ("handled", None),
    ]


def test_deliver_success_is_one_line_with_its_ids(caplog: pytest.LogCaptureFixture) -> None:
    Shell(Service()).receive(sqs_record(FAILED))

    (line,) = lines(caplog)
    assert (line["levelname"], line["message"], line["kind"]) == ("INFO", "handled", "StrategyFailed")
    assert (line["message_id"], line["run_id"]) == (FAILED.message_id, FAILED.run_id)
    assert line["sqs_message_id"] == "record-1"
    assert line["duration_ms"] >= 0
