"""The reason of a dead letter is the last error in the log that names the message."""

from datetime import timedelta

from automation.operating import failure_reasons
from automation.operating.dead_letters import DeadLetters, Queue
from automation.system.log_lines import LogLine
from tests.automation.fake_queues import SENT, arn_of, message, url_of
from tests.automation.operating.test_merged_logs import FakeLogs

NOW = SENT + timedelta(days=1)


def letters(*consumers: str) -> DeadLetters:
    sources = tuple(Queue(f"In{n}", arn_of(f"in{n}"), url_of(f"in{n}"), {}, name) for n, name in enumerate(consumers))
    return DeadLetters(Queue("Dead", arn_of("dead"), url_of("dead"), {}), sources)


def line(minute: int, text: str) -> LogLine:
    return LogLine(SENT + timedelta(minutes=minute), "s", text)


def reason(logs: FakeLogs, *consumers: str) -> str:
    return failure_reasons.find(message("m-1"), letters(*consumers), logs, now=NOW)


def test_find_returns_the_last_error() -> None:
    lines = [line(1, "[ERROR] m-1 first"), line(2, "[ERROR] m-1 second"), line(3, "m-1 dropped"), line(4, "[ERROR] x")]

    assert reason(FakeLogs({"/till": lines}), "shop-till") == "m-1 second"


def test_find_without_an_error_returns_the_last_line() -> None:
    assert reason(FakeLogs({"/till": [line(1, "m-1 a"), line(2, "[WARNING] m-1 b")]}), "shop-till") == "m-1 b"


def test_find_asks_since_the_message_was_sent() -> None:
    logs = FakeLogs()

    assert reason(logs, "shop-till") == ""
    assert logs.asked == [("/till", "shop-till", SENT, NOW, "m-1")]


def test_find_looks_in_the_log_of_each_consumer() -> None:
    logs = FakeLogs({"/stock": [line(1, "[ERROR] m-1 sold out")]})

    assert reason(logs, "shop-till", "", "shop-stock", "shop-till") == "m-1 sold out"
    assert [request[0] for request in logs.asked] == ["/till", "/stock"]


def test_find_without_a_consumer_is_empty() -> None:
    assert reason(FakeLogs(), "") == ""


def test_find_says_when_the_log_cannot_be_read() -> None:
    assert reason(FakeLogs(), "shop-broken") == "unknown: /broken: refused"
