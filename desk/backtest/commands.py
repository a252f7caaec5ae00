"""The `inv backtest` command: read the options, run the backtest, print the result."""

import gc
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from automation.system import console
from automation.system.errors import CheckFailedError, UsageError
from desk.backtest.document import json_document, json_text
from desk.backtest.fills import CloseFills
from desk.backtest.period import RequestedPeriod, choose_sessions
from desk.backtest.prices import Prices, load_prices
from desk.backtest.result import BENCHMARK, Result, benchmark_curve
from desk.backtest.selection import select_strategies
from desk.backtest.signals import Candidate, TradingSession, generate_signals, symbols_of
from desk.backtest.simulate import BacktestDay, Terms, simulate
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError

DEFAULT_PAGE = Path(__file__).resolve().parents[2] / ".alchemiser" / "backtest.html"
DEFAULT_CAPITAL = "100000"
DEFAULT_COSTS_BPS = "1"
_MAX_COSTS_BPS = Decimal(1000)
_WHERE = "backtest"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def run_backtest(
    names: Sequence[str],
    *,
    start: str = "",
    end: str = "",
    capital: str = DEFAULT_CAPITAL,
    costs_bps: str = DEFAULT_COSTS_BPS,
    html: str | bool | None = None,
    json: bool = False,
    bars: str = "",
) -> None:
    """Backtest strategies on past sessions and print the result.

    Args:
        names: strategies of the book or strategy files; empty for the whole book.
        start: first session to trade, as 2021-01-04; empty for the first possible one.
        end: last session to trade; empty for the last possible one.
        capital: USD.
        costs_bps: trading costs per side in basis points of the price.
        html: path of a page to write, True for .alchemiser/backtest.html, empty or None for no page.
        json: print JSON instead of text.
        bars: a folder of prices; empty for the bundled ones.

    Raises:
        UsageError: a strategy, date or amount is not valid.
        CheckFailedError: the book or a strategy cannot be read, or bars that a day needs are missing.
    """
    period = RequestedPeriod(_parse_day("start", start), _parse_day("end", end))
    capital_usd, costs, page_path = _parse_capital(capital), _parse_costs(costs_bps), _page_path(html)

    with _translate_errors(period), _paused_collector():
        candidates = select_strategies(names, load_book())
        prices = load_prices(bars, symbols_of(candidates))
        sessions = choose_sessions(candidates, prices.history, period)
        result = backtest(candidates, prices, sessions, capital=capital_usd, costs_bps=costs)

    page = _write_page(result, page_path)
    if json:
        console.result(json_text(json_document(result)))
    else:
        from desk.backtest import text  # noqa: PLC0415 - not needed for --json

        text.print_result(result)
        if page is not None:
            console.result(f"page  {page}")


def backtest(
    candidates: Sequence[Candidate],
    prices: Prices,
    sessions: Sequence[TradingSession],
    *,
    capital: Decimal,
    costs_bps: Decimal,
) -> Result:
    """Evaluate and trade every session, and show the progress.

    Raises:
        EvaluationError: a strategy cannot be evaluated on a day.
        NoBarError: a symbol that is held or targeted has no price on a day.
    """
    terms = Terms(capital, CloseFills(prices.history, costs_bps=costs_bps))
    with console.steps("deciding", len(candidates) + len(sessions)) as on_step:
        signals = generate_signals(candidates, prices.history, sessions, on_decided=on_step)
        days = tuple(_count_days(simulate(signals, terms), on_step))

    curve, note = None, ""
    closes = _benchmark_closes(prices, sessions)
    if isinstance(closes, str):
        note = closes
    else:
        dates = (sessions[0].as_of, *(session.day for session in sessions))
        curve = benchmark_curve(dates, closes, capital)
    return Result(tuple(candidates), prices.origin, capital, costs_bps, days, curve, note)


def _count_days(days: Iterator[BacktestDay], on_step: Callable[[str], None]) -> Iterator[BacktestDay]:
    for day in days:
        on_step(f"{day.date:%B %Y}")
        yield day


def _benchmark_closes(prices: Prices, sessions: Sequence[TradingSession]) -> Floats | str:
    """Return the benchmark's closes on the sessions, or why there is no comparison."""
    history = prices.benchmark
    close_by_day = dict(zip(history.dates.tolist(), history.of(BENCHMARK).tolist(), strict=True))
    closes = np.array([close_by_day.get(session.day, np.nan) for session in sessions])
    missing = np.flatnonzero(np.isnan(closes))
    if not missing.size:
        return closes

    flaw = history.flaws.get(BENCHMARK)
    if flaw:
        return f"its bars are not usable: {flaw}"
    more = f" and {missing.size - 1} more sessions" if missing.size > 1 else ""
    return f"it has no bar for {sessions[missing[0]].day}{more}"


def _write_page(result: Result, path: Path | None) -> Path | None:
    if path is None:
        return None
    from desk.backtest.page import write_page  # noqa: PLC0415 - a slow import that only --html needs

    with console.progress("drawing the page"):
        return write_page(result, path)


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


def _parse_day(option: str, text: str) -> date | None:
    if not text:
        return None
    try:
        # Python accepts other date formats too, for example 20210104; a user who types one may mean something else.
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise UsageError(f"--{option} {text!r} is not a date; write it like 2021-01-04", where=_WHERE) from None


def _parse_capital(text: str) -> Decimal:
    amount = _parse_number(text.replace(",", "").removeprefix("$"))
    if amount is None or amount < 1 or amount != round(amount, 2):
        raise UsageError(
            f"--capital {text!r} is not a valid amount; give at least 1 USD, for example 100000", where=_WHERE
        )
    return amount


def _parse_costs(text: str) -> Decimal:
    costs = _parse_number(text)
    if costs is None or not 0 <= costs <= _MAX_COSTS_BPS:
        raise UsageError(
            f"--costs-bps must be a number from 0 to {_MAX_COSTS_BPS} (basis points per side), got {text!r}",
            where=_WHERE,
        )
    return costs


def _page_path(html: str | bool | None) -> Path | None:
    if not html or html is True:
        return DEFAULT_PAGE if html else None
    if not html.endswith(".html"):
        # Invoke takes the word after --html as its value, so this may be the name of a strategy.
        message = f"--html {html!r} does not end in .html; give the path of a page, or put strategy names before --html"
        raise UsageError(message, where=_WHERE)
    return Path(html)


def _parse_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
