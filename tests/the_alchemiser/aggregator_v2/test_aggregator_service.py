"""One signal per run, whatever the order, the duplicates and the number of workers."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.aggregator_v2.service import Aggregator
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Message,
    RunFailed,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
)
from the_alchemiser.shared.run.runs import SIGNAL, Move, Run, RunState

THREE = {"a": Decimal("0.2"), "b": Decimal("0.3"), "c": Decimal("0.5")}
ANSWERS = (
    make.evaluated("a", {"SPY": "1"}),
    make.evaluated("b", {"SPY": "0.333333333", "TLT": "0.666666667"}),
    make.evaluated("c", {"GLD": "1"}),
)

Answer = StrategyEvaluated | StrategyFailed


class RacingStore(InMemoryRunStore):
    """Lets another worker act just before this one's first move."""

    def __init__(self, store: InMemoryRunStore, before_move: Callable[[], object]) -> None:
        super().__init__()
        self.runs = store.runs
        self._before_move: Callable[[], object] | None = before_move

    def move(self, run_id: str, move: Move) -> bool:
        before_move, self._before_move = self._before_move, None
        if before_move is not None:
            before_move()
        return super().move(run_id, move)


def deliver(store: InMemoryRunStore, answers: Sequence[Answer], *, at: datetime = make.WALL) -> list[Message]:
    """Handle each answer completely; return what is published."""
    published: list[Message] = []
    aggregator = Aggregator(store, lambda: at)
    for answer in answers:
        reaction = aggregator.handle(answer)
        published.extend(reaction.messages)
        reaction.on_published()
    return published


def facts(run: Run) -> tuple[object, ...]:
    """Return everything about a run except the order in which its items arrived."""
    return (run.state, run.sent, run.outbox, run.payloads, dict(sorted(run.items.items())))


@given(st.permutations(ANSWERS), st.lists(st.sampled_from(ANSWERS), max_size=4), st.data())
def test_handle_in_any_order_with_duplicates_gives_the_same_run(
    order: list[Answer], duplicates: list[Answer], data: st.DataObject
) -> None:
    deliveries = list(order)
    for duplicate in duplicates:
        deliveries.insert(data.draw(st.integers(0, len(deliveries))), duplicate)
    store, straight = make.evaluating(allocations=THREE), make.evaluating(allocations=THREE)

    published = deliver(store, deliveries)

    assert published == deliver(straight, ANSWERS)
    assert facts(make.loaded(store)) == facts(make.loaded(straight))


def test_handle_last_answer_stores_and_publishes_the_signal() -> None:
    store = make.evaluating(allocations=THREE)

    [signal] = deliver(store, ANSWERS)

    run = make.loaded(store)
    assert isinstance(signal, SignalGenerated)
    assert signal.weights == {
        "GLD": Decimal("0.5"),
        "SPY": Decimal("0.2999999999"),
        "TLT": Decimal("0.2000000001"),
    }
    assert outbox.decode(run.items[SIGNAL].body) == signal
    assert (run.state, run.sent) == (RunState.AGGREGATED, True)


def test_handle_again_after_a_publish_failure_publishes_again() -> None:
    store = make.evaluating(allocations=THREE)
    deliver(store, ANSWERS[:2])
    aggregator = Aggregator(store, make.wall_clock)

    lost = aggregator.handle(ANSWERS[2])
    again = aggregator.handle(ANSWERS[2])

    assert again.messages == lost.messages
    assert len(again.messages) == 1


def test_handle_by_two_workers_that_conclude_publishes_once() -> None:
    store = make.evaluating(allocations=THREE)
    deliver(store, ANSWERS[:2])
    first: list[Message] = []
    racing = RacingStore(store, lambda: first.extend(deliver(store, ANSWERS[1:2])))

    second = deliver(racing, ANSWERS[2:], at=make.WALL + timedelta(seconds=1))

    assert [*first, *second] == [make.loaded(store).outbox[0]]
    assert len(make.loaded(store).timeline) == 2


def test_handle_failed_strategy_fails_the_run_at_once() -> None:
    store = make.evaluating(allocations=THREE)

    [run_failed] = deliver(store, [make.strategy_failed("b")])

    assert isinstance(run_failed, RunFailed)
    assert (run_failed.state, run_failed.reason, run_failed.missing) == ("EVALUATING", "strategy_failed", ("b",))
    assert make.loaded(store).state is RunState.FAILED


def test_handle_answers_after_failure_only_records_them() -> None:
    store = make.evaluating(allocations=THREE)
    deliver(store, [make.strategy_failed("b")])

    published = deliver(store, [ANSWERS[0], ANSWERS[2]])

    run = make.loaded(store)
    assert published == []
    assert set(run.items_of("STRATEGY")) == {"a", "b", "c"}
    assert SIGNAL not in run.items


def test_handle_second_answer_of_a_strategy_keeps_the_first() -> None:
    store = make.evaluating(allocations=THREE)

    published = deliver(store, [ANSWERS[0], make.strategy_failed("a"), *ANSWERS[1:]])

    assert [type(message) for message in published] == [SignalGenerated]


def test_handle_answer_of_a_run_that_moved_on_publishes_nothing() -> None:
    store = make.evaluating(allocations=THREE)
    deliver(store, ANSWERS)
    make.move_to(store, RunState.PLANNED, outbox=(make.strategy_failed("x"),))

    assert deliver(store, ANSWERS) == []


def test_handle_answer_of_an_unknown_run_returns_to_its_queue() -> None:
    with pytest.raises(StateUnavailableError, match="local-2022-03-16"):
        deliver(InMemoryRunStore(), ANSWERS[:1])


def test_on_published_after_the_run_moved_on_marks_nothing() -> None:
    store = make.evaluating(allocations=THREE)
    deliver(store, ANSWERS[:2])
    reaction = Aggregator(store, make.wall_clock).handle(ANSWERS[2])
    make.move_to(store, RunState.PLANNED, outbox=(make.strategy_failed("x"),))

    reaction.on_published()

    assert not make.loaded(store).sent
