"""The steps of a trade: limits ever closer to the far side of the spread, then a market order for the rest. Pure.

Every step costs calls to the broker, time, and a part of the account's rate limit. When one of them runs short, limit
steps are skipped. A confirmation is never skipped: a step is only taken when its own confirmation can be paid too.
"""

from decimal import Decimal

from the_alchemiser.execution_v2.orders import Timing
from the_alchemiser.shared.broker.models import OrderType
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Refusal, Side

FRACTIONS = (Decimal("0.75"), Decimal("0.85"), Decimal("0.95"))
"""Of the spread, from the passive side: where the limits are."""

TRADES_AT_ONCE = 4
"""Trades that share the rate limit: the MaximumConcurrency of the trade queue."""

_ORDER, _LOOK, _CANCELLATION = 1, 1, 1
_MARKET_CALLS = _ORDER + _LOOK


class Step(Frozen):
    """The next order.

    Attributes:
        fraction: of the spread, for a limit; None for a market order.
        rest_s: how long it may rest.
        looks: how many calls may look at it before it is cancelled.
    """

    fraction: Decimal | None
    rest_s: float
    looks: int

    @property
    def type(self) -> OrderType:
        """Return the type of the order."""
        return OrderType.MARKET if self.fraction is None else OrderType.LIMIT


class Means(Frozen):
    """What an attempt has left when it is about to send an order.

    Attributes:
        calls: to the broker, in this attempt.
        time_s: until its deadline.
        allowance: requests that all of the account's programs have left in this minute; None when that is not known.
        confirmation: calls that the slowest cancellation so far took until it was confirmed.
    """

    calls: int
    time_s: float
    allowance: int | None
    confirmation: int = 1

    @property
    def limit_calls(self) -> int:
        """Return the calls that a limit takes when it does not fill, without looking at it in between."""
        return _ORDER + _CANCELLATION + self.confirmation


def calls_to_prepare(side: Side) -> int:
    """Return the calls before a later order of a trade: its quote and, for a sale, the position."""
    return 2 if side is Side.SELL else 1


def can_order(means: Means, timing: Timing) -> bool:
    """Return whether the attempt has the calls and the time for one more order and its confirmation."""
    return means.calls >= _MARKET_CALLS and means.time_s >= _least_s(timing)


def next_step(
    side: Side, *, limits_used: int, unprotected: Refusal | None, means: Means, timing: Timing
) -> Step | Refusal:
    """Return the next step, or `unprotected` when no limit is left and a market order is not allowed.

    Args:
        limits_used: limit orders of this trade so far.
        unprotected: why the quote allows no order without a limit; None when it does.
        means: at least what `can_order` requires.
    """
    market_allowed = unprotected is None
    limits = _affordable_limits(side, limits_used, market_allowed=market_allowed, means=means, timing=timing)
    if limits == 0:
        return unprotected or _market_step(means, timing)

    later_orders = limits if market_allowed else limits - 1
    # The market is looked at once more after the last limit: it may allow a market order by then.
    later_calls = (limits - 1) * (calls_to_prepare(side) + means.limit_calls) + calls_to_prepare(side)
    if market_allowed:
        later_calls += _LOOK + means.limit_calls

    return Step(
        # The last limit before the market order is the most aggressive one, however many were skipped before it.
        fraction=FRACTIONS[-limits] if limits_used else FRACTIONS[0],
        rest_s=min(timing.rest_s, means.time_s - timing.confirm_s - later_orders * _least_s(timing)),
        looks=max(means.calls - means.limit_calls - later_calls, _first_look(limits_used)),
    )


def _affordable_limits(side: Side, limits_used: int, *, market_allowed: bool, means: Means, timing: Timing) -> int:
    """Return how many limits may come before the market order, the next one included."""
    affordable = 0
    for limits in range(1, len(FRACTIONS) - limits_used + 1):
        calls = _first_look(limits_used) + limits * (means.limit_calls + calls_to_prepare(side))
        orders = limits
        if market_allowed:
            calls += _MARKET_CALLS
            orders += 1

        too_long = orders * _least_s(timing) > means.time_s
        # The first limit fills as a rule, and then costs no more than a market order: no allowance is too short for it.
        too_many = calls > means.calls or (limits_used > 0 and _is_short(means.allowance, calls))
        if too_long or too_many:
            break
        affordable = limits
    return affordable


def _market_step(means: Means, timing: Timing) -> Step:
    return Step(
        fraction=None,
        rest_s=min(timing.rest_s, means.time_s - timing.confirm_s),
        looks=max(means.calls - means.limit_calls, _LOOK),
    )


def _first_look(limits_used: int) -> int:
    """Return the look soon after a trade's first order: as a rule it has filled by then, and the trade is finished."""
    return 0 if limits_used else _LOOK


def _is_short(allowance: int | None, calls: int) -> bool:
    """Return whether the minute has too few requests left for every trade that may be doing the same now."""
    return allowance is not None and allowance < calls * TRADES_AT_ONCE


def _least_s(timing: Timing) -> float:
    return timing.soon_s + timing.confirm_s
