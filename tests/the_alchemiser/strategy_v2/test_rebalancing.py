"""When a strategy decides, and how its weights drift in between."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from desk.decision_series import evaluate_days
from tests.the_alchemiser.strategy_v2.cases import START, asset, decide, market, weights
from tests.the_alchemiser.strategy_v2.symphonies import file_of
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.options import Decide, StrategyOptions
from the_alchemiser.shared.symphony.tree import Frequency
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, LateHistoryError, NotStartedError
from the_alchemiser.strategy_v2.history import DAY, PriceHistory
from the_alchemiser.strategy_v2.rebalancing import period_numbers

A, B = map(asset, "AB")
HALVES = f"(weight-equal [{A} {B}])"
WEEKLY = ":rebalance-frequency :weekly"
THRESHOLD = ":rebalance-threshold 0.1"


def test_weekly_first_session_decides_and_later_ones_drift() -> None:
    # Half each on Monday; by Wednesday A has doubled: 2/3 and 1/3.
    history = market(A=[100, 150, 200], B=[10, 10, 10])

    decision = decide(HALVES, history, rule=WEEKLY)

    assert {symbol: float(weight) for symbol, weight in decision.weights.items()} == pytest.approx(
        {"A": 2 / 3, "B": 1 / 3}, abs=1e-9
    )
    assert decision.decided_on == date(2021, 1, 4)
    assert decision.path["decided_on"] == "2021-01-04"


def test_weekly_new_week_decides_again() -> None:
    assert weights(HALVES, market(A=[100, 150, 200, 300, 400, 500], B=[10] * 6), rule=WEEKLY) == {"A": 0.5, "B": 0.5}


BEFORE = StrategyOptions(decide=Decide.BEFORE_PERIOD)


def test_weekly_before_period_decides_on_the_last_close_of_the_week_before() -> None:
    # Thirteen sessions from a Monday: on both Fridays, and on the first session of the history.
    history = market(A=range(100, 113), B=[10] * 13)

    series = evaluate_days(
        parse(file_of(HALVES, WEEKLY)), history, first=START, last=date(2021, 1, 20), inception=START, options=BEFORE
    )

    assert [series.decided_on(day) for day in series.dates.tolist()] == [
        *[date(2021, 1, 4)] * 4,
        *[date(2021, 1, 8)] * 5,
        *[date(2021, 1, 15)] * 4,
    ]
    assert series.on(date(2021, 1, 8)) == {"A": Decimal("0.5"), "B": Decimal("0.5")}


@pytest.mark.parametrize(
    ("next_session", "decided"),
    [
        (date(2021, 1, 8), date(2021, 1, 4)),
        (date(2021, 1, 11), date(2021, 1, 7)),  # Friday is a holiday
        (date(2021, 1, 12), date(2021, 1, 7)),
    ],
)
def test_before_period_decides_on_the_day_before_a_new_week(next_session: date, decided: date) -> None:
    decision = evaluate(
        parse(file_of(HALVES, WEEKLY)),
        market(A=[1, 2, 3, 4], B=[1] * 4),
        as_of=date(2021, 1, 7),
        inception=START,
        next_session=next_session,
        options=BEFORE,
    )

    assert decision.decided_on == decided


def test_before_period_takes_the_next_session_from_the_history() -> None:
    # No session on Friday: Thursday is the last one of the week.
    history = market(A=[1, 2, 3, 4, None, 6], B=[1] * 4 + [None, 1])
    without_friday = PriceHistory(
        np.delete(history.dates, 4), {symbol: np.delete(closes, 4) for symbol, closes in history.closes.items()}
    )

    decision = decide(HALVES, without_friday, rule=WEEKLY, as_of=date(2021, 1, 7), options=BEFORE)

    assert decision.decided_on == date(2021, 1, 7)


def test_before_period_on_a_friday_without_later_bars_decides() -> None:
    history = market(A=[1, 2, 3, 4, 5], B=[1] * 5)

    assert decide(HALVES, history, rule=WEEKLY, options=BEFORE).decided_on == date(2021, 1, 8)
    assert decide(HALVES, history, rule=WEEKLY).decided_on == date(2021, 1, 4)


@pytest.mark.parametrize(
    ("rule", "decided"),
    [
        (":rebalance-frequency :daily", date(2021, 1, 8)),
        (":rebalance-frequency :monthly", date(2021, 1, 4)),
        (THRESHOLD, date(2021, 1, 4)),
    ],
)
def test_before_period_is_without_effect_within_a_period(rule: str, decided: date) -> None:
    assert decide(HALVES, market(A=[1] * 5, B=[1] * 5), rule=rule, options=BEFORE).decided_on == decided


def test_weekly_choice_of_monday_is_kept_all_week() -> None:
    node = f'(if (> (current-price "A") (current-price "B")) [{A}] [{B}])'

    assert weights(node, market(A=[3, 1, 1], B=[2, 2, 2]), rule=WEEKLY) == {"A": 1}


def test_weekly_held_symbol_without_a_bar_raises() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"B: 2 bars, the last of 2021-01-05, none of 2021-01-06"):
        decide(HALVES, market(A=[1, 2, 3], B=[1, 1, None]), rule=WEEKLY)


@pytest.mark.parametrize(
    ("frequency", "firsts"),
    [
        (Frequency.DAILY, [True] * 6),
        (Frequency.WEEKLY, [True, False, True, True, True, True]),
        (Frequency.MONTHLY, [True, False, False, True, True, True]),
        (Frequency.QUARTERLY, [True, False, False, False, True, True]),
        (Frequency.YEARLY, [True, False, False, False, False, True]),
    ],
)
def test_period_numbers_change_with_the_period(frequency: Frequency, firsts: list[bool]) -> None:
    # Thursday, Friday and Monday of one January; then a new month, a new quarter and a new year.
    days = ["2021-01-07", "2021-01-08", "2021-01-11", "2021-02-01", "2021-04-01", "2022-01-03"]

    numbers = period_numbers(np.array(days, dtype=DAY), frequency)

    assert [True, *(np.diff(numbers) > 0).tolist()] == firsts


def test_weekly_drift_holds_the_last_close_across_a_gap() -> None:
    # B misses Tuesday; on Wednesday it has doubled since Monday, as A has.
    history = market(A=[1, 1.5, 2], B=[1, None, 2])

    assert weights(HALVES, history, rule=WEEKLY) == {"A": 0.5, "B": 0.5}


def test_symbol_with_a_gap_has_indicators_on_its_own_bars() -> None:
    # Three bars of B in four sessions: its cumulative return over two bars is 21 %.
    history = market(A=[1, 1, 1, 1], B=[100, None, 110, 121])

    assert weights(f'(if (= (cumulative-return "B" {{:window 2}}) 21) [{A}] [{B}])', history) == {"A": 1}


def test_symbol_without_a_bar_on_the_session_cannot_be_used_for_its_decision() -> None:
    node = f'(if (> (rsi "B" {{:window 1}}) 1) [{A}] [{B}])'

    with pytest.raises(InsufficientHistoryError, match=r"B: 2 bars, the last of 2021-01-05, none of 2021-01-06"):
        decide(node, market(A=[1, 1, 1], B=[1, 2, None]))


def test_threshold_weights_within_their_band_drift() -> None:
    # A to 120: 120 / 220 = 0.545, within 0.1 of a half.
    decision = decide(HALVES, market(A=[100, 110, 120], B=[100, 100, 100]), rule=THRESHOLD)

    assert float(decision.weights["A"]) == pytest.approx(120 / 220, abs=1e-9)
    assert decision.decided_on == date(2021, 1, 4)


def test_threshold_weight_outside_its_band_rebalances_fully() -> None:
    # A to 160: 160 / 260 = 0.615. Rebalanced on Tuesday; from 160 to 168 it drifts again to 0.512.
    decision = decide(HALVES, market(A=[100, 160, 168], B=[100, 100, 100]), rule=THRESHOLD)

    assert float(decision.weights["A"]) == pytest.approx(0.525 / 1.025, abs=1e-9)
    assert decision.decided_on == date(2021, 1, 5)


def test_threshold_weight_at_the_edge_of_its_band_stays() -> None:
    # A to 150: 150 / 250 = 0.6, exactly 0.1 off.
    assert weights(HALVES, market(A=[100, 150], B=[100, 100]), rule=THRESHOLD) == {"A": 0.6, "B": 0.4}


def test_threshold_change_of_symbols_rebalances_at_once() -> None:
    node = f'(if (> (current-price "A") (current-price "B")) [{A}] [{B}])'

    assert weights(node, market(A=[3, 2.1, 1.9], B=[2, 2, 2]), rule=THRESHOLD) == {"B": 1}


def test_threshold_simulation_starts_on_the_day_of_inception() -> None:
    history = market(A=[100, 150, 150], B=[100, 100, 100])

    decision = decide(HALVES, history, rule=THRESHOLD, inception=date(2021, 1, 5))

    assert float(decision.weights["A"]) == 0.5


def test_threshold_before_inception_raises() -> None:
    with pytest.raises(NotStartedError, match=r"Tested: 2021-01-06 is before its inception, 2021-01-07"):
        decide(HALVES, market(A=[1, 1, 1], B=[1, 1, 1]), rule=THRESHOLD, inception=date(2021, 1, 7))


def test_threshold_undecidable_session_since_inception_raises() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"B: 0 bars through 2021-01-04, 1 needed for its close"):
        decide(HALVES, market(A=[1, 1, 1], B=[None, 1, 1]), rule=THRESHOLD)


def test_threshold_history_starting_after_inception_raises() -> None:
    # Starting the simulation on another day would give other weights.
    with pytest.raises(
        LateHistoryError,
        match=r"Tested: its bars start on 2021-01-04, but .* its inception, 2020-12-31; provide earlier bars",
    ):
        decide(HALVES, market(A=[1, 1, 1], B=[1, 1, 1]), rule=THRESHOLD, inception=date(2020, 12, 31))


def test_threshold_without_any_bars_names_the_symbol() -> None:
    with pytest.raises(InsufficientHistoryError, match=r"A: 0 bars through 2021-01-04, 1 needed for its close"):
        decide(HALVES, market(A=[None], B=[1]), rule=THRESHOLD, inception=date(2020, 12, 31))
