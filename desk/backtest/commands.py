"""`inv backtest`: read what is asked for, test it, show it."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from automation.system import console
from automation.system.errors import CheckFailedError, UsageError
from desk.backtest.document import document
from desk.backtest.fills import CloseFills
from desk.backtest.period import Asked, choose_turns
from desk.backtest.prices import Prices, load_prices
from desk.backtest.result import BENCHMARK, Result, benchmark_curve
from desk.backtest.selection import select
from desk.backtest.signals import Candidate, Turn, signals
from desk.backtest.simulate import Day, Terms, simulate
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError

DEFAULT_PAGE = Path(__file__).resolve().parents[2] / ".alchemiser" / "backtest.html"
DEFAULT_CAPITAL = "100000"
DEFAULT_COSTS_BPS = "1"
_MOST_COSTS_BPS = Decimal(1000)
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
    """Test strategies on past sessions and print what came of it.

    Args:
        names: strategies of the book or strategy files; none for the whole book.
        start: of the first session to trade on, as 2021-01-04; empty for the first possible one.
        end: likewise of the last.
        capital: USD.
        costs_bps: basis points of the price, a side.
        html: a path to write a page to, True for .alchemiser/backtest.html, empty or None for no page.
        json: print JSON in place of text.
        bars: a folder of prices; empty for the bundled ones.

    Raises:
        UsageError: a strategy, date or amount that cannot be.
        CheckFailedError: the book or a strategy cannot be read, or bars that a day needs are missing.
    """
    asked = Asked(_day("start", start), _day("end", end))
    money, costs, path = _capital(capital), _costs(costs_bps), _path(html)
    with _told_plainly(asked):
        candidates = select(names, load_book())
        prices = load_prices(bars, {symbol for one in candidates for symbol in one.program.symbols})
        turns = choose_turns(candidates, prices.history, asked)
        result = backtest(candidates, prices, turns, capital=money, costs_bps=costs)
    page = _write_page(result, path)
    if json:
        console.result_json(document(result))
    else:
        from desk.backtest import text  # noqa: PLC0415 - of no use to --json

        text.show(result)
        if page is not None:
            console.result(f"page  {page}")


def backtest(
    candidates: Sequence[Candidate], prices: Prices, turns: Sequence[Turn], *, capital: Decimal, costs_bps: Decimal
) -> Result:
    """Decide and trade every session, showing progress.

    Raises:
        EvaluationError, NoBarError: a strategy has no answer on a day, or a symbol no price.
    """
    terms = Terms(capital, CloseFills(prices.history, costs_bps=costs_bps))
    with console.steps("deciding", len(candidates) + len(turns)) as done:
        days = tuple(_counted(simulate(signals(candidates, prices.history, turns, decided=done), terms), done))
    curve, note = None, ""
    closes = _benchmark_closes(prices, turns)
    if isinstance(closes, str):
        note = closes
    else:
        curve = benchmark_curve((turns[0].as_of, *(turn.day for turn in turns)), closes, capital)
    return Result(tuple(candidates), prices.origin, capital, costs_bps, days, curve, note)


def _counted(days: Iterator[Day], done: Callable[[str], None]) -> Iterator[Day]:
    for day in days:
        done(f"{day.date:%B %Y}")
        yield day


def _benchmark_closes(prices: Prices, turns: Sequence[Turn]) -> Floats | str:
    """Its closes on the sessions; or why there is nothing to compare with."""
    history = prices.benchmark
    known = dict(zip(history.dates.tolist(), history.of(BENCHMARK).tolist(), strict=True))
    closes = np.array([known.get(turn.day, np.nan) for turn in turns])
    absent = np.flatnonzero(np.isnan(closes))
    if not absent.size:
        return closes
    flaw = history.flaws.get(BENCHMARK)
    if flaw:
        return f"its bars are not usable: {flaw}"
    more = f" and {absent.size - 1} more sessions" if absent.size > 1 else ""
    return f"it has no bar of {turns[absent[0]].day}{more}"


def _write_page(result: Result, path: Path | None) -> Path | None:
    if path is None:
        return None
    from desk.backtest.page import write_page  # noqa: PLC0415 - a heavy import, for a page alone

    with console.progress("drawing the page"):
        return write_page(result, path)


@contextmanager
def _told_plainly(asked: Asked) -> Iterator[None]:
    """What the product's code says of strategies and bars, as a check that failed."""
    try:
        yield
    except InsufficientHistoryError as error:
        mend = "; leave --start out to begin on the first session that can be decided" if asked.start else ""
        raise CheckFailedError(f"{error}{mend}", where=_WHERE) from error
    except AlchemiserError as error:
        raise CheckFailedError(str(error), where=_WHERE) from error


def _day(option: str, text: str) -> date | None:
    if not text:
        return None
    try:
        # Python reads more forms of a date than one; a person who types another one means to be asked.
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise UsageError(f"--{option} {text!r} is not a date; give one as 2021-01-04", where=_WHERE) from None


def _capital(text: str) -> Decimal:
    amount = _number(text.replace(",", "").removeprefix("$"))
    if amount is None or amount < 1 or amount != round(amount, 2):
        raise UsageError(f"--capital {text!r} is not an amount; give USD, 1 or more, as 100000", where=_WHERE)
    return amount


def _costs(text: str) -> Decimal:
    costs = _number(text)
    if costs is None or not 0 <= costs <= _MOST_COSTS_BPS:
        raise UsageError(f"--costs-bps {text!r}: give basis points a side, 0 to {_MOST_COSTS_BPS}, as 1", where=_WHERE)
    return costs


def _path(html: str | bool | None) -> Path | None:
    if not html or html is True:
        return DEFAULT_PAGE if html else None
    if not html.endswith(".html"):
        raise UsageError(
            f"--html {html!r} is no page; give a path that ends in .html, or names before it", where=_WHERE
        )
    return Path(html)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
