"""Prices of orders: the walk through the spread, its bounds, and the quotes that protect no market order."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.broker_fake import NOW
from tests.the_alchemiser.execution_v2.stage import quote, sale
from the_alchemiser.execution_v2.pricing import MarketView, view_market
from the_alchemiser.shared.broker.models import Quote, Snapshot, Trade
from the_alchemiser.shared.values import Side

CAP = Decimal("0.01")
PLANNED = Decimal(99)


def view(quoted: Quote | None, sold: Trade | None) -> MarketView | None:
    return view_market(Snapshot("SPY", quoted, sold), at=NOW, planning_price=PLANNED, cap=CAP)


def seen(quoted: Quote | None, sold: Trade | None = None) -> MarketView:
    market = view(quoted, sold)
    assert market is not None
    return market


@pytest.mark.parametrize(
    ("fraction", "bought_at", "sold_at"),
    [("0.75", "100.12", "100.04"), ("0.85", "100.14", "100.02"), ("0.95", "100.16", "100.00")],
)
def test_limit_price_walks_toward_the_far_side(fraction: str, bought_at: str, sold_at: str) -> None:
    market = seen(quote("100.00", "100.16"), sale("100.05"))

    assert market.limit_price(Side.BUY, Decimal(fraction)) == Decimal(bought_at)
    assert market.limit_price(Side.SELL, Decimal(fraction)) == Decimal(sold_at)


def test_limit_price_under_a_dollar_has_finer_ticks() -> None:
    market = seen(quote("0.5000", "0.5010"), sale("0.5005"))

    assert market.limit_price(Side.BUY, Decimal("0.75")) == Decimal("0.5008")
    assert market.limit_price(Side.SELL, Decimal("0.75")) == Decimal("0.5002")


def test_limit_price_of_wide_quote_stays_near_the_last_sale() -> None:
    market = seen(quote("60", "140"), sale("100.05"))

    assert market.limit_price(Side.BUY, Decimal("0.95")) == Decimal("101.05")
    assert market.limit_price(Side.SELL, Decimal("0.95")) == Decimal("99.05")


def test_limit_price_without_usable_quote_is_the_last_sale() -> None:
    market = seen(quote("0", "140"), sale("100.05"))

    assert market.limit_price(Side.BUY, Decimal("0.95")) == Decimal("100.05")
    assert market.limit_price(Side.SELL, Decimal("0.95")) == Decimal("100.05")


@given(
    bid=st.decimals(min_value=Decimal("0.0002"), max_value=Decimal(1000), places=4),
    spread=st.decimals(min_value=Decimal(0), max_value=Decimal(1000), places=4),
    last=st.decimals(min_value=Decimal("0.0200"), max_value=Decimal(1000), places=4),
    side=st.sampled_from(Side),
    fraction=st.sampled_from(["0.75", "0.85", "0.95"]),
)
def test_limit_price_is_on_the_tick_within_its_bound(
    bid: Decimal, spread: Decimal, last: Decimal, side: Side, fraction: str
) -> None:
    market = MarketView(Quote("SPY", bid, bid + spread, NOW), last, CAP)

    price = market.limit_price(side, Decimal(fraction))

    assert price % (Decimal("0.01") if price >= 1 else Decimal("0.0001")) == 0
    assert price <= last * (1 + CAP) if side is Side.BUY else price >= last * (1 - CAP)


def test_touch_is_the_far_side() -> None:
    market = seen(quote("99.99", "100.01"), sale("100"))

    assert (market.touch(Side.BUY), market.touch(Side.SELL)) == (Decimal("100.01"), Decimal("99.99"))
    assert seen(None, sale("100")).touch(Side.BUY) == Decimal(100)


@pytest.mark.parametrize("side", Side)
def test_refuse_market_order_of_narrow_quote_allows(side: Side) -> None:
    assert seen(quote("99.50", "100.50"), sale("100")).refuse_market_order(side) is None


@pytest.mark.parametrize("side", Side)
def test_refuse_market_order_above_the_cap_refuses(side: Side) -> None:
    refusal = seen(quote("99.49", "100.50"), sale("100")).refuse_market_order(side)

    assert refusal is not None
    assert refusal.reason == "spread_too_wide"
    assert refusal.detail == "the spread 99.49 to 100.50 is 1.01%; at most 1.00% is allowed"


@pytest.mark.parametrize(
    ("quoted", "detail"),
    [
        (None, "the broker has no quote"),
        (quote("0", "100"), "the quote has one side only: bid 0, ask 100"),
        (quote("100", "0"), "the quote has one side only: bid 100, ask 0"),
        (quote("100.02", "100.01"), "the quote is crossed: bid 100.02, ask 100.01"),
        (quote("99.99", "100.01", age_s=121), "the quote is 121 s old"),
    ],
)
def test_refuse_market_order_of_doubtful_quote_says_why(quoted: Quote | None, detail: str) -> None:
    market = seen(quoted, sale("100"))

    refusal = market.refuse_market_order(Side.BUY)

    assert market.quote is None
    assert refusal is not None
    assert (refusal.reason, refusal.detail) == ("spread_too_wide", detail)


@pytest.mark.parametrize("age_s", [120, 0, -5])
def test_view_market_takes_quote_of_two_minutes(age_s: float) -> None:
    assert seen(quote("99.99", "100.01", age_s=age_s), sale("100")).quote is not None


def test_view_market_takes_a_locked_quote() -> None:
    assert seen(quote("100", "100"), sale("100")).refuse_market_order(Side.BUY) is None


@pytest.mark.parametrize(
    ("side", "last", "far_side", "worse"),
    [(Side.BUY, "98.99", "100.00", "1.02%"), (Side.SELL, "101.01", "99.99", "1.01%")],
)
def test_refuse_market_order_far_from_the_last_sale_refuses(side: Side, last: str, far_side: str, worse: str) -> None:
    refusal = seen(quote("99.99", "100.00"), sale(last)).refuse_market_order(side)

    assert refusal is not None
    assert refusal.reason == "spread_too_wide"
    assert refusal.detail == f"{far_side} is {worse} worse than the last sale {last}; at most 1.00% is allowed"


def test_refuse_market_order_exactly_at_the_cap_from_the_last_sale_allows() -> None:
    assert seen(quote("100.00", "101.00"), sale("100")).refuse_market_order(Side.BUY) is None


@pytest.mark.parametrize(("side", "last"), [(Side.SELL, "90"), (Side.BUY, "110"), (Side.BUY, "99.0100")])
def test_refuse_market_order_better_than_the_last_sale_allows(side: Side, last: str) -> None:
    assert seen(quote("99.99", "100.00"), sale(last)).refuse_market_order(side) is None


@pytest.mark.parametrize("sold", [None, Trade("SPY", Decimal(0), NOW)])
def test_view_market_without_sale_is_bounded_by_the_planning_price(sold: Trade | None) -> None:
    market = seen(quote("98.99", "99.01"), sold)

    assert market.last == PLANNED
    assert market.quote == quote("98.99", "99.01")
    assert market.cap == CAP


@pytest.mark.parametrize("snapshot", [None, Snapshot("SPY", None, None), Snapshot("SPY", quote("0", "1"), None)])
def test_view_market_with_neither_quote_nor_sale_is_none(snapshot: Snapshot | None) -> None:
    assert view_market(snapshot, at=NOW, planning_price=PLANNED, cap=CAP) is None


def test_view_market_measures_age_from_the_moment_given() -> None:
    snapshot = Snapshot("SPY", quote("99.99", "100.01"), sale("100"))

    later = view_market(snapshot, at=NOW + timedelta(minutes=3), planning_price=PLANNED, cap=CAP)

    assert later is not None
    assert later.doubt == "the quote is 180 s old"
