"""What a run has got so far and what it still waits for, read off its items. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from the_alchemiser.shared.messaging.messages import Side, Value
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.runs import PLAN, STRATEGY, TRADE, Run, RunState


class Refusal(Value):
    """Why a planned trade was not sent: a short code, and a sentence for people."""

    reason: str
    detail: str


class Release(Value):
    """What was decided when a phase was released, stored with its move and never decided again.

    Attributes:
        quantities: shares sent, by trade id.
        refused: trades not sent, by trade id.
        spendable: USD there was to buy with; None for sells.
        factor: by which all buys were scaled down, in [0, 1].
    """

    quantities: Mapping[str, Decimal]
    refused: Mapping[str, Refusal]
    spendable: Decimal | None = None
    factor: Decimal = Decimal(1)


def plan_of(run: Run) -> RebalancePlan | None:
    """The run's plan; None before there is one."""
    item = run.items.get(PLAN)
    return None if item is None else RebalancePlan.model_validate(item.body)


def releases_of(run: Run) -> tuple[Release, ...]:
    """What each phase released, sells first."""
    phases = (RunState.SELLING, RunState.BUYING)
    return tuple(Release.model_validate(run.payloads[phase]) for phase in phases if phase in run.payloads)


def outstanding_strategies(run: Run) -> tuple[str, ...]:
    """Strategies of the run that have not answered, ascending."""
    return tuple(sorted(run.allocations.keys() - run.items_of(STRATEGY).keys()))


def outstanding_trades(run: Run, side: Side) -> tuple[str, ...]:
    """Planned trades of a side without an outcome, in the plan's order."""
    plan = plan_of(run)
    if plan is None:
        return ()
    done = run.items_of(TRADE)
    return tuple(trade for trade, decision in plan.by_trade_id().items() if decision.side is side and trade not in done)


def missing(run: Run) -> tuple[str, ...]:
    """What keeps the run in its state, by name; empty when all is in and only the next move is missing."""
    match run.state:
        case RunState.EVALUATING:
            return outstanding_strategies(run)
        case RunState.AGGREGATED:
            return ("RebalancePlanned",)
        case RunState.PLANNED:
            return ("the release of the trades",)
        case RunState.SELLING:
            return outstanding_trades(run, Side.SELL)
        case RunState.BUYING:
            return outstanding_trades(run, Side.BUY)
        case RunState.COMPLETED | RunState.FAILED:
            return ()
