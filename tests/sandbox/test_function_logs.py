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


def test_read_log_of_good_work_counts_invocations_and_messages() -> None:
    log = read_log("strategy_v2", "f", [START, HANDLED, HANDLED, END, REPORT, START, HANDLED, END, REPORT])

    assert (log.invocations, log.handled, log.errors, log.is_silent) == (2, {"StrategyRequested": 3}, (), False)


def test_read_log_of_a_refusal_names_the_action_and_the_last_line_of_the_exception() -> None:
    log = read_log("strategy_v2", "f", [START, FAILED, END, REPORT])

    text = "failed: ClientError: User: u is not authorized to perform: s3:PutObject because"
    assert log.errors == (LogError(text, "s3:PutObject"),)


def test_read_log_of_a_refusal_logged_as_a_warning_is_an_error_still() -> None:
    line = json.dumps({"level": "WARNING", "message": "not authorized to perform: ssm:GetParameter"})

    assert read_log("coordinator_v2", "f", [START, line, END, REPORT]).errors[0].denied == "ssm:GetParameter"


def test_read_log_of_an_uncaught_exception_is_an_error() -> None:
    lines = [START, "Traceback (most recent call last):", "  File …", "ValueError: no", END, REPORT]

    assert read_log("data_v2", "f", lines).errors == (LogError("Traceback (most recent call last):"),)


def test_read_log_of_platform_lines_alone_is_silent() -> None:
    assert read_log("data_v2", "f", [START, END, REPORT]).is_silent


def test_read_log_of_nothing_is_not_silent() -> None:
    assert not read_log("data_v2", "f", []).is_silent


def test_read_log_keeps_what_was_refused_and_why() -> None:
    line = json.dumps({"level": "WARNING", "message": "run refused", "reason": "paused", "detail": "switch"})

    assert read_log("coordinator_v2", "f", [line]).warnings == ("run refused: paused: switch",)


def test_read_log_takes_a_line_that_only_looks_like_json_as_text() -> None:
    assert read_log("data_v2", "f", ["{not json", '["a list"]']).errors == ()
