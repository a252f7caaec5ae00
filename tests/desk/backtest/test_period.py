from datetime import date

import pytest

from automation.system.errors import UsageError
from desk.backtest.period import Asked, NoBarsError, choose_turns
from desk.backtest.signals import Turn
from tests.desk.backtest.worlds import DAILY, candidate, day_of
from tests.the_alchemiser.strategy_v2.cases import asset, market
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError
from the_alchemiser.strategy_v2.history import PriceHistory

AVERAGE = f'(if (> (moving-average-price "AAA" {{:window 3}}) 0) [{asset("AAA")}] [{asset("BBB")}])'
LONGEST = Asked()
WHOLE = market(AAA=[10.0] * 8, BBB=[5.0] * 8)


def span(*nodes: str, history: PriceHistory = WHOLE, rule: str = DAILY, asked: Asked = LONGEST) -> tuple[date, date]:
    """The first and the last session."""
    candidates = [candidate(node, name=str(number), rule=rule, inception=None) for number, node in enumerate(nodes)]
    turns = choose_turns(candidates, history, asked)
    return turns[0].day, turns[-1].day


def test_choose_turns_begins_after_the_first_decided_day_and_ends_with_the_bars() -> None:
    assert span(AVERAGE) == (day_of(3), day_of(7))


def test_choose_turns_of_several_begins_when_the_last_of_them_is_decided() -> None:
    assert span(asset("BBB")) == (day_of(1), day_of(7))
    assert span(asset("BBB"), AVERAGE) == (day_of(3), day_of(7))


def test_choose_turns_ends_with_the_symbol_whose_bars_end_first() -> None:
    history = market(AAA=[10.0] * 8, BBB=[5.0] * 6 + [None, None])

    assert span(f"(weight-equal [{asset('AAA')} {asset('BBB')}])", history=history) == (day_of(1), day_of(5))


def test_choose_turns_symbol_without_any_bar_does_not_end_it() -> None:
    assert span(AVERAGE, history=market(AAA=[10.0] * 8)) == (day_of(3), day_of(7))


def test_choose_turns_as_of_is_the_session_before_across_a_weekend() -> None:
    turns = choose_turns([candidate(AVERAGE)], WHOLE, Asked(start=date(2021, 1, 10), end=date(2021, 1, 12)))

    assert turns == (Turn(date(2021, 1, 11), date(2021, 1, 8)), Turn(date(2021, 1, 12), date(2021, 1, 11)))


def test_choose_turns_of_a_band_begins_after_the_first_weights() -> None:
    assert span(AVERAGE, rule=":rebalance-threshold 0.1") == (day_of(3), day_of(7))


def test_choose_turns_of_a_band_with_a_gap_begins_after_it() -> None:
    history = market(AAA=[10, 10, 10, 10, None, 10, 10, 10])

    assert span(asset("AAA"), history=history, rule=":rebalance-threshold 0.1") == (day_of(6), day_of(7))


def test_choose_turns_end_on_the_first_session_is_kept_for_the_engine_to_refuse() -> None:
    turns = choose_turns([candidate(AVERAGE)], WHOLE, Asked(end=day_of(0)))

    assert turns == (Turn(day_of(0), date(2021, 1, 3)),)


def test_choose_turns_end_before_anything_is_decided_says_what_is_missing() -> None:
    with pytest.raises(InsufficientHistoryError, match="AAA: 2 bars through 2021-01-05, 3 needed"):
        span(AVERAGE, asked=Asked(end=day_of(2)))


def test_choose_turns_start_before_the_first_bar_is_kept_for_the_engine_to_refuse() -> None:
    turns = choose_turns([candidate(AVERAGE)], WHOLE, Asked(start=day_of(0)))

    assert turns[0] == Turn(day_of(0), date(2021, 1, 3))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Asked(day_of(5), day_of(4)), "--start 2021-01-11 is after --end 2021-01-08"),
        (Asked(date(2022, 1, 3)), "is after the last session of which every symbol has a bar, 2021-01-13"),
        (Asked(end=date(2022, 1, 3)), "--end 2022-01-03 is after the last bar, of 2021-01-13; give --end 2021-01-13"),
        (Asked(date(2021, 1, 9), date(2021, 1, 10)), "the bars are of 2021-01-04 to 2021-01-13"),
    ],
)
def test_choose_turns_of_no_session_says_what_there_is(asked: Asked, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        span(AVERAGE, asked=asked)


def test_choose_turns_never_decided_says_what_is_missing() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"AAA: 2 bars .*, 3 needed"):
        span(AVERAGE, history=market(AAA=[None] * 5 + [10, 10, 10], BBB=[5.0] * 8))


def test_choose_turns_without_any_bar_names_a_symbol_and_what_it_needs() -> None:
    with pytest.raises(NoBarsError, match="AAA: 0 bars, 3 needed; nor is there any of 1 others"):
        span(AVERAGE, history=market(CCC=[]).select([]))
