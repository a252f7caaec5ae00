"""Print a backtest on the terminal."""

from collections.abc import Sequence
from dataclasses import asdict

from automation.system import console
from desk.backtest import wording
from desk.backtest.document import MAX_DRAWDOWNS
from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Curve, Result, Year
from desk.backtest.simulate import Trade
from desk.backtest.statistics import DEFINITIONS
from the_alchemiser.shared import formats
from the_alchemiser.strategy_v2.arrays import Floats

MAX_TRADES = 10
_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARKLINE_WIDTH = 72


def print_result(result: Result) -> None:
    """Print curves, statistics, drawdowns, monthly returns, turnover, the last trades and the definitions."""
    console.result(wording.title(result), style="bold")
    console.result(wording.subtitle(result))
    if result.benchmark is None:
        console.result(f"no comparison with {BENCHMARK}: {result.benchmark_note}")
    console.result()

    _print_curves(result)
    _print_statistics(result)
    _print_drawdowns(result.curve)
    _print_months(result.curve)
    _print_trades(result)

    console.result("Definitions", style="bold")
    console.results(f"{wording.TITLES[name]}: {text}" for name, text in DEFINITIONS.items())
    console.result(f"Turnover: {TURNOVER_DEFINITION}")


def sparklines(series: Sequence[Floats], *, width: int = _SPARKLINE_WIDTH) -> tuple[str, ...]:
    """Draw each series as a row of blocks on a common scale; a long series is sampled evenly to fit the width."""
    low = min(float(values.min()) for values in series)
    high = max(float(values.max()) for values in series)
    return tuple(_sparkline(values, low, (high - low) or 1.0, width) for values in series)


def _sparkline(values: Floats, low: float, span: float, width: int) -> str:
    count = min(width, len(values))
    sampled = (values[round(at * (len(values) - 1) / max(count - 1, 1))] for at in range(count))
    return "".join(_BLOCKS[min(int((value - low) / span * len(_BLOCKS)), len(_BLOCKS) - 1)] for value in sampled)


def _print_curves(result: Result) -> None:
    curves = [result.curve, *([result.benchmark] if result.benchmark else [])]

    console.result("Equity", style="bold")
    for curve, line in zip(curves, sparklines([curve.values for curve in curves]), strict=True):
        console.result(f"{curve.name:<9} {line} ${curve.values[-1]:,.2f}")

    console.result("Drawdown", style="bold")
    for curve, line in zip(curves, sparklines([curve.drawdowns for curve in curves]), strict=True):
        console.result(f"{curve.name:<9} {line} {wording.percent(curve.statistics.max_drawdown)} maximum")
    console.result()


def _print_statistics(result: Result) -> None:
    columns = ["Statistic", "strategy"]
    values = [asdict(result.curve.statistics)]
    if result.benchmark:
        columns.append(BENCHMARK)
        values.append(asdict(result.benchmark.statistics))

    rows = []
    for name, title in wording.TITLES.items():
        rows.append([title, *(wording.statistic(name, of_curve[name]) for of_curve in values)])
    # The benchmark has no turnover.
    rows.append(["Turnover", wording.turnover(result), *([""] if result.benchmark else [])])

    console.table(columns, rows, right=columns[1:])
    console.result()


def _print_drawdowns(curve: Curve) -> None:
    deepest = curve.deepest(MAX_DRAWDOWNS)
    if not deepest:
        console.results(["There were no drawdowns.", ""])
        return

    rows = (
        (drawdown.peak, drawdown.trough, drawdown.recovered or "not yet", wording.percent(drawdown.depth))
        for drawdown in deepest
    )
    console.table(("Peak", "Trough", "Recovered", "Depth"), rows, title="Deepest drawdowns", right=("Depth",))
    console.result()


def _print_months(curve: Curve) -> None:
    columns = ("Year", *wording.MONTHS, "Total")
    console.table(columns, map(_year_row, curve.years()), title="Monthly returns", right=columns[1:])
    console.result()


def _year_row(year: Year) -> Sequence[object]:
    months = ("" if month is None else wording.percent(month, places=1) for month in year.months)
    return (year.year, *months, wording.percent(year.total, places=1))


def _print_trades(result: Result) -> None:
    trades, refused = result.trades, result.refused
    count = formats.plural(len(trades), "trade")

    if trades:
        columns = ("Date", "Side", "Symbol", "Shares", "Price", "Cash")
        title = f"{count}, costs {formats.money(result.costs)}; most recent:"
        console.table(columns, map(_trade_row, trades[-MAX_TRADES:]), title=title, right=columns[3:])
    else:
        console.result(count)

    if refused:
        last = refused[-1]
        reason = f"{last.side} {last.symbol}: {formats.words(last.reason)}: {last.detail}"
        console.result(f"{formats.plural(len(refused), 'trade')} refused, the last on {last.day}: {reason}")
    console.result()


def _trade_row(trade: Trade) -> Sequence[object]:
    amounts = (formats.shares(trade.quantity), formats.price(trade.price), formats.money(trade.cash))
    return (trade.day, trade.side, trade.symbol, *amounts)
