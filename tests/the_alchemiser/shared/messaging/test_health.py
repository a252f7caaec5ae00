"""The answer to the health message: which checks failed, what is not set up yet, and what did not answer."""

from collections.abc import Callable, Iterator
from threading import Event
from typing import Any, ClassVar

import pytest

from tests.the_alchemiser.fakes import InMemoryClaims, InMemoryPublisher
from the_alchemiser.shared.errors import SetupIncompleteError
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.messaging.health import LIMIT_S, check_health
from the_alchemiser.shared.messaging.messages import StrategyFailed
from the_alchemiser.shared.messaging.wiring import Check, Inbox, Reaction


class NoSecretError(SetupIncompleteError):
    """There is no secret."""

    missing: ClassVar[str] = "a secret"


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class BrokenClaims(InMemoryClaims):
    """A table that cannot be read."""

    def check(self) -> None:
        raise ConnectionError("no table")


def passes() -> None:
    """A check that passes."""


def raises(error: Exception) -> Check:
    def check() -> None:
        raise error

    return check


def inbox(*, consumes: Any = StrategyFailed, claims: InMemoryClaims | None = None, **checks: Check) -> Inbox:
    def handle(_: Any) -> Reaction:
        raise AssertionError("a health message is not handled")

    return Inbox("a_module", {consumes: handle}, InMemoryPublisher(), claims or InMemoryClaims(), checks=checks)


@pytest.fixture
def hangs() -> Iterator[Callable[[], object]]:
    """Return a check that does not end before the test does."""
    is_over = Event()
    yield lambda: is_over.wait(60)
    is_over.set()


def test_check_health_without_faults_is_healthy() -> None:
    assert check_health(inbox(bus=passes)) == {
        "module": "a_module",
        "healthy": True,
        "consumes": ["StrategyFailed"],
        "checks": {"settings": "ok", "claims table": "ok", "bus": "ok"},
        "incomplete": [],
    }


def test_check_health_of_a_fault_names_it_and_runs_the_rest() -> None:
    answer = check_health(inbox(bus=raises(RuntimeError("no bus")), clock=passes))

    assert not answer["healthy"]
    assert (answer["checks"]["bus"], answer["checks"]["clock"]) == ("RuntimeError: no bus", "ok")
    assert answer["incomplete"] == []


def test_check_health_of_an_incomplete_set_up_is_healthy() -> None:
    missing = raises(NoSecretError("secret x"))

    answer = check_health(inbox(secret=missing, clock=missing))

    assert answer["healthy"]
    assert (answer["checks"]["secret"], answer["checks"]["clock"]) == ("missing: secret x", "missing: secret x")
    assert answer["incomplete"] == ["a secret"]


def test_check_health_of_a_fault_in_an_incomplete_set_up_is_not_healthy() -> None:
    answer = check_health(inbox(secret=raises(NoSecretError("secret x")), bus=raises(RuntimeError("no bus"))))

    assert (answer["healthy"], answer["incomplete"]) == (False, ["a secret"])


def test_check_health_cuts_long_texts() -> None:
    answer = check_health(inbox(bus=raises(RuntimeError("x" * 700)), secret=raises(NoSecretError("x" * 700))))

    assert answer["checks"]["bus"] == "RuntimeError: " + "x" * 586
    assert answer["checks"]["secret"] == "missing: " + "x" * 591


def test_check_health_reads_the_claims_of_a_module_with_messages() -> None:
    answer = check_health(inbox(claims=BrokenClaims()))

    assert (answer["healthy"], answer["checks"]["claims table"]) == (False, "ConnectionError: no table")


def test_check_health_of_a_module_with_commands_reads_no_claims() -> None:
    answer = check_health(inbox(consumes=StartRun, claims=BrokenClaims()))

    assert answer["checks"] == {"settings": "ok"}


def test_check_health_of_a_silent_service_names_it_and_stops(hangs: Check) -> None:
    answer = check_health(inbox(clock=hangs, bus=passes), limit_s=0.2)

    assert not answer["healthy"]
    assert answer["checks"] == {
        "settings": "ok",
        "claims table": "ok",
        "clock": "no answer within 0.2 s",
        "bus": "not checked",
    }


def test_check_health_has_one_limit_for_all_checks(hangs: Check) -> None:
    clock = Clock()

    def take_long() -> None:
        clock.seconds += LIMIT_S

    answer = check_health(inbox(slow=take_long, clock=hangs), clock=clock)

    assert (answer["checks"]["slow"], answer["checks"]["clock"]) == ("ok", "no answer within 10 s")
