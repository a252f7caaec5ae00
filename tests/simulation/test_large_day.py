"""A day of 100 strategies and 200 trades through the real functions: size loses nothing, and nothing outgrows AWS."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from benchmarks.large_book import COIN, symbols_of, write_book
from sandbox.exchange.history import BarSeries
from sandbox.exchange.market import Market
from sandbox.exchange.orders import Side
from sandbox.exchange.sessions import session_on, sessions_between
from tests.simulation import book, functions, kernel, system
from tests.simulation.dynamo_tables import Item, Key, TableData, Tables
from tests.simulation.end_state import EndState
from tests.simulation.invariants import INVARIANTS
from tests.simulation.lake import prepared_lake
from tests.simulation.reading import Reading
from tests.simulation.scenario import AccountPlan, DayKind, Scenario
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.exchange_time import LAST_ORDER
from the_alchemiser.shared.run.runs import RunState

pytestmark = pytest.mark.slow

STRATEGIES, TRADES = 100, 200
DAY = date(2022, 6, 15)
RUN = f"dev-{DAY}"
FIRST_DAY, LAST_DAY = date(2022, 4, 1), date(2022, 7, 29)
BOUGHT, SOLD = symbols_of(STRATEGIES)
ITEM_BYTES, MESSAGE_BYTES = 400 * 1024, 256 * 1024


@dataclass(frozen=True, slots=True)
class LargeDay:
    """The end of the day, and the bytes of the largest item that was ever written."""

    end: EndState
    largest_item_bytes: int


@pytest.fixture(scope="module")
def large_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LargeDay]:
    folder = tmp_path_factory.mktemp("strategies")
    write_book(folder, STRATEGIES)
    sizes: list[int] = []
    write = Tables.write

    def measured(tables: Tables, data: TableData, key: Key, item: Item | None) -> None:
        sizes.append(len(json.dumps(item)))
        write(tables, data, key, item)

    with pytest.MonkeyPatch.context() as patch:
        trade_book(patch, folder)
        patch.setattr(Tables, "write", measured)
        yield LargeDay(kernel.simulate(scenario()), max(sizes))


def trade_book(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the functions trade the book of a folder, on a market with its symbols."""
    market, loaded = large_market(), load_book(folder)
    patch.setattr(book, "STRATEGIES", folder)
    patch.setattr(functions, "_load_book_once", lambda: loaded)
    patch.setattr(system, "base_market", lambda: market)
    patch.setattr(kernel, "prepared_lake", cache(prepared_lake.__wrapped__))


def large_market() -> Market:
    """Return a market whose coin rises on the session before the day, so that the book buys what it does not hold."""
    dates = [session.date for session in sessions_between(FIRST_DAY, LAST_DAY)]
    parity = dates.index(DAY) % 2
    coin = [101.0 if number % 2 != parity else 100.0 for number in range(len(dates))]
    series = {COIN: BarSeries(COIN, dates, coin, None)}
    for number, symbol in enumerate((*BOUGHT, *SOLD)):
        closes = [round(20 + number + 0.1 * (place % 7), 2) for place in range(len(dates))]
        series[symbol] = BarSeries(symbol, dates, closes, None)
    return Market(series)


def scenario() -> Scenario:
    """Return a day that begins with every symbol that the book has to sell."""
    held = {symbol: Decimal(10) for symbol in SOLD}
    return Scenario(seed=1, kind=DayKind.NORMAL, dates=(DAY,), account=AccountPlan(opened_by_strategies=held))


def test_large_day_sells_and_buys_everything_once(large_day: LargeDay) -> None:
    end, run = large_day.end, large_day.end.runs[RUN]

    assert (run.state, run.settled, end.is_quiet, dict(end.dead_letters)) == (RunState.COMPLETED, True, True, {})
    assert len(run.allocations) == STRATEGIES
    assert traded(end, Side.SELL) == sorted(SOLD)
    assert traded(end, Side.BUY) == sorted(BOUGHT)
    assert len(end.fills) == len(end.orders) == len(end.posts) == len(end.trade_messages) == TRADES
    assert sorted(end.account.positions) == sorted(BOUGHT)


def traded(end: EndState, side: Side) -> list[str]:
    """Return the symbol of each fill on one side, sorted."""
    return sorted(fill.symbol for fill in end.fills if fill.side is side)


def test_large_day_is_reported_in_one_mail(large_day: LargeDay) -> None:
    [mail] = large_day.end.mails

    assert mail.subject.startswith(f"[dev] {DAY}: run completed, {TRADES} trades")
    assert all(symbol in mail.text for symbol in (*SOLD, *BOUGHT))


def test_large_day_keeps_every_promise(large_day: LargeDay) -> None:
    reading = Reading(large_day.end)

    violations = {name: list(invariant(reading)) for name, invariant in INVARIANTS.items()}
    assert {name: sentences for name, sentences in violations.items() if sentences} == {}


def test_large_day_ends_in_time_at_the_limit_of_the_broker(large_day: LargeDay) -> None:
    session = session_on(DAY)
    [completed] = [change.at for change in large_day.end.changes if change.change == RunState.COMPLETED]

    assert session is not None
    assert completed < session.closes - LAST_ORDER


def test_large_day_fits_into_items_and_messages_of_aws(large_day: LargeDay) -> None:
    messages = (*large_day.end.published, *large_day.end.trade_messages)
    notices = [len(notice.text) for notice in large_day.end.notices]

    assert large_day.largest_item_bytes < ITEM_BYTES
    assert max(len(json.dumps(message.detail)) for message in messages) < MESSAGE_BYTES
    assert max(notices) < MESSAGE_BYTES
