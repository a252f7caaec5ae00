"""The comparison with the second source: which differences are disputes, of which kind, and which doubts it settles."""

from datetime import date
from decimal import Decimal

import pytest

from tests.the_alchemiser.data_quality_monitor.source_fake import second_bars
from tests.the_alchemiser.shared.market_data.samples import bars, sessions
from the_alchemiser.data_quality_monitor.comparing import (
    Comparison,
    SecondBar,
    compare,
    explain_shift,
    named_split,
    percent,
)
from the_alchemiser.data_quality_monitor.doubts import Doubt, DoubtKind, find_doubts
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind
from the_alchemiser.shared.market_data.bars import Bars, DailyBar

DAYS = sessions(60)
HISTORY = bars(30, start_price=1000.0)


def times(history: Bars, factor: float, *, before: int | None = None, at: int | None = None) -> Bars:
    """Return the history with its adjusted closes before a position, or at it, multiplied."""
    return tuple(
        bar._replace(adjusted=bar.adjusted * factor)
        if (before is not None and number < before) or number == at
        else bar
        for number, bar in enumerate(history)
    )


def disputes(lake: Bars, second: Bars = HISTORY, *ex_dates: date) -> list[tuple[str, date]]:
    actions = [CorporateAction("SPY", day, CorporateActionKind.DIVIDEND, cash=Decimal(1)) for day in ex_dates]
    found = compare(lake, second_bars(second), find_doubts(lake), actions).disputes
    return [(dispute.code, dispute.date) for dispute in found]


def test_compare_equal_sources_has_no_dispute() -> None:
    assert compare(HISTORY, second_bars(HISTORY), ()) == Comparison((), ())


def test_compare_ignores_another_level_of_all_prices() -> None:
    assert disputes(times(HISTORY, 0.25, before=30)) == []


def test_compare_ignores_sessions_that_one_source_lacks() -> None:
    assert disputes(HISTORY[:10] + HISTORY[12:], HISTORY[5:20]) == []


@pytest.mark.parametrize(("factor", "is_dispute"), [(1.019, False), (1.022, True), (0.981, False), (0.978, True)])
def test_compare_single_close_may_differ_by_two_percent(factor: float, *, is_dispute: bool) -> None:
    assert disputes(times(HISTORY, factor, at=15)) == ([("disagreement", DAYS[15])] if is_dispute else [])


def test_compare_last_close_that_differs_is_a_disagreement() -> None:
    assert disputes(times(HISTORY, 1.05, at=29)) == [("disagreement", DAYS[29])]


def test_compare_large_spike_is_disputed_on_both_of_its_moves() -> None:
    assert disputes(times(HISTORY, 1.3, at=15)) == [("disagreement", DAYS[15]), ("disagreement", DAYS[16])]


@pytest.mark.parametrize(("factor", "is_dispute"), [(1.0035, False), (1.005, True), (0.9965, False), (0.995, True)])
def test_compare_change_of_level_is_unadjusted(factor: float, *, is_dispute: bool) -> None:
    assert disputes(times(HISTORY, factor, before=15)) == ([("unadjusted", DAYS[15])] if is_dispute else [])


@pytest.mark.parametrize(("before", "is_dispute"), [(2, False), (3, True), (27, True), (28, False)])
def test_compare_level_needs_three_sessions_on_each_side(before: int, *, is_dispute: bool) -> None:
    assert disputes(times(HISTORY, 1.01, before=before)) == ([("unadjusted", DAYS[before])] if is_dispute else [])


def test_compare_change_of_level_on_an_ex_date_needs_no_further_session() -> None:
    lake = times(HISTORY, 1.01, before=29)

    assert disputes(lake) == []
    assert disputes(lake, HISTORY, DAYS[29]) == [("unadjusted", DAYS[29])]


def test_compare_split_at_the_end_is_unadjusted() -> None:
    assert disputes(times(HISTORY, 10.0, before=29)) == [("unadjusted", DAYS[29])]


def test_compare_low_prices_may_be_rounded_to_cents() -> None:
    cheap = tuple(bar._replace(adjusted=0.5 + number / 100) for number, bar in enumerate(bars(30)))
    rounded = tuple(bar._replace(adjusted=bar.adjusted + 0.004 * (-1) ** number) for number, bar in enumerate(cheap))

    assert disputes(rounded, cheap) == []


def test_compare_names_both_moves_and_the_split() -> None:
    (dispute,) = compare(times(HISTORY, 10.0, before=15), second_bars(HISTORY), ()).disputes

    assert dispute.detail == (
        f"{DAYS[15]}: the bars move by -89.99 %, the second source by +0.10 %; "
        "one of them is not adjusted for a split of 10:1"
    )
    assert dispute.move == pytest.approx(-0.8999, abs=1e-4)


def test_compare_split_that_only_the_second_source_lacks_is_disputed_too() -> None:
    assert disputes(HISTORY, times(HISTORY, 4.0, before=15)) == [("unadjusted", DAYS[15])]


def confirmed(lake: Bars, second: dict[date, SecondBar]) -> list[tuple[DoubtKind, date]]:
    return [(doubt.kind, doubt.date) for doubt in compare(lake, second, find_doubts(lake)).confirmed]


def test_compare_confirms_a_move_that_both_have() -> None:
    crash = times(HISTORY, 1.5, before=15)

    assert confirmed(crash, second_bars(crash)) == [(DoubtKind.MOVE, DAYS[15])]


@pytest.mark.parametrize(("factor", "is_confirmed"), [(1.019, True), (1.023, False)])
def test_compare_confirms_a_move_up_to_two_percent(factor: float, *, is_confirmed: bool) -> None:
    crash = times(HISTORY, 1.5, before=29)

    assert bool(confirmed(crash, second_bars(times(crash, factor, at=29)))) == is_confirmed


@pytest.mark.parametrize("lacking", [14, 15])
def test_compare_says_nothing_of_a_move_whose_sessions_are_missing(lacking: int) -> None:
    crash = times(HISTORY, 1.5, before=15)
    second = second_bars(crash)
    del second[DAYS[lacking]]

    assert compare(crash, second, find_doubts(crash)) == Comparison((), ())


def flat(start: int, end: int) -> Bars:
    return tuple(
        bar._replace(adjusted=HISTORY[start].adjusted) if start < number < end else bar
        for number, bar in enumerate(HISTORY)
    )


def test_compare_confirms_a_flat_series_that_both_have() -> None:
    assert confirmed(flat(10, 16), second_bars(flat(10, 16))) == [(DoubtKind.FLAT, DAYS[10])]


def test_compare_disputes_a_flat_series_as_one_fault() -> None:
    lake = flat(10, 16)
    moving = tuple(
        bar._replace(adjusted=bar.adjusted * (1 + number % 2 / 20)) if 10 <= number < 16 else bar
        for number, bar in enumerate(HISTORY)
    )

    assert disputes(lake, moving) == [("flat", DAYS[10])]


def test_compare_disputes_a_flat_series_by_its_range() -> None:
    lake = flat(10, 16)
    (dispute,) = compare(lake, second_bars(HISTORY), find_doubts(lake)).disputes

    assert dispute.detail == (
        f"{DAYS[10]} to {DAYS[15]}: the bars repeat a price that moves by 0.50 % in the second source"
    )


def test_compare_says_nothing_of_a_flat_series_with_one_session() -> None:
    lake = flat(10, 16)
    second = {day: bar for day, bar in second_bars(HISTORY).items() if not DAYS[10] < day <= DAYS[15]}

    assert compare(lake, second, find_doubts(lake)) == Comparison((), ())


@pytest.mark.parametrize(
    ("factor", "is_confirmed"), [(2.0, True), (2.1, False), (0.5, True), (0.48, False), (0, False)]
)
def test_compare_confirms_a_volume_up_to_twice_as_large(factor: float, *, is_confirmed: bool) -> None:
    lake = tuple(DailyBar(*bar[:5], 10.0 + number % 3, bar.adjusted) for number, bar in enumerate(HISTORY[:20]))
    lake += (HISTORY[20]._replace(volume=1000.0),)
    second = second_bars(lake)
    second[DAYS[20]] = SecondBar(lake[20].adjusted, 1000.0 / factor if factor else 0.0)

    found = compare(lake, second, find_doubts(lake))

    assert (bool(found.confirmed), found.disputes) == (is_confirmed, ())


@pytest.mark.parametrize(
    ("shift", "split"), [(0.6931, "2:1"), (-2.3026, "10:1"), (0.4055, "3:2"), (0.66, ""), (2.32, ""), (0.01, "")]
)
def test_named_split_knows_the_usual_ratios(shift: float, split: str) -> None:
    assert named_split(shift) == split


def test_explain_shift_gives_the_size_of_a_dividend() -> None:
    assert explain_shift(-0.015) == "one of them is not adjusted for a dividend or another event of 1.51 %"


def test_percent_has_a_sign() -> None:
    assert (percent(0.1234), percent(-0.5)) == ("+12.34 %", "-50.00 %")


def test_compare_doubt_without_any_second_bar_stays_open() -> None:
    lake = times(HISTORY, 1.5, before=15)

    assert compare(lake, {}, [Doubt(DoubtKind.MOVE, DAYS[15], -0.33)]) == Comparison((), ())
