"""The rebalance plan: one decision a symbol, traded or not, each with its reason. Stored as the run's PLAN item."""

from collections.abc import Mapping
from decimal import Decimal

from the_alchemiser.shared.messaging.messages import Side, Symbol, Value


class TradeDecision(Value):
    """What the plan does with one symbol, and why.

    Attributes:
        side: None when nothing is traded.
        quantity: shares to trade, zero when nothing is.
        held: shares owned when the plan was made.
        price: USD a share, the latest trade, fetched once.
        last_close: USD a share at as_of.
        target_weight: fraction of equity, before the deployment fraction.
        target_quantity: shares the plan aims at.
        reason: for people: why this trade, or why none.
        deltas: signed shares each strategy wants; they sum to the trade, up to rounding.
    """

    symbol: Symbol
    side: Side | None
    quantity: Decimal
    held: Decimal
    price: Decimal
    last_close: Decimal
    target_weight: Decimal
    target_quantity: Decimal
    reason: str
    deltas: Mapping[str, Decimal]


class RebalancePlan(Value):
    """The whole plan of a run; equity, cash and buying power in USD as the broker gave them."""

    run_id: str
    equity: Decimal
    cash: Decimal
    deployment_fraction: Decimal
    decisions: tuple[TradeDecision, ...]

    def trades(self, side: Side) -> tuple[TradeDecision, ...]:
        """The decisions that trade on that side, by symbol."""
        return tuple(decision for decision in self.decisions if decision.side is side)

    def by_trade_id(self) -> Mapping[str, TradeDecision]:
        """The decisions that trade, by trade id: sells first, then in the plan's order."""
        return {
            trade_id(self.run_id, side, decision.symbol): decision
            for side in (Side.SELL, Side.BUY)
            for decision in self.trades(side)
        }


def trade_id(run_id: str, side: Side, symbol: str) -> str:
    """`<run_id>-<side>-<symbol>`: also the deduplication id and the root of every client order id."""
    return f"{run_id}-{side.value}-{symbol}"
