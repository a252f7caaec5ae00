import json
from dataclasses import replace

import pytest

from sandbox.function_logs import FailureKind, FunctionLog, LogFailure, count_text, read_log

START, END = "START RequestId: 1 Version: $LATEST", "END RequestId: 1"
REPORT = "REPORT RequestId: 1\tDuration: 10 ms"
HANDLED = json.dumps({"level": "INFO", "message": "handled", "kind": "StrategyRequested", "run_id": "r"})
FAILED = json.dumps(
    {
        "level": "ERROR",
        "message": "failed",
        "exception": "Traceback …\nClientError: User: u is not authorized to perform: s3:PutObject because",
    }
)
TRACEBACK = ("Traceback (most recent call last):", "  File …", "BatchProcessingError: all 1 records failed")


def line(message: str, *, level: str = "INFO", **fields: object) -> str:
    return json.dumps({"level": level, "message": message, "kind": "TradeRequested", **fields})


def handled(message_id: str = "m1", *, message: str = "handled") -> str:
    return line(message, message_id=message_id, sqs_message_id=f"sqs-{message_id}")


def retried(message_id: str = "m1") -> str:
    return line("will be tried again", level="WARNING", message_id=message_id, detail="BrokerTimeoutError: no answer")


def failed(message_id: str | None = "m1", text: str = "ValueError: no", sqs: str = "sqs-m1") -> str:
    facts = {"message_id": message_id, "sqs_message_id": sqs}
    return line("failed", level="ERROR", exception=f"Traceback …\n{text}", **facts)


def read(*invocations: tuple[str, ...]) -> FunctionLog:
    """Read a log that has an invocation for each tuple of lines."""
    lines = [text for own in invocations for text in (START, *own, END, REPORT)]
    return read_log("execution_v2", "f", lines)


def test_read_log_counts_invocations_and_handled_messages() -> None:
    log = read_log("strategy_v2", "f", [START, HANDLED, HANDLED, END, REPORT, START, HANDLED, END, REPORT])

    assert (log.module, log.function) == ("strategy_v2", "f")
    assert (log.invocations, log.handled, log.failures, log.duplicates) == (2, {"StrategyRequested": 3}, (), 0)


def test_read_log_without_lines_has_no_failure() -> None:
    assert read_log("data_v2", "f", []) == FunctionLog("data_v2", "f", 0, {})


def test_read_log_of_a_retry_that_succeeds_is_survived() -> None:
    log = read((retried(),), (handled(),))

    text = "will be tried again: BrokerTimeoutError: no answer"
    assert log.failures == log.survived == (LogFailure(text, is_survived=True),)
    assert (log.errors, log.warnings) == ((), ())


def test_read_log_of_a_retry_without_a_success_is_an_error() -> None:
    assert [error.text for error in read((retried(),), (handled("m2"),)).errors] == [
        "will be tried again: BrokerTimeoutError: no answer"
    ]


def test_read_log_of_a_success_before_the_failure_does_not_count() -> None:
    assert len(read((handled(),), (retried(),)).errors) == 1


def test_read_log_of_an_error_whose_message_is_handled_later_is_survived() -> None:
    log = read((failed(), *TRACEBACK), (handled(),))

    assert log.failures == (LogFailure("failed: ValueError: no", is_survived=True),)


def test_read_log_of_an_error_whose_copy_was_dropped_is_survived() -> None:
    assert read((failed(),), (handled(message="duplicate"),)).errors == ()


def test_read_log_finds_a_command_by_its_id_in_the_queue() -> None:
    refresh = failed(None, sqs="sqs-m1")

    assert read((refresh,), (handled(),)).errors == ()
    assert len(read((refresh,), (handled("m2"),)).errors) == 1


def test_read_log_finds_a_message_by_its_own_id_first() -> None:
    """A message that was sent again has another id in the queue."""
    assert read((failed("m1", sqs="another"),), (handled("m1"),)).errors == ()


@pytest.mark.parametrize(
    "text", ["Worker process died", "Task timed out after 30.00 seconds", "Worker returned no response"]
)
def test_read_log_of_a_crash_before_any_success_is_survived(text: str) -> None:
    log = read((text,), (handled(),))

    assert log.failures == (LogFailure(text, kind=FailureKind.CRASH, is_survived=True),)


def test_read_log_of_a_crash_at_the_end_is_an_error() -> None:
    assert read((handled(),), ("Worker process died",)).errors == (
        LogFailure("Worker process died", kind=FailureKind.CRASH),
    )


def test_read_log_of_a_crash_after_the_success_of_its_invocation_is_an_error() -> None:
    """Until the queue delivers the message again, nobody knows that it was handled."""
    half = (handled(), "Worker process died")

    assert len(read(half).errors) == 1
    assert read(half, (handled(message="duplicate"),)).errors == ()


def test_read_log_of_half_a_line_is_no_error_of_its_own() -> None:
    log = read((handled()[:30], "Worker process died"), (handled(),))

    assert [failure.text for failure in log.failures] == ["Worker process died"]


def test_read_log_of_a_silent_invocation_is_a_failure() -> None:
    text = "logged nothing: its worker was killed, or failed to start"

    assert read(()).errors == (LogFailure(text, kind=FailureKind.SILENCE),)
    assert read((), (handled(),)).survived == (LogFailure(text, kind=FailureKind.SILENCE, is_survived=True),)


def test_read_log_of_an_uncaught_exception_is_an_error() -> None:
    assert read((TRACEBACK[0], "  File …", "ValueError: no")).errors == (LogFailure("ValueError: no"),)


def test_read_log_of_giving_up_is_no_failure_of_its_own() -> None:
    """The outcome of the trade says that execution gave up."""
    gave_up = line("gave up", level="ERROR", exception="Traceback …\nBrokerTimeoutError: no answer")

    assert read((gave_up, handled())).failures == ()


def test_read_log_of_another_error_is_survived_with_its_message() -> None:
    error = line("run not settled", level="CRITICAL", run_id="r")

    assert read((error, handled())).survived == (LogFailure("run not settled", is_survived=True),)
    assert read((error,)).errors == (LogFailure("run not settled"),)


def test_read_log_of_a_denial_has_action_and_exception() -> None:
    log = read((FAILED,))

    text = "failed: ClientError: User: u is not authorized to perform: s3:PutObject because"
    assert log.errors == (LogFailure(text, "s3:PutObject"),)


def test_read_log_of_a_denial_is_survived_once_it_is_granted() -> None:
    denial = failed(text="User: u is not authorized to perform: s3:PutObject because")

    assert read((denial,), (handled(),)).errors == ()


def test_read_log_of_a_denial_in_a_warning_is_an_error() -> None:
    warning = line("not authorized to perform: ssm:GetParameter", level="WARNING")
    log = read((warning, handled()), (handled("m2"),))

    assert [error.denied for error in log.errors] == ["ssm:GetParameter"]


def test_read_log_of_a_denial_beside_an_error_explains_it() -> None:
    warning = line("not authorized to perform: ssm:GetParameter", level="WARNING")

    assert [error.denied for error in read((warning, failed())).errors] == ["ssm:GetParameter"]


def test_read_log_of_lines_outside_an_invocation_reads_them() -> None:
    assert len(read_log("data_v2", "f", [failed()]).errors) == 1
    assert len(read_log("data_v2", "f", [failed(), START, handled("m2"), END, REPORT]).errors) == 1


def test_read_log_counts_duplicates() -> None:
    log = read((handled(), handled(message="duplicate")), (handled(message="duplicate"),))

    assert (log.handled, log.duplicates) == ({"TradeRequested": 1}, 2)


def test_read_log_of_a_warning_keeps_reason_and_detail() -> None:
    warning = json.dumps({"level": "WARNING", "message": "run refused", "reason": "paused", "detail": "switch"})

    assert read_log("coordinator_v2", "f", [warning]).warnings == ("run refused: paused: switch",)


def test_read_log_of_a_line_that_is_not_json_is_text() -> None:
    assert read_log("data_v2", "f", ["{not json", '["a list"]']).failures == ()


def test_survived_faults_count_each_kind() -> None:
    crash = LogFailure("x", kind=FailureKind.CRASH, is_survived=True)
    retry, silence = replace(crash, kind=FailureKind.RETRY), replace(crash, kind=FailureKind.SILENCE)
    log = FunctionLog("data_v2", "f", 9, {}, (crash, retry, retry, silence, LogFailure("z")), duplicates=1)

    assert tuple(log.survived_faults()) == (
        "1 crash of data_v2",
        "2 retries of data_v2",
        "1 invocation of data_v2 without a line in its log",
        "1 message delivered twice to data_v2",
    )
    assert tuple(FunctionLog("data_v2", "f", 9, {}, (LogFailure("z"),)).survived_faults()) == ()


def test_without_messages_left_has_survived_all_but_denied_calls() -> None:
    """A line of the log may be missing, but a message that is in no queue was handled."""
    granted = LogFailure("w", "s3:PutObject", is_survived=True)
    failures = (LogFailure("x"), LogFailure("y", "s3:GetObject"), granted)

    log = FunctionLog("data_v2", "f", 9, {"K": 1}, failures).without_messages_left()

    assert log == FunctionLog("data_v2", "f", 9, {"K": 1}, (LogFailure("x", is_survived=True), *failures[1:]))


def test_count_text_has_the_plural_for_all_but_one() -> None:
    texts = [count_text(number, "crash", "crashes") for number in (0, 1, 2)]

    assert texts == ["0 crashes", "1 crash", "2 crashes"]
    assert count_text(2, "trade") == "2 trades"
