"""The progress of a run: its plan, its releases, and what it is still waiting for. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.runs import PLAN, STRATEGY, TRADE, Run, RunState
from the_alchemiser.shared.values import Refusal, Side, Value


class Release(Value):
    """The decision taken when a phase was released; stored with its move and never taken again.

    Attributes:
        quantities: shares of the trades that were sent, by trade id.
        refused: the trades that were not sent, by trade id.
        spendable: USD available for buys; None for sells.
        factor: by which all buys were scaled down, in [0, 1].
    """

    quantities: Mapping[str, Decimal]
    refused: Mapping[str, Refusal]
    spendable: Decimal | None = None
    factor: Decimal = Decimal(1)


def plan_of(run: Run) -> RebalancePlan | None:
    """Return the run's plan; None before it is stored."""
    item = run.items.get(PLAN)
    return None if item is None else RebalancePlan.read(item.body)


def releases_of(run: Run) -> tuple[Release, ...]:
    """Return the releases of the run's phases, sells first."""
    phases = (RunState.SELLING, RunState.BUYING)
    return tuple(Release.read(run.payloads[phase]) for phase in phases if phase in run.payloads)


def outstanding_strategies(run: Run) -> tuple[str, ...]:
    """Return the strategies of the run that have not answered, ascending."""
    return tuple(sorted(run.allocations.keys() - run.items_of(STRATEGY).keys()))


def outstanding_trades(run: Run, side: Side) -> tuple[str, ...]:
    """Return the ids of planned trades of a side that have no outcome, in the plan's order."""
    plan = plan_of(run)
    if plan is None:
        return ()

    done = run.items_of(TRADE)
    return tuple(
        trade_id for trade_id, decision in plan.by_trade_id().items() if decision.side is side and trade_id not in done
    )


def missing(run: Run) -> tuple[str, ...]:
    """Return what keeps the run in its state, by name; empty when only the next move is missing."""
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
