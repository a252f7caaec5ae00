"""How a backtest's numbers read, in text and on the page. Pure."""

from collections.abc import Callable, Mapping
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
    """0.1234 -> `12.34%`."""
    return NOT_DEFINED if fraction is None else formats.percent(Decimal(repr(fraction)), places=places)


def signed_percent(fraction: float, *, places: int = 2) -> str:
    """0.1234 -> `+12.34%`."""
    return formats.signed_percent(Decimal(repr(fraction)), places=places)


def ratio(value: float | None) -> str:
    """1.234 -> `1.23`."""
    return NOT_DEFINED if value is None else f"{value:.2f}".replace("-", formats.MINUS)


def statistic(name: str, value: float | None) -> str:
    """A statistic by its name: ratios as numbers, the rest in percent."""
    shown: Callable[[float | None], str] = ratio if name in _RATIOS else percent
    return shown(value)


def title(result: Result) -> str:
    """The strategies, with their parts of the capital where there are several."""
    if len(result.candidates) == 1:
        return result.candidates[0].name
    return ", ".join(f"{one.name} {formats.percent(one.allocation, places=1)}" for one in result.candidates)


def heading(result: Result) -> str:
    """The strategies by name, as long as they are few."""
    names = [one.name for one in result.candidates]
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} strategies"


def subtitle(result: Result) -> str:
    """Period, capital, costs and where the prices come from."""
    first, last = result.days[0].date, result.days[-1].date
    sessions = formats.plural(len(result.days), "session")
    costs = f"costs {result.costs_bps.normalize():f} bp a side"
    return f"{first} to {last}, {sessions}, {formats.money(result.capital)}, {costs}, {result.prices}"


def turnover(result: Result) -> str:
    """How often the portfolio turned over in a year."""
    return f"{result.turnover:.1f} times a year"
