"""Format the numbers and headings of a backtest for the terminal and the page. Pure."""

from collections.abc import Mapping
from decimal import Decimal

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
_RATIOS = {"sharpe", "sortino", "calmar"}


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


def turnover(result: Result) -> str:
    """Return the annual turnover as a multiple of the portfolio."""
    return f"{result.turnover:.1f} times per year"
