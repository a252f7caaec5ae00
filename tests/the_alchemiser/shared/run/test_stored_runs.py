"""Loading a stored run, and publishing its outbox once."""

import pytest

from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.run.stored_runs import load_run, outbox_reaction


def test_load_run_of_an_unknown_run_raises_retryable() -> None:
    with pytest.raises(StateUnavailableError, match="no run another") as caught:
        load_run(make.evaluating(), "another")

    assert caught.value.retryable


def test_outbox_reaction_publishes_then_marks_as_sent() -> None:
    store = make.evaluating(outbox=(make.signal(),))

    reaction = outbox_reaction(store, load_run(store, make.RUN_ID))
    sent_before = make.loaded(store).sent
    reaction.on_published()

    assert reaction.messages == (make.signal(),)
    assert not sent_before
    assert make.loaded(store).sent


def test_outbox_reaction_of_a_sent_outbox_is_empty() -> None:
    store = make.evaluating()

    assert outbox_reaction(store, load_run(store, make.RUN_ID)).messages == ()


def test_outbox_reaction_after_the_run_moved_on_marks_nothing() -> None:
    store = make.evaluating(outbox=(make.signal(),))
    reaction = outbox_reaction(store, load_run(store, make.RUN_ID))
    make.move_to(store, RunState.AGGREGATED, outbox=(make.strategy_failed("calm"),))

    reaction.on_published()

    assert not make.loaded(store).sent
