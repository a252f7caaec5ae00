from datetime import date

import pytest

from automation.system.errors import UsageError
from desk.backtest.period import NoBarsError, RequestedPeriod, choose_sessions
from desk.backtest.signals import TradingSession
from tests.desk.backtest.worlds import DAILY, candidate, day_of
from tests.the_alchemiser.strategy_v2.cases import asset, market
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError
from the_alchemiser.strategy_v2.history import PriceHistory

AVERAGE = f'(if (> (moving-average-price "AAA" {{:window 3}}) 0) [{asset("AAA")}] [{asset("BBB")}])'
LONGEST = RequestedPeriod()
WHOLE = market(AAA=[10.0] * 8, BBB=[5.0] * 8)


def span(
    *nodes: str, history: PriceHistory = WHOLE, rule: str = DAILY, requested: RequestedPeriod = LONGEST
) -> tuple[date, date]:
    """Return the first and the last session that is chosen."""
    candidates = [candidate(node, name=str(number), rule=rule, inception=None) for number, node in enumerate(nodes)]
    sessions = choose_sessions(candidates, history, requested)
    return sessions[0].day, sessions[-1].day


def test_choose_sessions_covers_first_decided_day_to_last_bar() -> None:
    assert span(AVERAGE) == (day_of(3), day_of(7))


def test_choose_sessions_starts_when_all_strategies_are_decided() -> None:
    assert span(asset("BBB")) == (day_of(1), day_of(7))
    assert span(asset("BBB"), AVERAGE) == (day_of(3), day_of(7))


def test_choose_sessions_ends_with_the_shortest_symbol() -> None:
    history = market(AAA=[10.0] * 8, BBB=[5.0] * 6 + [None, None])

    assert span(f"(weight-equal [{asset('AAA')} {asset('BBB')}])", history=history) == (day_of(1), day_of(5))


def test_choose_sessions_symbol_without_bars_does_not_end_it() -> None:
    assert span(AVERAGE, history=market(AAA=[10.0] * 8)) == (day_of(3), day_of(7))


def test_choose_sessions_as_of_skips_the_weekend() -> None:
    sessions = choose_sessions(
        [candidate(AVERAGE)], WHOLE, RequestedPeriod(start=date(2021, 1, 10), end=date(2021, 1, 12))
    )

    assert sessions == (
        TradingSession(date(2021, 1, 11), date(2021, 1, 8)),
        TradingSession(date(2021, 1, 12), date(2021, 1, 11)),
    )


def test_choose_sessions_threshold_starts_after_first_weights() -> None:
    assert span(AVERAGE, rule=":rebalance-threshold 0.1") == (day_of(3), day_of(7))


def test_choose_sessions_threshold_starts_after_gap() -> None:
    history = market(AAA=[10, 10, 10, 10, None, 10, 10, 10])

    assert span(asset("AAA"), history=history, rule=":rebalance-threshold 0.1") == (day_of(6), day_of(7))


def test_choose_sessions_end_on_first_session_is_left_to_the_engine() -> None:
    sessions = choose_sessions([candidate(AVERAGE)], WHOLE, RequestedPeriod(end=day_of(0)))

    assert sessions == (TradingSession(day_of(0), date(2021, 1, 3)),)


def test_choose_sessions_end_too_early_says_what_is_missing() -> None:
    with pytest.raises(InsufficientHistoryError, match="AAA: 2 bars through 2021-01-05, 3 needed"):
        span(AVERAGE, requested=RequestedPeriod(end=day_of(2)))


def test_choose_sessions_start_on_first_bar_is_left_to_the_engine() -> None:
    sessions = choose_sessions([candidate(AVERAGE)], WHOLE, RequestedPeriod(start=day_of(0)))

    assert sessions[0] == TradingSession(day_of(0), date(2021, 1, 3))


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        (RequestedPeriod(day_of(5), day_of(4)), "--start 2021-01-11 is after --end 2021-01-08"),
        (RequestedPeriod(date(2022, 1, 3)), "is after 2021-01-13, the last session for which every symbol has a bar"),
        (
            RequestedPeriod(end=date(2022, 1, 3)),
            "--end 2022-01-03 is after the last bar, 2021-01-13; give --end 2021-01-13",
        ),
        (RequestedPeriod(date(2021, 1, 9), date(2021, 1, 10)), "the bars cover 2021-01-04 to 2021-01-13"),
    ],
)
def test_choose_sessions_empty_period_says_what_is_available(requested: RequestedPeriod, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        span(AVERAGE, requested=requested)


def test_choose_sessions_never_decided_says_what_is_missing() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"AAA: 2 bars .*, 3 needed"):
        span(AVERAGE, history=market(AAA=[None] * 5 + [10, 10, 10], BBB=[5.0] * 8))


def test_choose_sessions_without_bars_names_symbol_and_need() -> None:
    with pytest.raises(NoBarsError, match="AAA: 0 bars, 3 needed; 1 more symbol has no bars either"):
        span(AVERAGE, history=market(CCC=[]).select([]))


def test_choose_sessions_of_nothing_but_cash_says_that_no_symbol_is_named() -> None:
    with pytest.raises(NoBarsError, match=r"^the strategies name no symbols, so there are no sessions to trade"):
        choose_sessions([candidate("(empty)")], PriceHistory.from_series({}), RequestedPeriod())
