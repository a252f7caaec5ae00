"""The strategies that ship, on the bundled history."""

import numpy as np
import pytest

from tests.the_alchemiser.strategy_v2.naive import NaiveEvaluator
from tests.the_alchemiser.strategy_v2.real import real_history
from the_alchemiser.shared.book import BookEntry, load_book
from the_alchemiser.strategy_v2.compiler import compile_symphony
from the_alchemiser.strategy_v2.engine import evaluate
from the_alchemiser.strategy_v2.streams import run, target_weights

ENTRIES = load_book().entries
FIRST = np.datetime64("2021-01-04")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_every_session_of_two_years_is_decided(entry: BookEntry) -> None:
    history = real_history()
    wanted = history.dates >= FIRST

    evaluation = run(compile_symphony(entry.symphony, entry.options), history)

    weights = np.array(list(target_weights(evaluation).values()))[:, wanted]
    assert wanted.sum() == 501
    assert evaluation.root.defined[wanted].all()
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=0, atol=1e-12)
    assert np.abs(np.diff(weights, axis=1)).sum() > 1


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_a_session_a_month_agrees_with_the_naive_evaluator(entry: BookEntry) -> None:
    history = real_history()
    prices = {symbol: dict(enumerate(closes.tolist())) for symbol, closes in history.closes.items()}
    naive = NaiveEvaluator(entry.symphony, prices, history.dates.tolist())

    for number in range(252, len(history.dates), 21):
        ours = evaluate(entry.symphony, history, as_of=history.dates[number].item(), inception=entry.inception)

        weights = {symbol: float(weight) for symbol, weight in ours.weights.items()}
        assert weights == pytest.approx(naive.holding(number), abs=2e-9)
