"""The `inv backtest` command: run the backtest and what its options ask for, print and write the results."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from automation.system import console
from automation.system.errors import CheckFailedError
from desk.backtest.analysis.comparison import Track, compare, track_of
from desk.backtest.analysis.split import split_curves
from desk.backtest.options import Options, Texts, parse
from desk.backtest.output.document import json_document, json_text
from desk.backtest.period import RequestedPeriod, choose_sessions
from desk.backtest.prices import Prices, load_prices
from desk.backtest.report import Report
from desk.backtest.result import Result
from desk.backtest.running import backtest, vary
from desk.backtest.selection import select_strategies
from desk.backtest.signals import Candidate, symbols_of
from desk.backtest.stored_backtest import read_track
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError

_WHERE = "backtest"


def run_backtest(
    names: Sequence[str], texts: Texts, *, bars: str = "", robustness: bool = False, json: bool = False
) -> None:
    """Backtest strategies on past sessions and print the result.

    Args:
        names: strategies of the book or strategy files; empty for the whole book.
        texts: the options as typed.
        bars: a folder of prices; empty for the bundled ones.
        robustness: also repeat the backtest with later starts and other costs.
        json: print JSON instead of text.

    Raises:
        UsageError: a strategy, date, amount or file is not valid.
        CheckFailedError: the book or a strategy cannot be read, or bars that a day needs are missing.
    """
    options = parse(texts)
    with _paused_collector():
        with _translate_errors(options.period):
            report = _run(names, options, bars=bars, robustness=robustness)
        lines = _write_files(report, options)

        if json:
            console.result(json_text(json_document(report)))
            return
        from desk.backtest.output import text  # noqa: PLC0415 - not needed for --json

        text.print_report(report)
        console.results(lines)


def _run(names: Sequence[str], options: Options, *, bars: str, robustness: bool) -> Report:
    book = load_book()
    candidates = select_strategies(names, book)
    others = select_strategies(options.others, book) if options.others else ()
    # Read before the long work, so that a wrong file is reported at once.
    stored = read_track(options.stored) if options.stored else None

    prices = load_prices(bars, symbols_of((*candidates, *others)))
    sessions = choose_sessions((*candidates, *others), prices.history, options.period)
    result = backtest(candidates, prices, sessions, capital=options.capital, costs_bps=options.costs_bps)

    theirs = _backtest_others(others, result, prices) if others else stored
    comparison = None
    if theirs is not None:
        comparison = compare(track_of(result, "this backtest"), theirs, capital=options.capital)
    split = None if options.split is None else split_curves(Report(result).curves, options.split)
    return Report(result, split, comparison, vary(result, prices) if robustness else None)


def _backtest_others(others: Sequence[Candidate], result: Result, prices: Prices) -> Track:
    """Backtest other strategies on the same sessions."""
    sessions = [day.signal.session for day in result.days]
    theirs = backtest(others, prices, sessions, capital=result.capital, costs_bps=result.costs_bps)
    return track_of(theirs, ", ".join(candidate.name for candidate in others))


def _write_files(report: Report, options: Options) -> list[str]:
    """Write the requested files, and return a line about each."""
    lines = []
    if options.csv is not None:
        from desk.backtest.output.trades_csv import write_trades  # noqa: PLC0415 - only --csv needs it

        lines.append(f"trades  {write_trades(report.result, options.csv)}")
    if options.page is not None:
        from desk.backtest.output.page import write_page  # noqa: PLC0415 - a slow import that only --html needs

        with console.progress("drawing the page"):
            lines.append(f"page  {write_page(report, options.page)}")
    return lines


@contextmanager
def _paused_collector() -> Iterator[None]:
    """Pause Python's cyclic collector: a backtest keeps almost all it makes, so a pass finds nothing to free."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _translate_errors(period: RequestedPeriod) -> Iterator[None]:
    """Translate the product's errors about strategies and bars into failed checks."""
    try:
        yield
    except InsufficientHistoryError as error:
        fix = "; omit --start to begin with the first possible session" if period.start else ""
        raise CheckFailedError(f"{error}{fix}", where=_WHERE) from error
    except AlchemiserError as error:
        raise CheckFailedError(str(error), where=_WHERE) from error
