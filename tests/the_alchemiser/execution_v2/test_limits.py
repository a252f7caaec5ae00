"""The limits: one planted breach for each of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser.broker_fake import CLOSE, NOW
from the_alchemiser.execution_v2.limits import Limits, Proposal, limits_of, refuse_order, refuse_time, to_tick
from the_alchemiser.shared.values import Clock, Refusal, Side

PROPOSAL = Proposal("SPY", quantity=Decimal(10), price=Decimal(500), last_close=Decimal(480))


def _clock(to_close: timedelta, *, is_open: bool = True) -> Clock:
    return Clock(CLOSE - to_close, is_open, CLOSE + timedelta(days=3), CLOSE)


def test_refuse_time_with_sixty_seconds_left_allows() -> None:
    assert refuse_time(_clock(timedelta(seconds=60)), NOW) is None


@pytest.mark.parametrize(
    ("clock", "requested_at", "reason", "detail"),
    [
        (
            _clock(timedelta(seconds=59)),
            NOW,
            "market_closed",
            "59 s to the close; an order needs at least 60 s",
        ),
        (
            _clock(timedelta(hours=-1), is_open=False),
            NOW,
            "market_closed",
            "the market is closed until 2024-03-18T20:00:00+00:00",
        ),
        (
            _clock(timedelta(minutes=15)),
            NOW - timedelta(days=1),
            "stale_trade",
            "the trade was requested on 2024-03-14, the broker's date is 2024-03-15",
        ),
    ],
)
def test_refuse_time_when_too_late_says_why(clock: Clock, requested_at: datetime, reason: str, detail: str) -> None:
    assert refuse_time(clock, requested_at) == Refusal(reason=reason, detail=detail)


def test_refuse_time_over_utc_midnight_is_the_same_new_york_day() -> None:
    late = datetime(2024, 3, 16, 0, 30, tzinfo=UTC)
    clock = Clock(late, is_open=True, next_open=late, next_close=late + timedelta(hours=1))

    assert refuse_time(clock, NOW) is None


def test_refuse_order_within_all_limits_allows() -> None:
    limits = Limits(notional=Decimal(5000), price_distance=Decimal("0.05"), universe=frozenset({"SPY"}))

    assert refuse_order(PROPOSAL, limits) is None
    assert refuse_order(PROPOSAL, Limits()) is None


def test_limits_by_default_cap_the_spread_at_one_percent() -> None:
    assert Limits().spread == Decimal("0.01")


@pytest.mark.parametrize(
    ("limits", "reason", "detail"),
    [
        (
            Limits(notional=Decimal("4999.99")),
            "limit_notional",
            "the order is worth $5,000.00; at most $4,999.99 is allowed",
        ),
        (
            Limits(price_distance=Decimal("0.04")),
            "limit_price_distance",
            "500 is 4.2% from the last close 480; at most 4.0% is allowed",
        ),
        (Limits(universe=frozenset({"QQQ"})), "limit_universe", "SPY is not in the allowed universe"),
    ],
)
def test_refuse_order_beyond_a_limit_names_it(limits: Limits, reason: str, detail: str) -> None:
    assert refuse_order(PROPOSAL, limits) == Refusal(reason=reason, detail=detail)


@pytest.mark.parametrize(("price", "last_close"), [("510", "500"), ("490", "500"), ("0.51", "0.5")])
def test_refuse_order_exactly_at_the_price_distance_allows(price: str, last_close: str) -> None:
    proposal = Proposal("SPY", Decimal(1), Decimal(price), Decimal(last_close))

    assert refuse_order(proposal, Limits(price_distance=Decimal("0.02"))) is None


def test_refuse_order_without_last_close_refuses() -> None:
    proposal = Proposal("SPY", Decimal(1), Decimal(500), last_close=Decimal(0))

    assert refuse_order(proposal, Limits(price_distance=Decimal("0.5"))) == Refusal(
        reason="limit_price_distance", detail="there is no last close to compare the price with"
    )


@given(st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(10_000), places=6))
def test_to_tick_moves_less_than_a_tick_toward_the_fill(price: Decimal) -> None:
    tick = Decimal("0.01") if price >= 1 else Decimal("0.0001")

    buy, sell = to_tick(price, Side.BUY), to_tick(price, Side.SELL)

    assert price <= buy < price + tick
    assert price - tick < sell <= price
    assert buy % tick == sell % tick == 0


def test_limits_of_empty_configuration_allows_anything() -> None:
    assert limits_of(notional="", price_distance="", universe="", spread="") == Limits()


def test_limits_of_configuration_reads_decimals_and_symbols() -> None:
    limits = limits_of(notional="25000", price_distance="0.1", universe="SPY, QQQ,", spread="0.02")

    assert limits == Limits(Decimal(25_000), Decimal("0.1"), frozenset({"SPY", "QQQ"}), Decimal("0.02"))
