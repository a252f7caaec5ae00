"""Closes of many symbols on one calendar."""

from datetime import date

import numpy as np
import pytest

from the_alchemiser.strategy_v2.history import DAY, PriceHistory


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype=DAY)


A = (days("2021-01-04", "2021-01-05"), np.array([1.0, 2.0]))
B = (days("2021-01-05", "2021-01-06"), np.array([3.0, 4.0]))


def test_from_series_two_calendars_become_their_union() -> None:
    history = PriceHistory.from_series({"A": A, "B": B})

    assert history.dates.tolist() == [date(2021, 1, 4), date(2021, 1, 5), date(2021, 1, 6)]
    np.testing.assert_array_equal(history.of("A"), [1, 2, np.nan])
    np.testing.assert_array_equal(history.of("B"), [np.nan, 3, 4])
    np.testing.assert_array_equal(history.of("Z"), [np.nan, np.nan, np.nan])


@pytest.mark.parametrize(
    ("series", "flaw", "known"),
    [
        ((A[0], np.array([1.0, np.nan])), "the close of 2021-01-05 is nan", [1, np.nan, np.nan]),
        ((A[0], np.array([0.0, 1.0])), "the close of 2021-01-04 is 0.0", [np.nan] * 3),
        ((A[0], np.array([1.0, -np.inf])), "the close of 2021-01-05 is -inf", [1, np.nan, np.nan]),
        ((A[0][[0, 0]], A[1]), "2021-01-04 has more than one bar", [np.nan] * 3),
        ((A[0][[0, 1, 1]], np.array([1.0, 2.0, np.nan])), "2021-01-05 has more than one bar", [1, np.nan, np.nan]),
    ],
)
def test_from_series_bad_bar_makes_later_closes_unusable(
    series: tuple[np.ndarray, np.ndarray], flaw: str, known: list[float]
) -> None:
    history = PriceHistory.from_series({"A": series, "B": B}, flaws={"C": "quarantined"})

    assert history.flaws == {"A": flaw, "C": "quarantined"}
    np.testing.assert_array_equal(history.of("A"), known)


def test_from_series_symbol_with_a_given_flaw_has_no_closes() -> None:
    history = PriceHistory.from_series({"A": A, "B": B}, flaws={"B": "quarantined"})

    assert set(history.closes) == {"A"}


def test_from_series_ignores_the_order_of_bars() -> None:
    reversed_order = PriceHistory.from_series({"A": (A[0][::-1], A[1][::-1]), "B": B})

    np.testing.assert_array_equal(reversed_order.of("A"), PriceHistory.from_series({"A": A, "B": B}).of("A"))


def test_through_a_day_before_a_bad_bar_does_not_know_of_it() -> None:
    history = PriceHistory.from_series({"A": (A[0], np.array([1.0, np.nan]))}, flaws={"C": "quarantined"})

    assert history.through(date(2021, 1, 4)).flaws == {"C": "quarantined"}
    assert history.through(date(2021, 1, 5)).select(["A"]).flaws == {"A": "the close of 2021-01-05 is nan"}


def test_through_a_day_cuts_later_sessions() -> None:
    history = PriceHistory.from_series({"A": A, "B": B}).through(date(2021, 1, 5))

    assert history.dates.tolist() == [date(2021, 1, 4), date(2021, 1, 5)]


def test_through_a_day_without_bars_has_the_day_without_prices() -> None:
    history = PriceHistory.from_series({"A": A}).through(date(2021, 1, 7))

    assert history.dates.tolist()[-1] == date(2021, 1, 7)
    assert np.isnan(history.of("A")[-1])


def test_digest_depends_only_on_the_symbols_own_bars() -> None:
    both = PriceHistory.from_series({"A": A, "B": B})

    assert both.select(["A"]).digest == PriceHistory.from_series({"A": A}).digest
    assert both.digest != PriceHistory.from_series({"A": A}).digest
    assert PriceHistory.from_series({"A": (A[0], A[1] + 1e-9)}).digest != PriceHistory.from_series({"A": A}).digest


@pytest.mark.parametrize(
    ("dates", "closes"),
    [
        (days("2021-01-05", "2021-01-04"), np.array([1.0, 1.0])),
        (days("2021-01-04"), np.array([1.0, 1.0])),
        (days("2021-01-04"), np.array([-1.0])),
        (days("2021-01-04"), np.array([np.inf])),
    ],
)
def test_price_history_invalid_arrays_raise(dates: np.ndarray, closes: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"dates must be|closes for|every close must be"):
        PriceHistory(dates, {"A": closes})
