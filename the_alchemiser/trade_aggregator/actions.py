"""The next action of a planned run, computed from its state and items only. Pure."""

from enum import StrEnum

from the_alchemiser.shared.run.progress import outstanding_trades, releases_of
from the_alchemiser.shared.run.runs import TRADE, Run, RunState
from the_alchemiser.shared.values import Side


class Action(StrEnum):
    """One step toward the end of the run."""

    WAIT = "wait"
    RECORD_REFUSED = "record refused trades"
    RELEASE_SELLS = "release sells"
    RELEASE_BUYS = "release buys"
    COMPLETE = "complete"
    PUBLISH_UNSENT = "publish unsent messages"
    NOT_PLANNED = "not planned"


def next_action(run: Run) -> Action:
    """Return the action to take now. Taking it and calling this again, repeatedly, ends at WAIT."""
    match run.state:
        case RunState.EVALUATING | RunState.AGGREGATED:
            return Action.NOT_PLANNED
        case RunState.PLANNED:
            return Action.RELEASE_SELLS if outstanding_trades(run, Side.SELL) else _after_sells(run)
        case RunState.SELLING:
            return _in_phase(run, Side.SELL) or _after_sells(run)
        case RunState.BUYING:
            return _in_phase(run, Side.BUY) or Action.COMPLETE
        case RunState.COMPLETED | RunState.FAILED:
            return _publish_or_wait(run)


def unrecorded_refusals(run: Run) -> tuple[str, ...]:
    """Return the ids of trades that a release refused and that have no outcome yet."""
    recorded = run.items_of(TRADE)
    trade_ids: list[str] = []
    for release in releases_of(run):
        trade_ids.extend(trade_id for trade_id in release.refused if trade_id not in recorded)
    return tuple(trade_ids)


def _in_phase(run: Run, side: Side) -> Action | None:
    """Return what the phase still needs; None when it is over."""
    if unrecorded_refusals(run):
        return Action.RECORD_REFUSED
    return _publish_or_wait(run) if outstanding_trades(run, side) else None


def _after_sells(run: Run) -> Action:
    # The release of the sells may have refused the buys too: then they have their outcomes already.
    return Action.RELEASE_BUYS if outstanding_trades(run, Side.BUY) else Action.COMPLETE


def _publish_or_wait(run: Run) -> Action:
    return Action.WAIT if run.sent else Action.PUBLISH_UNSENT
