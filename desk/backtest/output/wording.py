"""Format the numbers and headings of a backtest for the terminal and the page. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from desk.backtest.analysis.comparison import Comparison
from desk.backtest.analysis.robustness import Robustness
from desk.backtest.analysis.rolling import WINDOW
from desk.backtest.analysis.split import Split
from desk.backtest.result import Result
from the_alchemiser.shared import formats

NOT_DEFINED = "not defined"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

TITLES: Mapping[str, str] = {
    "total_return": "Total return",
    "cagr": "CAGR",
    "volatility": "Volatility",
    "sharpe": "Sharpe ratio",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
    "max_drawdown": "Maximum drawdown",
}
RELATIVE_TITLES: Mapping[str, str] = {"beta": "Beta", "alpha": "Alpha per year", "correlation": "Correlation"}
DISTRIBUTION_TITLES: Mapping[str, str] = {
    "best_day": "Best day",
    "worst_day": "Worst day",
    "positive_days": "Days with a gain",
    "skewness": "Skewness",
    "excess_kurtosis": "Excess kurtosis",
    "value_at_risk": "Value at risk, 5 %",
    "expected_shortfall": "Expected shortfall, 5 %",
}
_RATIOS = {"sharpe", "sortino", "calmar", "beta", "correlation", "skewness", "excess_kurtosis"}


def percent(fraction: float | None, *, places: int = 2) -> str:
    """Format a fraction as a percentage: 0.1234 -> `12.34%`."""
    return NOT_DEFINED if fraction is None else formats.percent(Decimal(repr(fraction)), places=places)


def signed_percent(fraction: float, *, places: int = 2) -> str:
    """Format a fraction as a percentage with its sign: 0.1234 -> `+12.34%`."""
    return formats.signed_percent(Decimal(repr(fraction)), places=places)


def ratio(value: float | None) -> str:
    """Format a ratio with two decimals: 1.234 -> `1.23`."""
    return NOT_DEFINED if value is None else f"{value:.2f}".replace("-", formats.MINUS)


def statistic(name: str, value: float | None) -> str:
    """Format a statistic: ratios as numbers, the others as percentages."""
    return ratio(value) if name in _RATIOS else percent(value)


def too_short_to_roll(result: Result) -> str:
    """Return why a backtest has no rolling figures."""
    return f"Rolling figures need at least {WINDOW} sessions; this backtest has {len(result.days)}."


def title(result: Result) -> str:
    """Return the names of the strategies, with their allocations if there are several."""
    if len(result.candidates) == 1:
        return result.candidates[0].name
    shares = (f"{strategy.name} {formats.percent(strategy.allocation, places=1)}" for strategy in result.candidates)
    return ", ".join(shares)


def heading(result: Result) -> str:
    """Return the names of up to three strategies, otherwise how many there are."""
    names = [strategy.name for strategy in result.candidates]
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} strategies"


def subtitle(result: Result) -> str:
    """Return period, capital, costs and origin of the prices."""
    first, last = result.days[0].date, result.days[-1].date
    sessions = formats.plural(len(result.days), "session")
    costs = f"costs {result.costs_bps.normalize():f} bp per side"
    return f"{first} to {last}, {sessions}, {formats.money(result.capital)}, {costs}, {result.prices}"


def difference(name: str, before: float | None, after: float | None) -> str:
    """Format the change of a statistic: ratios as numbers, the others in percentage points."""
    if before is None or after is None:
        return NOT_DEFINED
    # The difference of the rounded values, which is what a reader can check.
    if name in _RATIOS:
        change = round(after, 2) - round(before, 2)
        return f"{'+' if round(change, 2) > 0 else ''}{ratio(change)}"
    change = round(after, 4) - round(before, 4)
    return f"{signed_percent(round(change, 4)).removesuffix('%')} points"


def split_title(split: Split) -> str:
    """Return where a split is, and how many sessions are on either side."""
    inside, outside = (formats.plural(count, "session") for count in split.sessions)
    return f"in sample {inside}, out of sample {outside} from {split.day} on"


def comparison_title(comparison: Comparison) -> str:
    """Return with what a backtest is compared, and over which sessions."""
    first, last = comparison.ours.dates[1], comparison.ours.dates[-1]
    sessions = formats.plural(comparison.sessions, "session")
    return f"with {comparison.name} over {sessions} from {first} to {last}"


def comparison_decisions(comparison: Comparison) -> str:
    """Return on how many sessions the target weights of two backtests differ."""
    days = comparison.different_days
    if not days:
        return "The target weights are the same on every session."
    sessions = formats.plural(comparison.sessions, "session")
    return f"The target weights differ on {len(days)} of {sessions}, first on {days[0]}."


def starts_sentence(robustness: Robustness) -> str:
    """Return how much later starts change the result."""
    base, later = robustness.starts[0].statistics.cagr, [row.statistics.cagr for row in robustness.starts[1:]]
    known = [cagr for cagr in later if cagr is not None]  # all of them: a variant has at least one session
    return (
        f"Start: {robustness.starts_verdict}. Starting 1 to {len(later)} sessions later gives a CAGR of "
        f"{percent(min(known))} to {percent(max(known))}, as requested {percent(base)}."
    )


def costs_sentence(robustness: Robustness) -> str:
    """Return how much higher costs change the result."""
    free, dear = robustness.costs[0], robustness.costs[-1]
    per_point = robustness.cost_per_basis_point
    points = NOT_DEFINED if per_point is None else percent(per_point, places=3).removesuffix("%") + " points"
    return (
        f"Costs: {robustness.costs_verdict}. The CAGR falls from {percent(free.statistics.cagr)} without costs to "
        f"{percent(dear.statistics.cagr)} at {dear.value} bp per side: {points} per basis point."
    )


def trade_count(result: Result) -> str:
    """Return the number of filled trades: `1 trade`, `2,435 trades`."""
    count = len(result.trades)
    return f"{count:,} trade{'' if count == 1 else 's'}"


def turnover(result: Result) -> str:
    """Return the annual turnover as a multiple of the portfolio."""
    return f"{result.turnover:.1f}\N{MULTIPLICATION SIGN}"
