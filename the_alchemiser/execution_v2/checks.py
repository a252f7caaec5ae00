"""The checks of a trade against its run and against the account's position. Pure."""

from decimal import Decimal
from typing import Protocol

from the_alchemiser.shared.broker.errors import InsufficientQuantityError
from the_alchemiser.shared.broker.models import Position
from the_alchemiser.shared.formats import shares
from the_alchemiser.shared.messaging.messages import TradeRequested
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Refusal, Side

SMALLEST_ORDER = Decimal(1)
"""USD: the broker's minimum for an order with a fraction of a share."""

_PHASES = {Side.SELL: RunState.SELLING, Side.BUY: RunState.BUYING}


class RunStates(Protocol):
    """The run store, as execution needs it."""

    def state_of(self, run_id: str) -> RunState | None:
        """Return the run's state, strongly consistent; None for a run that does not exist."""
        ...


def refuse_run(trade: TradeRequested, state: RunState | None) -> Refusal | None:
    """Refuse a trade whose run is not in the phase that released it: another run may trade its shares by now."""
    if state is _PHASES[trade.side]:
        return None
    what = f"{trade.run_id} does not exist" if state is None else f"{trade.run_id} is {state}"
    return Refusal(reason="run_ended", detail=f"{what}; its {trade.side.lower()}s are over")


def size_sale(trade: TradeRequested, remaining: Decimal, position: Position | None) -> Decimal | Refusal:
    """Return how many shares to sell now: never more than are held and not reserved by other orders.

    Args:
        position: as the broker reported it just now.
    """
    if position is None or position.quantity <= 0:
        detail = f"no {trade.symbol} is held any more: something else sold it; {shares(remaining)} shares were left"
        return Refusal(reason="no_position", detail=detail)
    if position.available <= 0:
        detail = f"other orders reserve all {shares(position.quantity)} shares of {trade.symbol}"
        return Refusal(reason=InsufficientQuantityError.reason, detail=detail)
    return min(remaining, position.available)


def is_too_small(trade: TradeRequested, remaining: Decimal, held: Decimal | None = None) -> bool:
    """Return whether the broker takes no order for the rest of a trade that has filled in part.

    The price is the plan's, so that every attempt decides alike.

    Args:
        held: shares of the position that a sale reduces.
    """
    if remaining == remaining.to_integral_value() or remaining * trade.planning_price >= SMALLEST_ORDER:
        return False
    # A whole position may be sold whatever it is worth: a full exit leaves no dust.
    return held is None or remaining < held
