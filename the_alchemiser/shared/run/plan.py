"""The rebalance plan: one decision per symbol, with its reason, traded or not. Stored as the run's PLAN item."""

from collections.abc import Mapping
from decimal import Decimal

from the_alchemiser.shared.values import Side, Symbol, Value

# Parts of the reason why a symbol is not traded.
BELOW_MINIMUM = "is below the minimum of"
BELOW_SMALLEST = "is less than the smallest quantity that trades"


class TradeDecision(Value):
    """The decision about one symbol, and its reason.

    Attributes:
        side: None when nothing is traded.
        quantity: shares to trade, zero when nothing is.
        held: shares owned when the plan was computed.
        price: USD per share, the latest trade, fetched once.
        last_close: USD per share at as_of.
        target_weight: fraction of equity, before the deployment fraction.
        target_quantity: shares held once the trade has filled.
        reason: a sentence for people: why this trade, or why none.
        deltas: signed shares that each strategy wants to trade; they sum to the trade, up to rounding, unless open
            orders already bring a part of it.
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
    """The whole plan of a run; equity and cash in USD as the broker reported them.

    Attributes:
        investable: USD that the target weights are fractions of: equity without the holdings left alone. None in a
            plan of an earlier release, where it is the equity.
        quarantined: holdings left alone, by symbol as the broker spells it: why, as a reason code. No decision is
            about them.
        untradable: symbols with a target weight that cannot be traded now: why, as a reason code. Their part of the
            equity stays in cash, and no decision is about them.
    """

    run_id: str
    equity: Decimal
    cash: Decimal
    deployment_fraction: Decimal
    decisions: tuple[TradeDecision, ...]
    investable: Decimal | None = None
    quarantined: Mapping[str, str] = {}
    untradable: Mapping[str, str] = {}

    def trades(self, side: Side) -> tuple[TradeDecision, ...]:
        """Return the decisions that trade on that side, by symbol."""
        return tuple(decision for decision in self.decisions if decision.side is side)

    def by_trade_id(self) -> Mapping[str, TradeDecision]:
        """Return the decisions that trade, by trade id: sells first, then in the plan's order."""
        decisions: dict[str, TradeDecision] = {}
        for side in (Side.SELL, Side.BUY):
            for decision in self.trades(side):
                decisions[trade_id(self.run_id, side, decision.symbol)] = decision
        return decisions


def trade_id(run_id: str, side: Side, symbol: str) -> str:
    """Return `<run_id>-<side>-<symbol>`: also the deduplication id, and the prefix of every client order id."""
    return f"{run_id}-{side.value}-{symbol}"
