from dataclasses import replace
from datetime import timedelta

from automation.system.errors import Finding
from sandbox.evidence import Backlog
from sandbox.findings import (
    backlog_findings,
    dead_letter_findings,
    denial_findings,
    describe_waiting,
    log_findings,
)
from sandbox.function_logs import LogFailure
from tests.sandbox.days import WALL, backlogs, log, messages

READ_LOG = "read the log with inv logs --env local --function data_v2, and fix the cause"
DENIED = LogFailure("failed: …", "s3:PutObject")
GRANT = "grant s3:PutObject to the function's role in its template, then run inv deploy --env local"


def inbox(*receives: int, returns_s: float = 30.0) -> Backlog:
    visible_at = WALL + timedelta(seconds=returns_s)
    return Backlog(
        "trades.fifo", "execution_v2", is_dead_letter=False, messages=messages(*receives, visible_at=visible_at)
    )


def test_log_findings_name_the_errors_sorted() -> None:
    first = replace(log("data_v2"), failures=(LogFailure("failed: no"), LogFailure("failed: no")))
    second = replace(log("coordinator_v2"), failures=(LogFailure("x" * 400),))

    findings = log_findings([first, second])

    assert [finding.where for finding in findings] == ["coordinator_v2", "data_v2"]
    assert findings[0].what == "stack-coordinator_v2: " + "x" * 300
    assert findings[1] == Finding("data_v2", "stack-data_v2: failed: no", READ_LOG)


def test_log_findings_without_survived_failures() -> None:
    assert log_findings([replace(log("data_v2"), failures=(LogFailure("killed", is_survived=True),))]) == ()


def test_log_findings_of_a_denial_leave_out_what_it_explains() -> None:
    denied = replace(log("data_v2"), failures=(LogFailure("failed: no"), DENIED))

    expected = (Finding("data_v2", "stack-data_v2 is not allowed to call s3:PutObject", GRANT),)
    assert log_findings([denied]) == denial_findings([denied]) == expected


def test_denial_findings_leave_out_other_failures() -> None:
    granted = LogFailure("failed: …", "s3:PutObject", is_survived=True)

    assert denial_findings([replace(log("data_v2"), failures=(LogFailure("failed: no"), granted))]) == ()


def test_queue_findings_say_what_to_type_next() -> None:
    queues = backlogs(data_v2=(1, 1), metrics_v2_dlq=(3,))

    assert backlog_findings(queues) == (
        Finding(
            "data_v2", "2 messages left in its inbox data_v2-inbox", "run inv run-day again: it waits for what is left"
        ),
    )
    assert dead_letter_findings(queues) == (
        Finding(
            "metrics_v2",
            "1 message in its dead-letter queue metrics_v2-dlq",
            "inv dlq.list --env local names it, inv dlq.show QUEUE shows why, and inv dlq.redrive QUEUE sends it back",
        ),
    )


def test_describe_waiting_says_when_a_message_returns() -> None:
    text = describe_waiting(inbox(2), WALL, max_receives=3)

    assert text == "execution_v2: 1 message in work, or returns in about 30 s (attempt 2 of 3)"


def test_describe_waiting_of_several_takes_the_first_return() -> None:
    text = describe_waiting(inbox(1, 2, 0), WALL + timedelta(seconds=1), max_receives=3)

    assert text == "execution_v2: 2 messages in work, or return in about 29 s (attempt 2 of 3)"


def test_describe_waiting_of_visible_messages_has_no_time() -> None:
    assert (
        describe_waiting(inbox(0, 1, returns_s=0.0), WALL, max_receives=3) == "execution_v2: 2 messages to be received"
    )
