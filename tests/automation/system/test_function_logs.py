"""Reports in the logs of functions. Answers are composed; Stubber validates them and the requests."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws, function_logs
from automation.system.errors import DeploymentError
from automation.system.function_logs import JSON_REPORTS, TEXT_REPORTS, FunctionLogs
from automation.system.log_lines import LogLine
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-logs")
LOGS = FunctionLogs(TARGET)
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
REQUEST = {"logGroupName": "shop", "startTime": 1767225600000, "endTime": 1767312000000}
TEXT, JSON = {**REQUEST, "filterPattern": TEXT_REPORTS}, {**REQUEST, "filterPattern": JSON_REPORTS}
EMPTY: dict[str, Any] = {"events": []}


@pytest.fixture
def stub() -> Iterator[Callable[[str], Stubber]]:
    stubbers: list[Stubber] = []

    def activate(service: str) -> Stubber:
        stubber = Stubber(aws.client(service, TARGET))
        stubber.activate()
        stubbers.append(stubber)
        return stubber

    yield activate
    for stubber in stubbers:
        stubber.deactivate()
        stubber.assert_no_pending_responses()


def event(second: int, message: str = "REPORT", stream: str = "2026/01/01/[$LATEST]a") -> dict[str, Any]:
    timestamp = int((SINCE + timedelta(seconds=second)).timestamp() * 1000)
    return {"timestamp": timestamp, "message": message, "logStreamName": stream}


def line(second: int, message: str = "REPORT", stream: str = "2026/01/01/[$LATEST]a") -> LogLine:
    return LogLine(SINCE + timedelta(seconds=second), stream, message)


def read() -> tuple[LogLine, ...]:
    return LOGS.reports("shop", "till", since=SINCE, until=UNTIL)


def test_log_group_is_the_one_that_the_function_names(stub: Callable[[str], Stubber]) -> None:
    answer = {"LoggingConfig": {"LogGroup": "shop"}}
    stub("lambda").add_response("get_function_configuration", answer, {"FunctionName": "till"})

    assert LOGS.log_group("till") == "shop"


@pytest.mark.parametrize("answer", [{}, {"LoggingConfig": {"LogFormat": "JSON"}}])
def test_log_group_without_a_name_is_lambdas(stub: Callable[[str], Stubber], answer: dict[str, Any]) -> None:
    stub("lambda").add_response("get_function_configuration", answer)

    assert LOGS.log_group("till") == "/aws/lambda/till"


def test_log_group_refused_request_names_the_function(stub: Callable[[str], Stubber]) -> None:
    stub("lambda").add_client_error("get_function_configuration", "AccessDeniedException", "not you")

    with pytest.raises(DeploymentError, match="till: AWS refused the request"):
        LOGS.log_group("till")


def test_reports_of_every_page_are_read_oldest_first(stub: Callable[[str], Stubber]) -> None:
    logs = stub("logs")
    logs.add_response("filter_log_events", {"events": [event(3)], "nextToken": "p2"}, TEXT)
    logs.add_response("filter_log_events", {"events": [], "nextToken": "p3"}, {**TEXT, "nextToken": "p2"})
    logs.add_response("filter_log_events", {"events": [event(1)]}, {**TEXT, "nextToken": "p3"})
    logs.add_response("filter_log_events", {"events": [event(2, "{}")]}, JSON)

    assert read() == (line(1), line(2, "{}"), line(3))


def test_reports_that_both_patterns_find_count_once(stub: Callable[[str], Stubber]) -> None:
    logs = stub("logs")
    logs.add_response("filter_log_events", {"events": [event(1)]}, TEXT)
    logs.add_response("filter_log_events", {"events": [event(1)]}, JSON)

    assert read() == (line(1),)


def test_reports_of_other_functions_in_the_group_do_not_count(stub: Callable[[str], Stubber]) -> None:
    own, copy = "2026/01/01/till[$LATEST][a]", "2026/01/01/till-coldstart[1][b]"
    logs = stub("logs")
    logs.add_response("filter_log_events", {"events": [event(1, stream=own), event(2, stream=copy)]}, TEXT)
    logs.add_response("filter_log_events", EMPTY, JSON)

    assert read() == (line(1, stream=own),)


def test_reports_without_the_log_group_are_empty(stub: Callable[[str], Stubber]) -> None:
    logs = stub("logs")
    for _ in range(2):
        logs.add_client_error("filter_log_events", "ResourceNotFoundException", "no such group")

    assert read() == ()


def test_reports_refused_request_names_the_group(stub: Callable[[str], Stubber]) -> None:
    stub("logs").add_client_error("filter_log_events", "AccessDeniedException", "not you")

    with pytest.raises(DeploymentError, match="shop: AWS refused the request"):
        read()


@pytest.mark.parametrize(
    ("stream", "function"),
    [("2026/01/01/till[$LATEST][a]", "till"), ("2026/01/01/[$LATEST]a", ""), ("till[1]", ""), ("", "")],
)
def test_log_line_function_is_the_one_that_its_stream_names(stream: str, function: str) -> None:
    assert LogLine(SINCE, stream, "").function == function


def read_lines(text: str = "") -> tuple[LogLine, ...]:
    return LOGS.lines("shop", "till", since=SINCE, until=UNTIL, text=text)


def test_lines_of_every_page_are_read_oldest_first(stub: Callable[[str], Stubber]) -> None:
    logs, request = stub("logs"), {**REQUEST, "filterPattern": ""}
    answer = {"events": [event(3, "c") | {"eventId": "e-3"}], "nextToken": "p2"}
    logs.add_response("filter_log_events", answer, request)
    logs.add_response("filter_log_events", {"events": [event(1, "a")]}, {**request, "nextToken": "p2"})

    assert read_lines() == (line(1, "a"), replace(line(3, "c"), id="e-3"))


def test_lines_with_a_text_are_asked_for_and_compared(stub: Callable[[str], Stubber]) -> None:
    """An emulator compares less strictly than CloudWatch Logs."""
    answer = {"events": [event(1, "run r-1 began"), event(2, "run R-1 began")]}
    stub("logs").add_response("filter_log_events", answer, {**REQUEST, "filterPattern": '"r-1"'})

    assert read_lines("r-1") == (line(1, "run r-1 began"),)


def test_lines_with_a_quote_are_compared_here(stub: Callable[[str], Stubber]) -> None:
    answer = {"events": [event(1, '{"id": 1}'), event(2, '{"id": 2}')]}
    stub("logs").add_response("filter_log_events", answer, {**REQUEST, "filterPattern": ""})

    assert read_lines('"id": 1') == (line(1, '{"id": 1}'),)


def test_lines_beyond_the_longest_answer_are_read(
    stub: Callable[[str], Stubber], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emulator answers with the first lines only, without a token for the others."""
    monkeypatch.setattr(function_logs, "MOST_LINES", 3)
    logs, request = stub("logs"), {**REQUEST, "filterPattern": ""}
    answers = (
        [event(1, "a"), event(2, "b"), event(2, "c")],
        [event(2, "b"), event(2, "c"), event(3, "d")],
        [event(3, "d")],
    )
    for second, events in zip((0, 2, 3), answers, strict=True):
        later = {**request, "startTime": 1767225600000 + 1000 * second}
        logs.add_response("filter_log_events", {"events": events}, later)

    assert read_lines() == (line(1, "a"), line(2, "b"), line(2, "c"), line(3, "d"))


def test_lines_that_fill_one_moment_end(stub: Callable[[str], Stubber], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_logs, "MOST_LINES", 2)
    stub("logs").add_response("filter_log_events", {"events": [event(0, "a"), event(0, "b")]})

    assert read_lines() == (line(0, "a"), line(0, "b"))


def test_lines_of_other_functions_in_the_group_are_left_out(stub: Callable[[str], Stubber]) -> None:
    own, copy = "2026/01/01/till[$LATEST][a]", "2026/01/01/stock[1][b]"
    stub("logs").add_response("filter_log_events", {"events": [event(1, stream=own), event(2, stream=copy)]})

    assert read_lines() == (line(1, stream=own),)


def test_lines_without_the_log_group_are_empty(stub: Callable[[str], Stubber]) -> None:
    stub("logs").add_client_error("filter_log_events", "ResourceNotFoundException", "no such group")

    assert read_lines() == ()
