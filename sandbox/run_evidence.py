"""What the stored items of a run say: answers, signal, plan, releases, outcomes, result, settlement, decisions."""

import json
from collections.abc import Mapping
from typing import Any

from the_alchemiser.shared.market_data.objects import ObjectStore
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Message,
    RunCompleted,
    RunFailed,
    RunSettled,
    SettledOrder,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import Release, plan_of, releases_of
from the_alchemiser.shared.run.runs import SETTLEMENT, SIGNAL, STRATEGY, TRADE, Run


class RunEvidence:
    """A run that its items are read from. A subclass has it as a field."""

    __slots__ = ()
    run: Run

    @property
    def answers(self) -> Mapping[str, StrategyEvaluated | StrategyFailed]:
        """Return each strategy's answer, by name; strategies without an answer are left out."""
        return {
            name: answer
            for name, answer in _recorded(self.run, STRATEGY).items()
            if isinstance(answer, StrategyEvaluated | StrategyFailed)
        }

    @property
    def signal(self) -> SignalGenerated | None:
        """Return the merged signal; None when the run ended before it."""
        item = self.run.items.get(SIGNAL)
        message = None if item is None else outbox.decode(item.body)
        return message if isinstance(message, SignalGenerated) else None

    @property
    def plan(self) -> RebalancePlan | None:
        """Return the plan, with a reason for every trade and non-trade; None when the run ended before it."""
        return plan_of(self.run)

    @property
    def releases(self) -> tuple[Release, ...]:
        """Return the trades that each phase released, sells first."""
        return releases_of(self.run)

    @property
    def outcomes(self) -> Mapping[str, TradeExecuted | TradeFailed]:
        """Return the outcome of each trade, by trade id, in the plan's order."""
        recorded = _recorded(self.run, TRADE)
        order = self.plan.by_trade_id() if self.plan else recorded
        outcomes = {trade: recorded[trade] for trade in order if trade in recorded}
        return {
            trade: outcome for trade, outcome in outcomes.items() if isinstance(outcome, TradeExecuted | TradeFailed)
        }

    @property
    def result(self) -> RunCompleted | RunFailed | None:
        """Return the message with which the run ended; None while it is not final."""
        results = [message for message in self.run.outbox if isinstance(message, RunCompleted | RunFailed)]
        return results[0] if results else None

    @property
    def settlement(self) -> RunSettled | None:
        """Return what the sweep has found that the run had not reported; None when there was nothing."""
        item = self.run.items.get(SETTLEMENT)
        message = None if item is None else outbox.decode(item.body)
        return message if isinstance(message, RunSettled) else None

    @property
    def settled_orders(self) -> tuple[SettledOrder, ...]:
        """Return the orders that differ from what the run has reported; they became final after it had ended."""
        return self.settlement.orders if self.settlement else ()

    @property
    def failed_trades(self) -> Mapping[str, TradeFailed]:
        """Return the trades that did not fill completely, by trade id; a result of the run, not a fault."""
        return {trade: outcome for trade, outcome in self.outcomes.items() if isinstance(outcome, TradeFailed)}


def read_decision(objects: ObjectStore, path_ref: str) -> Mapping[str, Any]:
    """Return the decision path stored under a reference; empty when nothing is stored there."""
    stored = objects.get(path_ref.removeprefix(objects.url("")))
    return {} if stored is None else dict(json.loads(stored.body)["path"])


def _recorded(run: Run, kind: str) -> Mapping[str, Message]:
    return {name: outbox.decode(item.body) for name, item in sorted(run.items_of(kind).items())}
