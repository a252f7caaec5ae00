"""Everything that one `inv backtest` found out: the result, and what its options asked for besides. Pure."""

from dataclasses import dataclass
from functools import cached_property

from desk.backtest.analysis.comparison import Comparison
from desk.backtest.analysis.contributions import Contributions, divide_profit
from desk.backtest.analysis.distribution import Distribution, describe
from desk.backtest.analysis.relative import Relative, compare_returns
from desk.backtest.analysis.robustness import Robustness
from desk.backtest.analysis.split import Split
from desk.backtest.result import Curve, Result


@dataclass(frozen=True)
class Report:
    """The result of a backtest and its analyses; None for those that no option asked for."""

    result: Result
    split: Split | None = None
    comparison: Comparison | None = None
    robustness: Robustness | None = None

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Return the curve of the backtest, then that of the benchmark if there is one."""
        result = self.result
        return (result.curve,) if result.benchmark is None else (result.curve, result.benchmark)

    @cached_property
    def relative(self) -> Relative | None:
        """Return the relation of the returns to the benchmark's; None without a benchmark."""
        benchmark = self.result.benchmark
        return None if benchmark is None else compare_returns(self.result.curve.returns, benchmark.returns)

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """Return the distribution of the daily returns of each of the curves."""
        return tuple(describe(curve.returns) for curve in self.curves)

    @cached_property
    def contributions(self) -> Contributions:
        """Return the profit, divided between symbols and between strategies."""
        return divide_profit(self.result.days, capital=self.result.capital)
