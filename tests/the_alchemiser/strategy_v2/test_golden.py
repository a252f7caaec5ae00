"""The engine against cases worked out by hand."""

import pytest

from tests.the_alchemiser.strategy_v2.cases import decide, market
from tests.the_alchemiser.strategy_v2.golden import GOLDEN, Golden
from the_alchemiser.shared.symphony.tree import Comparison, IndicatorKind


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.why)
def test_engine_matches_the_case_worked_out_by_hand(golden: Golden) -> None:
    decision = decide(golden.node, market(**golden.closes), rule=golden.rule, options=golden.options)

    weights = {symbol: float(weight) for symbol, weight in decision.weights.items()}
    assert weights == pytest.approx(golden.weights, rel=0, abs=1.01e-9), golden.why
    assert decision.cash == 1 - sum(decision.weights.values())


@pytest.mark.parametrize(
    "word",
    [
        *(f"({kind.value} " for kind in IndicatorKind),
        *(f"({comparison.value} " for comparison in Comparison),
        *("(any ", "(all ", "(empty)"),
        *("(asset ", "(weight-equal ", "(weight-specified ", "(weight-inverse-volatility ", "(group ", "(if "),
        *("(filter ", "(select-top ", "(select-bottom ", "(current-price "),
    ],
)
def test_golden_cases_use_every_word_of_the_language(word: str) -> None:
    assert any(word in golden.node for golden in GOLDEN)
