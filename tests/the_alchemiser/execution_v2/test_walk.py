"""The choice of the next step: how many limits fit the calls, the time and the rate limit that are left."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.project import templates
from the_alchemiser.execution_v2.orders import Timing
from the_alchemiser.execution_v2.walk import (
    TRADES_AT_ONCE,
    Means,
    Step,
    calls_to_prepare,
    can_order,
    next_step,
)
from the_alchemiser.shared.broker.models import OrderType
from the_alchemiser.shared.values import Refusal, Side

WIDE = Refusal(reason="spread_too_wide", detail="too wide")
TIMING = Timing()
LEAST_S = TIMING.soon_s + TIMING.confirm_s


@dataclass
class Choice:
    """A choice with plenty of everything, except for what a test takes away."""

    side: Side = Side.BUY
    limits_used: int = 0
    unprotected: Refusal | None = None
    calls: int = 100
    time_s: float = 60.0
    allowance: int | None = None
    confirmation: int = 1

    def next(self) -> Step | Refusal:
        return next_step(
            self.side,
            limits_used=self.limits_used,
            unprotected=self.unprotected,
            means=Means(self.calls, self.time_s, self.allowance, self.confirmation),
            timing=TIMING,
        )

    def step(self) -> Step:
        step = self.next()
        assert isinstance(step, Step)
        return step


def fraction(text: str) -> Decimal:
    return Decimal(text)


def test_trades_at_once_are_those_of_the_trade_queue() -> None:
    template = templates.read(Path(__file__).parents[3] / "template.yaml", name="template.yaml")
    inbox = template.resources["ExecutionFunction"]["Properties"]["Events"]["Inbox"]["Properties"]

    assert inbox["ScalingConfig"]["MaximumConcurrency"] == TRADES_AT_ONCE


@pytest.mark.parametrize("unprotected", [None, WIDE])
@pytest.mark.parametrize(("limits_used", "expected"), [(0, "0.75"), (1, "0.85"), (2, "0.95")])
def test_next_step_with_plenty_is_the_next_limit(limits_used: int, expected: str, unprotected: Refusal | None) -> None:
    step = Choice(limits_used=limits_used, unprotected=unprotected).step()

    assert step.fraction == Decimal(expected)
    assert step.type is OrderType.LIMIT
    assert step.rest_s == TIMING.rest_s


def test_next_step_after_three_limits_is_a_market_order() -> None:
    step = Choice(limits_used=3).step()

    assert step.fraction is None
    assert step.type is OrderType.MARKET
    assert step.rest_s == TIMING.rest_s


def test_next_step_after_three_limits_of_wide_market_is_its_refusal() -> None:
    assert Choice(limits_used=3, unprotected=WIDE).next() == WIDE


# The first limit is looked at once before it is cancelled: 4 calls, each further one 3. A market order takes 2. Before
# each order but the next come 1 call for a buy and 2 for a sale.
@pytest.mark.parametrize(
    ("side", "limits_used", "calls", "expected"),
    [
        (Side.BUY, 0, 7, "0.75"),
        (Side.BUY, 0, 6, None),
        (Side.SELL, 0, 8, "0.75"),
        (Side.SELL, 0, 7, None),
        (Side.BUY, 1, 10, "0.85"),
        (Side.BUY, 1, 9, "0.95"),
        (Side.BUY, 1, 6, "0.95"),
        (Side.BUY, 1, 5, None),
        (Side.SELL, 1, 12, "0.85"),
        (Side.SELL, 1, 11, "0.95"),
        (Side.SELL, 1, 7, "0.95"),
        (Side.SELL, 1, 6, None),
    ],
)
def test_next_step_skips_limits_that_calls_do_not_pay(
    side: Side, limits_used: int, calls: int, expected: str | None
) -> None:
    step = Choice(side=side, limits_used=limits_used, calls=calls).step()

    assert step.fraction == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(("calls", "expected"), [(8, "0.85"), (7, "0.95"), (4, "0.95")])
def test_next_step_of_wide_market_keeps_no_calls_for_a_market_order(calls: int, expected: str) -> None:
    assert Choice(limits_used=1, unprotected=WIDE, calls=calls).step().fraction == Decimal(expected)


def test_next_step_of_wide_market_without_calls_is_its_refusal() -> None:
    assert Choice(limits_used=1, unprotected=WIDE, calls=3).next() == WIDE


@pytest.mark.parametrize(
    ("limits_used", "orders", "expected"), [(0, 2, "0.75"), (1, 3, "0.85"), (1, 2.9, "0.95"), (1, 2, "0.95")]
)
def test_next_step_skips_limits_that_time_does_not_allow(limits_used: int, orders: float, expected: str) -> None:
    assert Choice(limits_used=limits_used, time_s=orders * LEAST_S).step().fraction == Decimal(expected)


@pytest.mark.parametrize("limits_used", [0, 1])
def test_next_step_without_time_for_two_orders_is_a_market_order(limits_used: int) -> None:
    assert Choice(limits_used=limits_used, time_s=1.9 * LEAST_S).step().fraction is None


def test_next_step_rests_no_longer_than_later_orders_allow() -> None:
    one_limit = Choice(limits_used=2, time_s=2 * LEAST_S + 1).step()
    two_limits = Choice(limits_used=1, time_s=3 * LEAST_S + 1).step()
    wide = Choice(limits_used=2, unprotected=WIDE, time_s=LEAST_S + 1).step()
    market = Choice(limits_used=3, time_s=LEAST_S + 1).step()

    assert [step.rest_s for step in (one_limit, two_limits, wide, market)] == [TIMING.soon_s + 1] * 4


@pytest.mark.parametrize(("allowance", "expected"), [(None, "0.85"), (40, "0.85"), (39, "0.95"), (24, "0.95")])
def test_next_step_after_the_first_shares_the_minute_with_other_trades(allowance: int | None, expected: str) -> None:
    """Four trades at once: 10 calls for two limits and the market order, 6 for one limit."""
    assert Choice(limits_used=1, allowance=allowance).step().fraction == Decimal(expected)


def test_next_step_after_the_first_with_no_allowance_is_a_market_order() -> None:
    assert Choice(limits_used=1, allowance=23).step().fraction is None


@pytest.mark.parametrize(("confirmation", "expected"), [(1, "0.95"), (2, "0.95"), (3, None)])
def test_next_step_after_slow_cancellations_expects_more_of_them(confirmation: int, expected: str | None) -> None:
    step = Choice(limits_used=1, calls=7, confirmation=confirmation).step()

    assert step.fraction == (None if expected is None else Decimal(expected))


def test_first_step_with_no_allowance_is_a_limit() -> None:
    assert Choice(allowance=0).step().fraction == Decimal("0.75")


# Kept: cancellation and confirmation of this order, and later ones with their preparation, the market order's
# cancellation included.
@pytest.mark.parametrize(
    ("choice", "looks"),
    [
        (Choice(calls=12), 1),
        (Choice(side=Side.SELL, calls=12), 3),
        (Choice(limits_used=1, calls=9), 1),
        (Choice(limits_used=1, calls=8), 0),
        (Choice(limits_used=2, calls=20), 12),
        (Choice(limits_used=2, unprotected=WIDE, calls=20), 16),
        (Choice(limits_used=1, unprotected=WIDE, calls=20), 12),
        (Choice(limits_used=3, calls=4), 1),
        (Choice(limits_used=3, calls=9), 6),
        (Choice(limits_used=3, calls=2), 1),
        (Choice(calls=14, confirmation=3), 2),
        (Choice(limits_used=2, calls=20, confirmation=3), 8),
        (Choice(limits_used=3, calls=9, confirmation=3), 4),
    ],
)
def test_next_step_looks_as_often_as_calls_are_spare(choice: Choice, looks: int) -> None:
    assert choice.step().looks == looks


@pytest.mark.parametrize(
    ("calls", "time_s", "expected"), [(2, LEAST_S, True), (1, LEAST_S, False), (2, LEAST_S - 0.01, False)]
)
def test_can_order_needs_an_order_a_look_and_their_time(calls: int, time_s: float, *, expected: bool) -> None:
    assert can_order(Means(calls, time_s, None), TIMING) is expected


def test_calls_to_prepare_a_sale_include_its_position() -> None:
    assert (calls_to_prepare(Side.BUY), calls_to_prepare(Side.SELL)) == (1, 2)


@pytest.mark.parametrize("total_s", [60.0, 10.0, 3.0])
def test_timing_within_a_total_has_room_for_four_orders(total_s: float) -> None:
    timing = Timing.within(total_s)

    assert timing.total_s == total_s
    assert 4 * (timing.rest_s + timing.confirm_s) < total_s
    assert timing.soon_s < timing.rest_s


def test_timing_by_default_is_that_of_a_minute() -> None:
    assert Timing() == Timing.within(60.0)


@given(
    side=st.sampled_from(Side),
    limits_used=st.integers(min_value=0, max_value=3),
    is_wide=st.booleans(),
    calls=st.integers(min_value=2, max_value=16),
    time_s=st.floats(min_value=LEAST_S, max_value=60),
    allowance=st.none() | st.integers(min_value=0, max_value=200),
)
def test_next_step_always_has_time_to_rest_and_to_be_confirmed(
    side: Side, limits_used: int, calls: int, time_s: float, allowance: int | None, *, is_wide: bool
) -> None:
    choice = Choice(side, limits_used, WIDE if is_wide else None, calls, time_s, allowance)

    step = choice.next()

    if isinstance(step, Step):
        assert TIMING.soon_s <= step.rest_s + 1e-9
        assert step.rest_s + TIMING.confirm_s <= time_s + 1e-9
        assert step.looks >= 0
