"""Prices, closes and open orders, with the oddities of the broker."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser import run_builders
from tests.the_alchemiser.fakes import InMemoryRunStore
from tests.the_alchemiser.portfolio_v2.brokerage import AS_OF, DAY, InMemoryBrokerage, open_order
from the_alchemiser.portfolio_v2.market import last_closes, read_listing, shares_to_come
from the_alchemiser.portfolio_v2.rebalance import MissingPriceError
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.run.runs import Run
from the_alchemiser.shared.values import Side


def prices(**values: str) -> dict[str, Decimal]:
    return {symbol: Decimal(value) for symbol, value in values.items()}


def run() -> Run:
    store = InMemoryRunStore()
    store.create(run_builders.new_run(day=DAY).changed(as_of=AS_OF), by="a test", at=run_builders.WALL, outbox=())
    return run_builders.loaded(store)


def split(symbol: str, ex_date: date, old: str, new: str) -> CorporateAction:
    return CorporateAction(symbol, ex_date, CorporateActionKind.SPLIT, Decimal(old), Decimal(new))


def test_read_listing_asks_once_for_all_symbols() -> None:
    broker = InMemoryBrokerage(prices(SPY="500", TLT="90"))

    listing = read_listing(broker, ("SPY", "TLT"))

    assert listing.prices == prices(SPY="500", TLT="90")
    assert set(listing.assets) == {"SPY", "TLT"}
    assert broker.calls == ["assets_of", "latest_trades"]


def test_read_listing_asks_no_price_of_an_unknown_symbol() -> None:
    broker = InMemoryBrokerage(prices(SPY="500", GONE="1"), known=frozenset({"SPY"}), bad_symbols=frozenset({"GONE"}))

    assert read_listing(broker, ("GONE", "SPY")).prices == prices(SPY="500")
    assert broker.calls == ["assets_of", "latest_trades"]


def test_read_listing_isolates_a_symbol_without_data() -> None:
    broker = InMemoryBrokerage(prices(AAA="1", BBB="2", CCC="3", DDD="4"), bad_symbols=frozenset({"CCC"}))

    assert read_listing(broker, ("DDD", "CCC", "BBB", "AAA")).prices == prices(AAA="1", BBB="2", DDD="4")


def test_read_listing_leaves_out_a_price_of_zero() -> None:
    assert read_listing(InMemoryBrokerage(prices(SPY="500", TLT="0")), ("SPY", "TLT")).prices == prices(SPY="500")


def test_read_listing_without_any_price_is_tried_again() -> None:
    broker = InMemoryBrokerage(known=frozenset({"SPY", "TLT"}))

    with pytest.raises(MissingPriceError) as raised:
        read_listing(broker, ("SPY", "TLT", "GLD"))

    assert str(raised.value) == "the broker has no latest trade of any of 2 symbols; nothing is planned"
    assert (raised.value.reason, raised.value.retryable) == ("missing_price", True)


def test_read_listing_of_unknown_symbols_only_is_empty() -> None:
    listing = read_listing(InMemoryBrokerage(), ("GONE",))

    assert (listing.assets, listing.prices) == ({}, {})


def test_shares_to_come_sums_what_buys_have_left() -> None:
    orders = (
        open_order("SPY", Side.BUY, "10", "4"),
        open_order("SPY", Side.BUY, "1"),
        open_order("TLT", Side.SELL, "7"),
        open_order("GLD", Side.BUY, None),
    )
    broker = InMemoryBrokerage(open_orders=orders)

    incoming = shares_to_come(broker, DAY)

    assert dict(incoming) == {"SPY": Decimal(7), "GLD": Decimal("Infinity")}
    assert broker.calls == ["orders"]
    assert broker.orders_after == datetime(2024, 3, 15, tzinfo=UTC) - timedelta(days=100)


def test_last_closes_without_a_split_are_the_known_ones() -> None:
    broker, known = InMemoryBrokerage(), prices(SPY="500")
    other_days = CorporateActions((split("SPY", AS_OF, "1", "2"), split("SPY", date(2024, 3, 18), "1", "2")))

    assert last_closes(broker, run(), known, other_days) == known
    assert broker.calls == []


@pytest.mark.parametrize(("old", "new", "traded", "close"), [("1", "4", "800", "200"), ("10", "1", "3", "30")])
def test_last_closes_of_a_split_today_are_in_new_shares(old: str, new: str, traded: str, close: str) -> None:
    broker = InMemoryBrokerage(raw_closes={"NVDA": traded})
    actions = CorporateActions((split("NVDA", DAY, old, new),))

    closes = last_closes(broker, run(), prices(NVDA="1234", SPY="500"), actions)

    assert closes == prices(NVDA=close, SPY="500")
    assert broker.calls == ["bars"]


def test_last_closes_without_the_traded_bar_adjust_the_known_close() -> None:
    actions = CorporateActions((split("NVDA", DAY, "1", "4"),))

    assert last_closes(InMemoryBrokerage(), run(), prices(NVDA="800"), actions) == prices(NVDA="200")
