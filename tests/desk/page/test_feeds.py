"""One reading for everybody, a minimum interval, longer waits after failures, and never a lost value."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest

from automation.system.errors import CheckFailedError, DeploymentError, Finding
from desk.page.feeds import Feed, Reading, in_background
from the_alchemiser.shared.errors import StateUnavailableError

Out = pytest.CaptureFixture[str]


@dataclass
class Source:
    """Something to read, and a clock; `fails` is what the next readings raise."""

    now_s: float = 1000.0
    reads: int = 0
    fails: Exception | None = None
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def read(self) -> str:
        self.reads += 1
        if self.fails is not None:
            raise self.fails
        return f"value {self.reads}"

    def feed(self, *, at_once: bool = True) -> Feed[str]:
        start = (lambda work: work()) if at_once else self.waiting.append
        return Feed(self.read, every_s=10.0, now=lambda: self.now_s, start=start)


def test_latest_reads_only_when_somebody_asks() -> None:
    source = Source()
    feed = source.feed()

    assert source.reads == 0
    assert feed.latest() == Reading("value 1", age_s=0.0, next_s=10.0)


def test_latest_reads_again_only_after_the_interval() -> None:
    source = Source()
    feed = source.feed()
    feed.latest()

    source.now_s += 9.5
    assert feed.latest() == Reading("value 1", age_s=9.5, next_s=0.5)
    source.now_s += 0.5
    assert feed.latest() == Reading("value 2", age_s=0.0, next_s=10.0)


def test_latest_starts_no_second_reading_while_one_is_running() -> None:
    source = Source()
    feed = source.feed(at_once=False)

    assert feed.latest() == Reading(is_running=True)
    assert feed.latest() == Reading(is_running=True)
    assert len(source.waiting) == 1
    source.waiting.pop()()
    assert feed.latest() == Reading("value 1", next_s=10.0)


def test_latest_after_a_failure_keeps_the_value_and_its_age() -> None:
    source = Source()
    feed = source.feed()
    feed.latest()
    source.fails = DeploymentError("AWS does not answer", where="prod")
    source.now_s += 12

    reading = feed.latest()

    assert (reading.value, reading.age_s, reading.next_s) == ("value 1", 12.0, 20.0)
    assert reading.problem is not None
    assert reading.problem.message == "prod: AWS does not answer"


def test_latest_waits_longer_after_each_failure_up_to_a_limit() -> None:
    source = Source(fails=StateUnavailableError("the table does not answer"))
    feed = source.feed()

    waits = []
    for _ in range(6):
        reading = feed.latest()
        waits.append(reading.next_s)
        source.now_s += reading.next_s

    assert waits == [20.0, 40.0, 80.0, 120.0, 120.0, 120.0]
    source.fails = None
    assert feed.latest() == Reading("value 7", next_s=10.0)


def test_expire_lets_the_next_look_read_at_once() -> None:
    source = Source()
    feed = source.feed()
    feed.latest()

    feed.expire()

    assert feed.latest().value == "value 2"
    assert feed.latest().value == "value 2"


def test_expire_while_a_reading_is_running_reads_again_after_it() -> None:
    """A session that ends while the run is being read must be seen, although that reading is new."""
    source = Source()
    feed = source.feed(at_once=False)
    feed.latest()

    feed.expire()
    assert feed.latest().is_running
    source.waiting.pop()()
    assert feed.latest().value == "value 1"
    source.waiting.pop()()
    assert feed.latest() == Reading("value 2", next_s=10.0)
    assert source.waiting == []


def test_problem_of_a_failed_check_has_its_findings() -> None:
    finding = Finding("local", "is not deployed", "inv deploy --env local")
    source = Source(fails=CheckFailedError("cannot be used", findings=[finding]))

    problem = source.feed().latest().problem

    assert problem is not None
    assert (problem.message, problem.findings) == ("cannot be used", (finding,))


def test_problem_of_a_bug_hides_its_text_and_prints_its_traceback(capsys: Out) -> None:
    problem = Source(fails=KeyError("a-secret-value")).feed().latest().problem

    assert problem is not None
    assert problem.message == ("the desk has a fault (KeyError); its traceback is in the terminal that runs inv desk")
    assert "KeyError: 'a-secret-value'" in capsys.readouterr().err


def test_in_background_does_not_keep_the_process_alive() -> None:
    threads: list[Thread] = []
    started = Event()

    def work() -> None:
        import threading  # noqa: PLC0415

        threads.append(threading.current_thread())
        started.set()

    in_background(work)

    assert started.wait(10)
    assert threads[0].daemon
