"""Outgoing calls on virtual time: what each kind of fault does to the caller and to the service."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.simulation.calls import Port, call
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.latencies import SECOND
from tests.simulation.scenario import FaultKind, FaultPlan
from tests.simulation.world import Container, EndlessError, Invocation, World

START = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)
LIMIT = 5 * SECOND
TIMEOUT = 30 * SECOND
VISIBILITY = 40 * SECOND


class WireError(Exception):
    """What the client raises; its text is the kind of the fault."""


@dataclass
class Caller:
    """One invocation in a world in which every first call of a function has one kind of fault."""

    kind: FaultKind | None = None
    seed: int = 1
    attempts: int = 1
    is_partial: bool = False
    effects: list[datetime] = field(default_factory=list)
    ends: list[tuple[object, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = FaultPlan({} if self.kind is None else {self.kind: 1.0}, budget=1)
        self.world = World(START, FaultDraws(self.seed, plan), {})
        self.port = Port("broker", self.attempts, LIMIT, lambda _, kind: WireError(kind.value), self.is_partial)

    def effect(self) -> str:
        self.effects.append(self.world.at)
        return "partly done" if self.world.is_partial else "done"

    def call(self) -> str:
        return call(self.world, self.port, "post", self.effect)

    def run(self, work: Callable[[], object] | None = None) -> tuple[object, str]:
        """Let the invocation happen; return its answer and its result."""
        invocation = Invocation(
            "execution_v2",
            "a.1",
            Container("execution_v2"),
            self.world.now + TIMEOUT,
            VISIBILITY,
            lambda _, answer, result: self.ends.append((answer, result)),
        )
        self.world.start(invocation, work or self.call)
        self.world.run(self.world.now + 200 * SECOND)
        self.world.close()
        assert len(self.ends) == 1
        return self.ends[0]

    @property
    def elapsed(self) -> timedelta:
        """Return how long the invocation took, by the trace."""
        return self.world.lines()[-1].at - START


def test_call_without_fault_takes_effect_on_the_way_and_returns_the_answer() -> None:
    caller = Caller()

    answer = caller.run()

    assert answer == ("done", "ok")
    (at,) = caller.effects
    assert START < at < START + caller.elapsed


@pytest.mark.parametrize(
    ("kind", "effects"),
    [
        (FaultKind.FAIL_BEFORE, 0),
        (FaultKind.FAIL_AFTER, 1),
        (FaultKind.TIMEOUT_BEFORE, 0),
        (FaultKind.TIMEOUT_AFTER, 1),
        (FaultKind.THROTTLE, 0),
    ],
)
def test_call_with_fault_raises_the_clients_error(kind: FaultKind, effects: int) -> None:
    caller = Caller(kind)

    error, result = caller.run()

    assert (str(error), result, len(caller.effects)) == (kind.value, "failed", effects)
    is_timeout = kind in {FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER}
    assert (caller.elapsed >= timedelta(microseconds=LIMIT)) == is_timeout


@pytest.mark.parametrize(("kind", "effects"), [(FaultKind.KILL_BEFORE, 0), (FaultKind.KILL_AFTER, 1)])
def test_call_that_kills_ends_the_invocation_without_an_answer(kind: FaultKind, effects: int) -> None:
    caller = Caller(kind)

    assert caller.run() == (None, "killed")

    assert len(caller.effects) == effects
    assert [kill.call for kill in caller.world.kills] == ["broker.post"]


def test_killed_invocation_does_nothing_while_it_is_unwound() -> None:
    caller = Caller(FaultKind.KILL_BEFORE)
    ends: list[str] = []

    def work() -> None:
        try:
            caller.call()
        finally:
            ends.append("unwound")
            caller.call()

    assert caller.run(work) == (None, "killed")

    assert (ends, caller.effects) == (["unwound"], [])


@pytest.mark.parametrize("attempts", [2, 3])
def test_call_of_a_repeating_client_is_absorbed_or_fails_every_time(attempts: int) -> None:
    absorbed, lasting = set[int](), set[int]()

    for seed in range(20):
        caller = Caller(FaultKind.FAIL_AFTER, seed=seed, attempts=attempts)
        _, result = caller.run()
        (absorbed if result == "ok" else lasting).add(len(caller.effects))

    assert (absorbed, lasting) == ({2}, {attempts})


def test_throttle_of_a_partial_service_is_an_answer() -> None:
    assert Caller(FaultKind.THROTTLE, is_partial=True).run() == ("partly done", "ok")


def test_stall_ends_at_the_deadline_or_before_it() -> None:
    results = set[str]()

    for seed in range(30):
        caller = Caller(FaultKind.STALL, seed=seed)
        _, result = caller.run()
        results.add(f"{result}, {len(caller.effects)} effects")
        assert caller.elapsed <= timedelta(microseconds=TIMEOUT)

    assert results == {"ok, 1 effects", "timed out, 0 effects", "timed out, 1 effects"}


def test_request_on_its_way_takes_effect_after_the_deadline() -> None:
    caller = Caller()

    def work() -> object:
        caller.world.wait(TIMEOUT - 1)
        return caller.call()

    assert caller.run(work) == (None, "timed out")

    (at,) = caller.effects
    assert at > START + timedelta(microseconds=TIMEOUT)


def test_refused_request_is_an_answer_that_takes_its_way_back() -> None:
    caller = Caller()

    def refuse() -> str:
        raise LookupError("unknown")

    error, result = caller.run(lambda: call(caller.world, caller.port, "get", refuse))

    assert (repr(error), result) == ("LookupError('unknown')", "failed")
    assert [line.result for line in caller.world.lines()] == ["LookupError"]


def test_call_outside_of_an_invocation_takes_effect_at_once() -> None:
    caller = Caller(FaultKind.KILL_BEFORE)

    assert caller.call() == "done"

    assert caller.world.at == START


def test_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    traces = []
    for seed in (3, 3, 4):
        caller = Caller(seed=seed)
        caller.run()
        traces.append(caller.world.lines())

    assert traces[0] == traces[1] != traces[2]


def test_sleep_advances_virtual_time_by_at_least_a_microsecond() -> None:
    caller = Caller()
    times: list[float] = []

    def work() -> None:
        for seconds in (1e-9, 2.5):
            before = caller.world.monotonic()
            caller.world.sleep(seconds)
            times.append(round(caller.world.monotonic() - before, 6))

    caller.run(work)

    assert times == [1e-6, 2.5]


def test_history_without_an_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(START, FaultDraws(1, FaultPlan()), {})
    monkeypatch.setattr("tests.simulation.world.MOST_EVENTS", 5)

    def again() -> None:
        world.schedule(world.now, again)

    again()

    with pytest.raises(EndlessError, match="5 events"):
        world.run(world.now + 1)
