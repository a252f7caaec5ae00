import json

from sandbox.function_logs import LogError, read_log

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


def test_read_log_counts_invocations_and_handled_messages() -> None:
    log = read_log("strategy_v2", "f", [START, HANDLED, HANDLED, END, REPORT, START, HANDLED, END, REPORT])

    assert (log.invocations, log.handled, log.errors, log.is_silent) == (2, {"StrategyRequested": 3}, (), False)


def test_read_log_of_a_denial_has_action_and_exception() -> None:
    log = read_log("strategy_v2", "f", [START, FAILED, END, REPORT])

    text = "failed: ClientError: User: u is not authorized to perform: s3:PutObject because"
    assert log.errors == (LogError(text, "s3:PutObject"),)


def test_read_log_of_a_denial_in_a_warning_is_an_error() -> None:
    line = json.dumps({"level": "WARNING", "message": "not authorized to perform: ssm:GetParameter"})

    assert read_log("coordinator_v2", "f", [START, line, END, REPORT]).errors[0].denied == "ssm:GetParameter"


def test_read_log_of_an_uncaught_exception_is_an_error() -> None:
    lines = [START, "Traceback (most recent call last):", "  File …", "ValueError: no", END, REPORT]

    assert read_log("data_v2", "f", lines).errors == (LogError("Traceback (most recent call last):"),)


def test_read_log_of_only_platform_lines_is_silent() -> None:
    assert read_log("data_v2", "f", [START, END, REPORT]).is_silent


def test_read_log_without_lines_is_not_silent() -> None:
    assert not read_log("data_v2", "f", []).is_silent


def test_read_log_of_a_warning_keeps_reason_and_detail() -> None:
    line = json.dumps({"level": "WARNING", "message": "run refused", "reason": "paused", "detail": "switch"})

    assert read_log("coordinator_v2", "f", [line]).warnings == ("run refused: paused: switch",)


def test_read_log_of_a_line_that_is_not_json_is_text() -> None:
    assert read_log("data_v2", "f", ["{not json", '["a list"]']).errors == ()
