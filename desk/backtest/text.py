"""A backtest on the terminal."""

from collections.abc import Sequence
from dataclasses import asdict

from automation.system import console
from desk.backtest import wording
from desk.backtest.document import DRAWDOWNS
from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Curve, Result
from desk.backtest.simulate import Trade
from desk.backtest.statistics import DEFINITIONS
from the_alchemiser.shared import formats
from the_alchemiser.strategy_v2.arrays import Floats

LAST_TRADES = 10
_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 72


def show(result: Result) -> None:
    """Print it: curves, statistics, drawdowns, months, turnover, trades, and what the statistics mean."""
    console.result(wording.title(result), style="bold")
    console.result(wording.subtitle(result))
    if result.benchmark is None:
        console.result(f"no comparison with {BENCHMARK}: {result.benchmark_note}")
    console.result()
    _show_curves(result)
    _show_statistics(result)
    _show_drawdowns(result.curve)
    _show_months(result.curve)
    _show_trades(result)
    console.result("Definitions", style="bold")
    console.results(f"{wording.TITLES[name]}: {text}" for name, text in DEFINITIONS.items())
    console.result(f"Turnover: {TURNOVER_DEFINITION}")


def sparklines(series: Sequence[Floats], *, width: int = _SPARK_WIDTH) -> tuple[str, ...]:
    """Each series as a row of blocks, all on one scale; of long ones as many values, evenly spaced, as fit."""
    low, high = min(float(one.min()) for one in series), max(float(one.max()) for one in series)
    return tuple(_sparkline(one, low, (high - low) or 1.0, width) for one in series)


def _sparkline(values: Floats, low: float, span: float, width: int) -> str:
    count = min(width, len(values))
    shown = (values[round(at * (len(values) - 1) / max(count - 1, 1))] for at in range(count))
    return "".join(_BLOCKS[min(int((value - low) / span * len(_BLOCKS)), len(_BLOCKS) - 1)] for value in shown)


def _show_curves(result: Result) -> None:
    curves = [result.curve, *([result.benchmark] if result.benchmark else [])]
    console.result("Equity", style="bold")
    for curve, line in zip(curves, sparklines([curve.values for curve in curves]), strict=True):
        console.result(f"{curve.name:<9} {line} ${curve.values[-1]:,.2f}")
    console.result("Drawdown", style="bold")
    for curve, line in zip(curves, sparklines([curve.drawdowns for curve in curves]), strict=True):
        console.result(f"{curve.name:<9} {line} {wording.percent(curve.statistics.max_drawdown)} at the deepest")
    console.result()


def _show_statistics(result: Result) -> None:
    mine = asdict(result.curve.statistics)
    theirs = asdict(result.benchmark.statistics) if result.benchmark else {}
    columns = ["Statistic", "strategy", *([BENCHMARK] if theirs else [])]
    rows = [
        [title, wording.statistic(name, mine[name]), *([wording.statistic(name, theirs[name])] if theirs else [])]
        for name, title in wording.TITLES.items()
    ]
    rows.append(["Turnover", wording.turnover(result), *([""] if theirs else [])])
    console.table(columns, rows, right=columns[1:])
    console.result()


def _show_drawdowns(curve: Curve) -> None:
    deepest = curve.deepest(DRAWDOWNS)
    if not deepest:
        console.results(["The equity never fell", ""])
        return
    rows = ((one.peak, one.trough, one.recovered or "not yet", wording.percent(one.depth)) for one in deepest)
    console.table(("From", "Deepest on", "Recovered", "Depth"), rows, title="Deepest drawdowns", right=("Depth",))
    console.result()


def _show_months(curve: Curve) -> None:
    columns = ("Year", *wording.MONTHS, "Whole")
    rows = (
        (
            one.year,
            *("" if month is None else wording.percent(month, places=1) for month in one.months),
            wording.percent(one.total, places=1),
        )
        for one in curve.years()
    )
    console.table(columns, rows, title="Monthly returns", right=columns[1:])
    console.result()


def _show_trades(result: Result) -> None:
    trades, refused = result.trades, result.refused
    count = formats.plural(len(trades), "trade")
    if trades:
        columns = ("Date", "Side", "Symbol", "Shares", "Price", "Cash")
        title = f"{count}, costs {formats.money(result.costs)}; the last:"
        console.table(columns, map(_trade, trades[-LAST_TRADES:]), title=title, right=columns[3:])
    else:
        console.result(count)
    if refused:
        last = refused[-1]
        why = f"{last.side} {last.symbol}: {formats.words(last.reason)}: {last.detail}"
        console.result(f"{formats.plural(len(refused), 'trade')} refused, the last on {last.day}: {why}")
    console.result()


def _trade(one: Trade) -> Sequence[object]:
    money = (formats.shares(one.quantity), formats.price(one.price), formats.money(one.cash))
    return (one.day, one.side, one.symbol, *money)
