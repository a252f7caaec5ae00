from datetime import date, timedelta
from decimal import Decimal

import pytest

from desk.backtest.signals import Candidate, Signal, TradingSession, generate_signals
from tests.desk.backtest.worlds import ALTERNATING, candidate, day_of, sessions_of
from tests.the_alchemiser.strategy_v2.cases import START, asset, market
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, NotStartedError
from the_alchemiser.strategy_v2.history import PriceHistory

HISTORY = market(AAA=[11, 11, 9, 9, 12], BBB=[5, 5, 5, 5, 5])


def signals_of(*candidates: Candidate, history: PriceHistory = HISTORY) -> tuple[Signal, ...]:
    return tuple(generate_signals(candidates, history, sessions_of(history), on_decided=lambda _: None))


def test_generate_signals_uses_close_before_each_session() -> None:
    signals = signals_of(candidate(ALTERNATING))

    assert [list(signal.merged.weights) for signal in signals] == [["AAA"], ["AAA"], ["BBB"], ["BBB"]]


def test_generate_signals_merges_by_allocation() -> None:
    halves = f"(weight-equal [{asset('AAA')} {asset('BBB')}])"

    first, *_ = signals_of(candidate(ALTERNATING, allocation="0.7"), candidate(halves, name="two", allocation="0.3"))

    assert first.merged.weights == {"AAA": Decimal("0.85"), "BBB": Decimal("0.15")}
    assert first.merged.contributions["two"] == {"AAA": Decimal("0.15"), "BBB": Decimal("0.15")}
    assert first.merged.closes == {"AAA": Decimal(11), "BBB": Decimal(5)}
    assert first.strategy_weights["one"] == {"AAA": Decimal(1)}


def test_generate_signals_keep_what_the_strategies_leave_in_cash() -> None:
    half = f"(weight-equal [{asset('AAA')} (empty)])"

    first, *_ = signals_of(candidate(half, allocation="0.7"), candidate(asset("BBB"), name="two", allocation="0.3"))

    assert first.merged.weights == {"AAA": Decimal("0.35"), "BBB": Decimal("0.3")}
    assert first.merged.cash == Decimal("0.35")


def test_generate_signals_threshold_of_file_starts_with_backtest() -> None:
    halves = f"(weight-equal [{asset('AAA')} {asset('BBB')}])"

    first, *_ = signals_of(candidate(halves, rule=":rebalance-threshold 0.5", inception=None))

    assert first.merged.weights == {"AAA": Decimal("0.5"), "BBB": Decimal("0.5")}


def test_generate_signals_before_threshold_inception_raises() -> None:
    with pytest.raises(NotStartedError):
        signals_of(candidate(asset("AAA"), rule=":rebalance-threshold 0.5", inception=day_of(3)))


def test_generate_signals_before_first_bar_names_symbol() -> None:
    before = START - timedelta(days=1)

    with pytest.raises(InsufficientHistoryError, match="AAA: 0 bars through 2021-01-03, 1 needed"):
        list(
            generate_signals(
                [candidate(ALTERNATING)], HISTORY, [TradingSession(START, before)], on_decided=lambda _: None
            )
        )


def test_generate_signals_calls_on_decided_per_strategy() -> None:
    decided: list[str] = []

    list(generate_signals([candidate(ALTERNATING)], HISTORY, sessions_of(HISTORY), on_decided=decided.append))

    assert decided == ["one"]


def test_generate_signals_later_bar_does_not_change_earlier_ones() -> None:
    changed = market(AAA=[11, 11, 9, 9, 1], BBB=[5, 5, 5, 5, 50])

    assert signals_of(candidate(ALTERNATING)) == signals_of(candidate(ALTERNATING), history=changed)


def test_trading_sessions_pair_each_day_with_the_one_before() -> None:
    assert sessions_of(HISTORY)[0] == TradingSession(date(2021, 1, 5), START)
