"""The judge believes the invariants and its own eyes, and calls every command that says something else a liar."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.disturbing import Command, TradedDay
from tests.chaos.drawing import Trial
from tests.chaos.judging import NOT_APPLIED, TRUTH, judge
from tests.simulation.end_state import EndState
from tests.simulation.healthy import DAY, history, run, trade_item
from tests.simulation.invariants import INVARIANTS
from the_alchemiser.shared.run.runs import RunItem, RunState

FINDING = '[{"findings": [{"where": "execution_v2", "what": "has failed", "fix": "fix it"}]}]'
FINE = Command(0, "[]", "trading 2022-06-15\n")
FAILED = Command(3, FINDING, "")
LOCKED = Command(4, "", "error: day.lock: another command is trading a day")
CRASHED = Command(5, "", "error: paper exchange: does not answer")
TRIAL = Trial(1, DAY)


def lies(
    *, first: Command = FINE, end: EndState | None = None, trial: Trial = TRIAL, **traded: Command | None
) -> list[str]:
    """Return what the judge says about the truth of the commands of a healthy day."""
    verdict = judge(trial, TradedDay(first, **traded), end or history())  # type: ignore[arg-type] # optional commands
    return [violation.sentence for violation in verdict.violations if violation.invariant == TRUTH]


def test_healthy_day_with_exit_0_has_no_violation() -> None:
    verdict = judge(TRIAL, TradedDay(FINE), history())

    assert (verdict.state, verdict.violations) == ("COMPLETED", ())


def test_broken_invariant_is_a_violation_and_makes_exit_0_a_lie() -> None:
    end = history(ledger=())

    verdict = judge(TRIAL, TradedDay(FINE), end)

    names = [violation.invariant for violation in verdict.violations]
    assert {"every_fill_in_the_ledger", "broker_is_ledger", TRUTH} <= set(names)
    assert "exit 0, but every_fill_in_the_ledger: " in verdict.violations[-1].sentence


def test_broken_invariant_with_exit_3_is_the_truth() -> None:
    assert lies(first=FAILED, end=history(ledger=())) == []


def test_open_run_is_a_violation_unless_it_waits_for_a_dead_letter() -> None:
    waiting = {run().run_id: run().changed(state=RunState.BUYING)}

    names = [
        {violation.invariant for violation in judge(TRIAL, TradedDay(FAILED), history(runs=waiting, **more)).violations}
        for more in ({}, {"dead_letters": {"TradeDlq": ('{"command": "sweep"}',)}})
    ]

    assert ["one_terminal_state" in violated for violated in names] == [True, False]


def test_finding_on_a_healthy_day_is_a_lie() -> None:
    assert lies(first=FAILED) == ["exit 3, but run and books are right: execution_v2: has failed"]


def test_failed_trade_dead_letter_and_failed_run_make_exit_0_a_lie() -> None:
    item = next(iter(run().items_of("TRADE")))
    failed_item = trade_item(item, run().items_of("TRADE")[item].body["message"]["fills"][0]["order_id"], "10")
    body: Any = {"message": {**failed_item.body["message"], "reason": "not_filled"}}
    failed_trade = run().changed(items={**run().items, f"TRADE#{item}": RunItem(f"TRADE#{item}", body)})

    for changes, said in (
        ({"runs": {run().run_id: failed_trade}}, f"{item} failed: not_filled"),
        ({"dead_letters": {"TradeDlq": ('{"command": "sweep"}',)}}, "1 in TradeDlq"),
        ({"runs": {run().run_id: run().changed(state=RunState.FAILED)}}, f"{run().run_id} is FAILED"),
        ({"runs": {}, "trade_messages": (), "published": ()}, "there was no run"),
    ):
        (sentence, *_) = lies(end=history(**changes))
        assert sentence.startswith("exit 0, but ")
        assert said in sentence


def test_failure_without_a_word_is_a_lie() -> None:
    assert lies(first=Command(3, "[]", " \n"), end=history(ledger=())) == ["exit 3 without a word"]


def test_traceback_is_a_lie() -> None:
    said = 'Traceback (most recent call last):\n  File "x"\nKeyError: 1'

    assert lies(first=Command(0, "[]", said)) == [
        'a traceback: Traceback (most recent call last): File "x" KeyError: 1'
    ]


@pytest.mark.parametrize("second", [LOCKED, FINE])
def test_second_command_may_be_locked_out_or_find_the_day_traded(second: Command) -> None:
    assert lies(second=second) == []


def test_second_command_that_ends_otherwise_is_a_lie() -> None:
    assert lies(second=FAILED) == ["the second command ended with 3: execution_v2: has failed"]
    assert lies(second=Command(4, "", "error: no")) == [
        "the second command does not say that a day is being traded: error: no"
    ]


def test_unreachable_server_is_a_lie_unless_it_was_restarted() -> None:
    restarted = replace(TRIAL, restart_at=1)

    assert lies(first=CRASHED, resumed=FINE, trial=restarted) == []
    assert lies(first=CRASHED, resumed=FINE) == ["exit 5, but both servers ran: error: paper exchange: does not answer"]


def test_resumed_command_has_the_last_word() -> None:
    restarted = replace(TRIAL, restart_at=1)

    assert lies(first=CRASHED, resumed=FAILED, trial=restarted) == [
        "exit 3, but run and books are right: execution_v2: has failed"
    ]


def test_invariants_that_are_not_applied_exist_and_have_a_reason() -> None:
    assert NOT_APPLIED.keys() <= INVARIANTS.keys()
    assert all(NOT_APPLIED.values())
    assert len(INVARIANTS) - len(NOT_APPLIED) >= 25
