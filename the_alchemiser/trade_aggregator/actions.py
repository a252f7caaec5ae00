"""What a planned run needs next, read off its state and items alone. Pure."""

from enum import StrEnum

from the_alchemiser.shared.messaging.messages import Side
from the_alchemiser.shared.run.progress import outstanding_trades, plan_of, releases_of
from the_alchemiser.shared.run.runs import TRADE, Run, RunState


class Action(StrEnum):
    """One step toward the end of the run."""

    WAIT = "wait"
    RECORD_REFUSED = "record refused trades"
    RELEASE_SELLS = "release sells"
    RELEASE_BUYS = "release buys"
    COMPLETE = "complete"
    TELL_AGAIN = "tell again"
    NOT_PLANNED = "not planned"


def next_action(run: Run) -> Action:
    """The one thing to do now; doing it and asking again ends at WAIT."""
    match run.state:
        case RunState.EVALUATING | RunState.AGGREGATED:
            return Action.NOT_PLANNED
        case RunState.PLANNED:
            return Action.RELEASE_SELLS if _plans(run, Side.SELL) else _after_sells(run)
        case RunState.SELLING:
            return _in_phase(run, Side.SELL) or _after_sells(run)
        case RunState.BUYING:
            return _in_phase(run, Side.BUY) or Action.COMPLETE
        case RunState.COMPLETED | RunState.FAILED:
            return _untold(run)


def unrecorded_refusals(run: Run) -> tuple[str, ...]:
    """Trades that a release refused and that have no outcome yet."""
    recorded = run.items_of(TRADE)
    return tuple(trade for release in releases_of(run) for trade in release.refused if trade not in recorded)


def _in_phase(run: Run, side: Side) -> Action | None:
    """What the phase still needs; None when it is over."""
    if unrecorded_refusals(run):
        return Action.RECORD_REFUSED
    return _untold(run) if outstanding_trades(run, side) else None


def _after_sells(run: Run) -> Action:
    return Action.RELEASE_BUYS if _plans(run, Side.BUY) else Action.COMPLETE


def _untold(run: Run) -> Action:
    return Action.WAIT if run.sent else Action.TELL_AGAIN


def _plans(run: Run, side: Side) -> bool:
    plan = plan_of(run)
    return plan is not None and bool(plan.trades(side))
