"""An end state, read once for all invariants: whose order is it, for which trade, and when did each run change?"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from sandbox.exchange.orders import Fill, Order
from sandbox.exchange.sessions import NEW_YORK
from tests.simulation.end_state import EndState
from tests.simulation.scenario import ActKind
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.run.progress import plan_of

SETTLED = "settled"
FINAL = ("COMPLETED", "FAILED")
NEVER = datetime.max.replace(tzinfo=UTC)


class Violation(NamedTuple):
    """A broken invariant, and one sentence that says what happened."""

    invariant: str
    sentence: str


class PlannedTrade(NamedTuple):
    """A trade of a run's plan."""

    trade_id: str
    run_id: str
    decision: TradeDecision


class OurFill(NamedTuple):
    """A fill of one of our orders."""

    trade: PlannedTrade
    fill: Fill


@dataclass(frozen=True)
class Reading:
    """What the invariants compute from an end state; each property is computed at most once."""

    end: EndState

    @cached_property
    def plans(self) -> Mapping[str, RebalancePlan]:
        """The stored plans, by run id."""
        plans = {run_id: plan_of(run) for run_id, run in self.end.runs.items()}
        return {run_id: plan for run_id, plan in plans.items() if plan is not None}

    @cached_property
    def trades(self) -> Mapping[str, PlannedTrade]:
        """The planned trades of all runs, by trade id."""
        trades: dict[str, PlannedTrade] = {}
        for run_id, plan in self.plans.items():
            for trade_id, decision in plan.by_trade_id().items():
                trades[trade_id] = PlannedTrade(trade_id, run_id, decision)
        return trades

    @cached_property
    def our_orders(self) -> Mapping[UUID, PlannedTrade]:
        """The trade of each of our orders. The successor of an order that somebody edited counts as ours."""
        ours: dict[UUID, PlannedTrade] = {}
        for order in self.end.orders:
            trade = self.trades.get(order.client_order_id.rpartition("-")[0])
            if trade is None and order.replaces is not None:
                trade = ours.get(order.replaces)
            if trade is not None:
                ours[order.id] = trade
        return ours

    @cached_property
    def our_fills(self) -> tuple[OurFill, ...]:
        """The fills of our orders, the oldest first."""
        return tuple(
            OurFill(self.our_orders[fill.order_id], fill) for fill in self.end.fills if fill.order_id in self.our_orders
        )

    def ratio_since(self, symbol: str, moment: datetime | None) -> Decimal:
        """Return how many shares at the end stand for one share at this moment; None is before the first session."""
        day = date.min if moment is None else moment.astimezone(NEW_YORK).date()
        ratio = Decimal(1)
        for split in self.end.scenario.splits:
            if split.symbol == symbol and split.ex_date > day:
                ratio *= Decimal(split.new) / split.old
        return ratio

    @cached_property
    def new_entries(self) -> tuple[LedgerEntry, ...]:
        """The ledger's entries of the history's runs, without those from before it."""
        return tuple(entry for entry in self.end.ledger if entry.run_id in self.end.runs)

    @cached_property
    def changed_at(self) -> Mapping[str, Mapping[str, datetime]]:
        """When each run first entered each state, and when it was settled, by run id and change."""
        times: dict[str, dict[str, datetime]] = defaultdict(dict)
        for change in self.end.changes:
            times[change.run_id].setdefault(change.change, change.at)
        return times

    @property
    def keys_changed_at(self) -> datetime | None:
        """Return when the secret got the keys of another account; None when it never did."""
        changes = (act.at for act in self.end.scenario.acts if act.kind is ActKind.CHANGE_KEYS)
        return next(changes, None)

    def began_at(self, run_id: str) -> datetime:
        """Return when the run was created."""
        return min(self.changed_at.get(run_id, {}).values(), default=NEVER)

    def ended_at(self, run_id: str) -> datetime:
        """Return when the run completed or failed; NEVER while it has not."""
        changes = self.changed_at.get(run_id, {})
        return min((changes[state] for state in FINAL if state in changes), default=NEVER)

    def settled_at(self, run_id: str) -> datetime:
        """Return when the run was settled; NEVER while it is not."""
        return self.changed_at.get(run_id, {}).get(SETTLED, NEVER)

    def sent_orders(self) -> Iterator[tuple[PlannedTrade, Order]]:
        """Yield the orders that the product sent, without the successors that somebody else made of them."""
        for order in self.end.orders:
            if order.id in self.our_orders and order.replaces is None:
                yield self.our_orders[order.id], order
