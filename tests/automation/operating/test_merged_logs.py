"""Lines of several functions come in the order of time, and each line comes once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from automation.operating import merged_logs
from automation.operating.merged_logs import Clock, FunctionLog, WrittenLine
from automation.system.errors import DeploymentError
from automation.system.log_lines import LogLine

START = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
TILL, STOCK = FunctionLog("Till", "shop-till", "/till"), FunctionLog("Stock", "shop-stock", "/stock")


@dataclass
class FakeLogs:
    """Logs by group; `asked` are the requests."""

    groups: dict[str, list[LogLine]] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def log_group(self, function: str) -> str:
        return f"/{function.removeprefix('shop-')}"

    def lines(
        self, group: str, function: str, *, since: datetime, until: datetime, text: str = ""
    ) -> tuple[LogLine, ...]:
        self.asked.append((group, function, since, until, text))
        if group == "/broken":
            raise DeploymentError("refused", where=group)
        lines = self.groups.get(group, [])
        return tuple(line for line in lines if since <= line.at <= until and text in line.text)


def line(second: float, text: str = "") -> LogLine:
    return LogLine(START + timedelta(seconds=second), "s", text or str(second))


def texts(lines: tuple[WrittenLine, ...]) -> list[str]:
    return [written.line.text for written in lines]


def test_locate_returns_each_group() -> None:
    assert merged_logs.locate({"Till": "shop-till", "Stock": "shop-stock"}, FakeLogs()) == (TILL, STOCK)


def test_read_merges_in_the_order_of_time() -> None:
    logs = FakeLogs({"/till": [line(1), line(4)], "/stock": [line(2), line(3)]})

    lines = merged_logs.read([TILL, STOCK], logs, since=START, until=START + timedelta(seconds=4))

    assert [(written.function, written.line.text) for written in lines] == [
        *(("Till", "1"), ("Stock", "2"), ("Stock", "3"), ("Till", "4")),
    ]


def test_read_joins_the_lines_of_a_traceback() -> None:
    logs = FakeLogs({"/till": [line(1, "Traceback (most recent call last):"), line(1, "KeyError: 'a'")]})

    lines = merged_logs.read([TILL], logs, since=START, until=START + timedelta(seconds=4))

    assert texts(lines) == ["Traceback (most recent call last):\nKeyError: 'a'"]


def test_read_asks_each_log_for_the_text() -> None:
    logs, until = FakeLogs(), START + timedelta(hours=1)

    assert merged_logs.read([TILL, STOCK], logs, since=START, until=until, text="r1") == ()
    requests = {("/till", "shop-till", START, until, "r1"), ("/stock", "shop-stock", START, until, "r1")}
    assert set(logs.asked) == requests


def test_read_refused_request_is_an_error() -> None:
    with pytest.raises(DeploymentError, match="/broken: refused"):
        merged_logs.read([TILL, FunctionLog("X", "x", "/broken")], FakeLogs(), since=START, until=START)


@dataclass
class Following:
    """A log that grows between two readings."""

    logs: FakeLogs = field(default_factory=lambda: FakeLogs({"/till": []}))
    now: datetime = START
    waits: list[float] = field(default_factory=list)
    on_wait: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=30)
        self.on_wait()

    def read(self, since: datetime, until: datetime) -> tuple[WrittenLine, ...]:
        return merged_logs.read([TILL], self.logs, since=since, until=until)

    def follow(self, readings: int, since: datetime = START) -> list[list[str]]:
        clock = Clock(lambda: self.now, self.sleep)
        return [texts(lines) for lines in islice(merged_logs.follow(self.read, since, clock), readings)]


def test_follow_yields_each_line_once() -> None:
    following = Following(now=START + timedelta(seconds=30))
    following.logs.groups["/till"] = [line(10), line(40), line(70), line(130)]

    assert following.follow(5) == [["10"], ["40"], ["70"], [], ["130"]]
    assert following.waits == [2.0] * 4


def test_follow_yields_lines_that_appear_late() -> None:
    following = Following(now=START + timedelta(seconds=70))
    following.logs.groups["/till"] = [line(65)]
    following.on_wait = lambda: following.logs.groups["/till"].extend([line(64, "late"), line(90, "new")])

    assert following.follow(2) == [["65"], ["late", "new"]]


def test_follow_reads_a_minute_again_but_not_before_the_start() -> None:
    following = Following(now=START + timedelta(seconds=30))

    following.follow(4)

    firsts = [since for _, _, since, _, _ in following.logs.asked]
    assert firsts == [START, START, START, START + timedelta(seconds=30)]


def test_follow_shows_equal_lines_of_one_reading() -> None:
    following = Following(now=START + timedelta(seconds=5))
    following.logs.groups["/till"] = [line(1, "same"), line(1, "same")]

    assert following.follow(2) == [["same", "same"], []]


def test_this_clock_is_aware() -> None:
    assert merged_logs.this_clock().now().tzinfo is UTC
