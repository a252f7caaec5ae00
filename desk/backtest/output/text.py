"""Print a backtest on the terminal."""

from collections.abc import Iterable, Sequence

from automation.system import console
from desk.backtest.analysis import distribution, relative
from desk.backtest.analysis.contributions import largest
from desk.backtest.analysis.robustness import DEFINITION
from desk.backtest.output import tables, wording
from desk.backtest.output.tables import Figure, Table
from desk.backtest.report import Report
from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Curve, Result, Year
from desk.backtest.simulate import Trade
from desk.backtest.statistics import DEFINITIONS
from the_alchemiser.shared import formats
from the_alchemiser.strategy_v2.arrays import Floats

MAX_TRADES = 10
MAX_DRAWDOWNS = 5
MAX_SYMBOLS = 10
"""Number of symbols with the largest gains and losses that are shown; the rest share one row."""
_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARKLINE_WIDTH = 72


def print_report(report: Report) -> None:
    """Print curves, statistics, drawdowns, returns, contributions, the last trades, and what the options asked for."""
    result = report.result
    console.result(wording.title(result), style="bold")
    console.result(wording.subtitle(result))
    if result.benchmark is None:
        console.result(f"no comparison with {BENCHMARK}: {result.benchmark_note}")
    console.result()

    _print_curves(report.curves)
    _print_figures("Statistic", tables.statistics(report), report.curves)
    _print_figures("Daily returns", tables.distributions(report), report.curves)
    _print_drawdowns(result.curve)
    _print_months(result.curve)
    _print_table(tables.years(report), title="Yearly returns")
    _print_rolling(report)
    _print_contributions(report)
    _print_extras(report)
    _print_trades(result)

    console.result("Definitions", style="bold")
    console.results(_definitions(report))
    console.result(f"Turnover per year: {TURNOVER_DEFINITION}")


def sparklines(series: Sequence[Floats], *, width: int = _SPARKLINE_WIDTH) -> tuple[str, ...]:
    """Draw each series as a row of blocks on a common scale; a long series is sampled evenly to fit the width."""
    low = min(float(values.min()) for values in series)
    high = max(float(values.max()) for values in series)
    return tuple(_sparkline(values, low, (high - low) or 1.0, width) for values in series)


def _sparkline(values: Floats, low: float, span: float, width: int) -> str:
    count = min(width, len(values))
    sampled = (values[round(at * (len(values) - 1) / max(count - 1, 1))] for at in range(count))
    return "".join(_BLOCKS[min(int((value - low) / span * len(_BLOCKS)), len(_BLOCKS) - 1)] for value in sampled)


def _print_curves(curves: Sequence[Curve]) -> None:
    console.result("Equity", style="bold")
    for curve, line in zip(curves, sparklines([curve.values for curve in curves]), strict=True):
        console.result(f"{curve.name:<9} {line} ${curve.values[-1]:,.2f}")

    console.result("Drawdown", style="bold")
    for curve, line in zip(curves, sparklines([curve.drawdowns for curve in curves]), strict=True):
        console.result(f"{curve.name:<9} {line} {wording.percent(curve.statistics.max_drawdown)} maximum")
    console.result()


def _print_figures(first_column: str, figures: Sequence[Figure], curves: Sequence[Curve]) -> None:
    columns = (first_column, *(curve.name for curve in curves))
    console.table(columns, [(figure.title, *figure.values) for figure in figures], right=columns[1:])
    console.result()


def _print_table(table: Table, *, title: str = "") -> None:
    console.table(table.columns, table.rows, title=title, right=table.columns[1:])
    console.result()


def _print_drawdowns(curve: Curve) -> None:
    deepest = curve.deepest(MAX_DRAWDOWNS)
    if not deepest:
        console.results(["There were no drawdowns.", ""])
        return

    rows = (
        (fall.peak, fall.trough, fall.recovered or "not yet", fall.sessions, wording.percent(fall.depth))
        for fall in deepest
    )
    columns = ("Peak", "Trough", "Recovered", "Sessions", "Depth")
    console.table(columns, rows, title="Deepest drawdowns", right=("Sessions", "Depth"))
    console.result()


def _print_months(curve: Curve) -> None:
    columns = ("Year", *wording.MONTHS, "Total")
    console.table(columns, map(_month_row, curve.years()), title="Monthly returns", right=columns[1:])
    console.result()


def _month_row(year: Year) -> Sequence[object]:
    months = ("" if month is None else wording.percent(month, places=1) for month in year.months)
    return (year.year, *months, wording.percent(year.total, places=1))


def _print_rolling(report: Report) -> None:
    table = tables.rolling(report)
    if table.rows:
        _print_table(table, title="Rolling figures")
    else:
        console.results([wording.too_short_to_roll(report.result), ""])


def _print_contributions(report: Report) -> None:
    contributions = report.contributions
    if len(report.result.candidates) > 1:
        table = tables.contributions(contributions.strategies, report, kind="Strategy")
        _print_table(table, title="Profit per strategy")
    shown = largest(contributions.symbols, MAX_SYMBOLS)
    _print_table(tables.contributions(shown, report, kind="Symbol"), title="Profit per symbol")


def _print_extras(report: Report) -> None:
    """Print the split, the comparison and the robustness, as far as options asked for them."""
    if report.split is not None:
        console.result(f"Split: {wording.split_title(report.split)}", style="bold")
        _print_table(tables.split(report.split))

    if report.comparison is not None:
        console.result(f"Comparison: {wording.comparison_title(report.comparison)}", style="bold")
        console.result(wording.comparison_decisions(report.comparison))
        _print_table(tables.comparison(report.comparison))

    if report.robustness is not None:
        robustness = report.robustness
        console.result(f"Robustness: {robustness.verdict}", style="bold")
        console.results([wording.starts_sentence(robustness), wording.costs_sentence(robustness), ""])
        _print_table(tables.variants(robustness.starts, kind="Sessions"), title="Later starts, common sessions only")
        _print_table(tables.variants(robustness.costs, kind="Costs"), title="Costs per side")


def _print_trades(result: Result) -> None:
    trades, refused = result.trades, result.refused
    count = wording.trade_count(result)

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


def _definitions(report: Report) -> Iterable[str]:
    yield from (f"{wording.TITLES[name]}: {text}" for name, text in DEFINITIONS.items())
    if report.relative is not None:
        yield from (f"{wording.RELATIVE_TITLES[name]}: {text}" for name, text in relative.DEFINITIONS.items())
    for name, text in distribution.DEFINITIONS.items():
        yield f"{wording.DISTRIBUTION_TITLES[name]}: {text}"
    if report.robustness is not None:
        yield f"Robustness: {DEFINITION}"
