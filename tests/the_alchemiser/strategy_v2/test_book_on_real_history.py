"""The shipped strategies on the bundled history."""

from datetime import date

import numpy as np
import pytest

from desk.decision_series import DecisionSeries, evaluate_day, evaluate_days
from tests.the_alchemiser.strategy_v2.agreement import difference
from tests.the_alchemiser.strategy_v2.naive import NaiveEvaluator
from tests.the_alchemiser.strategy_v2.real import real_history
from the_alchemiser.shared.book import BookEntry, load_book
from the_alchemiser.shared.symphony.options import StrategyOptions

ENTRIES = load_book().entries
FIRST, LAST = date(2021, 1, 4), date(2022, 12, 28)


def two_years(entry: BookEntry) -> DecisionSeries:
    return evaluate_days(
        entry.symphony, real_history(), first=FIRST, last=LAST, inception=entry.inception, options=entry.options
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_every_session_of_two_years_is_decided(entry: BookEntry) -> None:
    series = two_years(entry)

    assert series.weights.shape == (501, len(series.symbols))
    np.testing.assert_allclose(series.weights.sum(axis=1) + series.cash, 1, rtol=0, atol=1e-12)
    assert np.abs(np.diff(series.weights, axis=0)).sum() > 1


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_monthly_sample_agrees_with_naive_and_single_days(entry: BookEntry) -> None:
    history = real_history()
    prices = {symbol: dict(enumerate(closes.tolist())) for symbol, closes in history.closes.items()}
    naive = NaiveEvaluator(entry.symphony, prices, history.dates.tolist())
    inception = int(np.searchsorted(history.dates, np.datetime64(entry.inception)))
    series = two_years(entry)

    for number in range(int(np.searchsorted(history.dates, np.datetime64(FIRST))), len(history.dates), 21):
        day = history.dates[number].item()
        weights = series.on(day)

        single = evaluate_day(entry.symphony, history, as_of=day, inception=entry.inception, options=entry.options)
        assert weights == single.weights
        if entry.options == StrategyOptions():
            assert difference(dict(weights), naive.holding(number, inception=inception)) == ""
