from decimal import Decimal

import pytest

from automation.system.errors import UsageError
from desk.backtest.analysis.robustness import COSTS_BPS, Verdict
from desk.backtest.prices import Prices
from desk.backtest.result import Result
from desk.backtest.running import LEAST_SESSIONS, backtest, vary
from desk.backtest.signals import Candidate
from desk.backtest.statistics import compute_statistics
from tests.desk.backtest.worlds import ALTERNATING, candidate, sessions_of
from tests.the_alchemiser.strategy_v2.cases import asset, market
from the_alchemiser.strategy_v2.history import PriceHistory

COUNT = 60
RISING = market(AAA=[9 + at * 0.05 + (at % 3) * 0.4 for at in range(COUNT)], BBB=[5 + at * 0.02 for at in range(COUNT)])
HALVES = f"(weight-equal [{asset('AAA')} {asset('BBB')}])"


def prices_of(history: PriceHistory) -> Prices:
    return Prices("invented", history, history)


def backtested(own: Candidate, *, costs_bps: str = "5", skipped: int = 0, history: PriceHistory = RISING) -> Result:
    sessions = sessions_of(history)[skipped:]
    return backtest((own,), prices_of(history), sessions, capital=Decimal(10000), costs_bps=Decimal(costs_bps))


def test_vary_repeats_backtest_with_each_costs() -> None:
    robustness = vary(backtested(candidate(ALTERNATING)), prices_of(RISING))

    assert tuple(variant.value for variant in robustness.costs) == COSTS_BPS
    for variant in robustness.costs:
        alone = backtested(candidate(ALTERNATING), costs_bps=str(variant.value))
        assert variant.statistics == alone.curve.statistics


@pytest.mark.parametrize("rule", [":rebalance-frequency :daily", ":rebalance-threshold 0.01"])
def test_vary_repeats_backtest_with_each_start(rule: str) -> None:
    """A strategy with a threshold of its own is decided anew, because its history begins with the backtest."""
    own = candidate(HALVES, rule=rule, inception=None)

    robustness = vary(backtested(own), prices_of(RISING))

    for shift, variant in enumerate(robustness.starts):
        alone = backtested(own, skipped=shift)
        common = alone.curve.returns[5 - shift :]
        assert variant.value == shift
        assert variant.statistics == compute_statistics(common)


def test_vary_labels_variants() -> None:
    robustness = vary(backtested(candidate(ALTERNATING)), prices_of(RISING))

    assert [variant.label for variant in robustness.starts][:2] == ["as requested", "1 later"]
    assert [variant.label for variant in robustness.costs][:2] == ["0 bp", "1 bp"]


def test_vary_higher_costs_of_busy_strategy_are_fragile() -> None:
    # AAA crosses its limit every day, so that the strategy sells everything every day; BBB rises a little.
    switching = market(AAA=[9.99, 10.01] * (COUNT // 2), BBB=[5 * 1.006**at for at in range(COUNT)])
    busy = backtested(candidate(ALTERNATING), costs_bps="0", history=switching)
    idle = vary(backtested(candidate(asset("AAA"))), prices_of(RISING))

    assert vary(busy, prices_of(switching)).costs_verdict is Verdict.FRAGILE
    assert (idle.starts_verdict, idle.costs_verdict) == (Verdict.ROBUST, Verdict.ROBUST)


@pytest.mark.parametrize(("sessions", "expectation"), [(LEAST_SESSIONS - 1, True), (LEAST_SESSIONS, False)])
def test_vary_few_sessions_raises(sessions: int, expectation: bool) -> None:
    result = backtested(candidate(asset("BBB")), skipped=COUNT - 1 - sessions)

    if expectation:
        with pytest.raises(UsageError, match="needs at least 30 sessions, the backtest has 29"):
            vary(result, prices_of(RISING))
    else:
        vary(result, prices_of(RISING))
