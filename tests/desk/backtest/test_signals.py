from datetime import date, timedelta
from decimal import Decimal

import pytest

from desk.backtest.signals import Candidate, Signal, Turn, signals
from tests.desk.backtest.worlds import ALTERNATING, candidate, day_of, turns
from tests.the_alchemiser.strategy_v2.cases import START, asset, market
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, NotStartedError
from the_alchemiser.strategy_v2.history import PriceHistory

HISTORY = market(AAA=[11, 11, 9, 9, 12], BBB=[5, 5, 5, 5, 5])


def asked(*candidates: Candidate, history: PriceHistory = HISTORY) -> tuple[Signal, ...]:
    return tuple(signals(candidates, history, turns(history), decided=lambda _: None))


def test_signals_each_day_is_decided_on_the_close_before_it() -> None:
    told = asked(candidate(ALTERNATING))

    assert [list(one.merged.weights) for one in told] == [["AAA"], ["AAA"], ["BBB"], ["BBB"]]


def test_signals_are_merged_by_allocation_with_contributions() -> None:
    halves = f"(weight-equal [{asset('AAA')} {asset('BBB')}])"

    first, *_ = asked(candidate(ALTERNATING, allocation="0.7"), candidate(halves, name="two", allocation="0.3"))

    assert first.merged.weights == {"AAA": Decimal("0.85"), "BBB": Decimal("0.15")}
    assert first.merged.contributions["two"] == {"AAA": Decimal("0.15"), "BBB": Decimal("0.15")}
    assert first.merged.closes == {"AAA": Decimal(11), "BBB": Decimal(5)}
    assert first.answers["one"] == {"AAA": Decimal(1)}


def test_signals_of_a_file_with_a_band_begin_with_the_backtest() -> None:
    halves = f"(weight-equal [{asset('AAA')} {asset('BBB')}])"

    first, *_ = asked(candidate(halves, rule=":rebalance-threshold 0.5", inception=None))

    assert first.merged.weights == {"AAA": Decimal("0.5"), "BBB": Decimal("0.5")}


def test_signals_before_the_inception_of_a_band_are_refused() -> None:
    with pytest.raises(NotStartedError):
        asked(candidate(asset("AAA"), rule=":rebalance-threshold 0.5", inception=day_of(3)))


def test_signals_before_the_first_bar_name_the_symbol() -> None:
    before = START - timedelta(days=1)

    with pytest.raises(InsufficientHistoryError, match="AAA: 0 bars through 2021-01-03, 1 needed"):
        list(signals([candidate(ALTERNATING)], HISTORY, [Turn(START, before)], decided=lambda _: None))


def test_signals_tell_of_each_strategy_that_is_decided() -> None:
    told: list[str] = []

    list(signals([candidate(ALTERNATING)], HISTORY, turns(HISTORY), decided=told.append))

    assert told == ["one"]


def test_signals_with_a_later_bar_changed_are_the_same_before_it() -> None:
    changed = market(AAA=[11, 11, 9, 9, 1], BBB=[5, 5, 5, 5, 50])

    assert asked(candidate(ALTERNATING)) == asked(candidate(ALTERNATING), history=changed)


def test_turn_holds_the_day_and_the_one_before() -> None:
    assert turns(HISTORY)[0] == Turn(date(2021, 1, 5), START)
