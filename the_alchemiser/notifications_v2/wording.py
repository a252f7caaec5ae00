"""What a failure means and what to do about it, in sentences; the codes are those of the messages."""

from collections.abc import Mapping
from typing import NamedTuple

from the_alchemiser.shared import formats
from the_alchemiser.shared.run.runs import RunState

RESTART = 'Start another run today with {"command": "start-run", "force": true} in the inbox of coordinator_v2.'
UNKNOWN = "Whether orders were sent, the trades of the run tell."
NO_ORDER = "No order was sent: the account holds what it held before."


_TRADE_REASONS: Mapping[str, str] = {
    "day_notional_limit": "the day's limit on notional was reached",
    "day_trade_limit": "the day's limit on the number of trades was reached",
    "insufficient_buying_power": "there was no buying power left for it",
    "limit_notional": "the order was larger than the limit on one order",
    "limit_price_distance": "the price was too far from the last close",
    "limit_universe": "the symbol is not in the allowed universe",
    "market_closed": "the market was closed, or less than a minute from closing",
    "no_price": "the broker had neither a quote nor a trade of it",
    "not_filled": "it did not fill in time",
    "order_rejected": "the broker rejected the order",
    "retries_exhausted": "three attempts ended in an error",
    "stale_trade": "the trade was meant for another day",
    "trading_paused": "trading is paused by the kill switch",
}


def trade_reason(code: str) -> str:
    """Why a trade did not fill whole, as a clause; a code without one reads as its words."""
    return _TRADE_REASONS.get(code, formats.words(code))


class Situation(NamedTuple):
    """A state in which a run can fail: what was going on, what that means for the account, what to do."""

    doing: str
    meaning: str
    steps: tuple[str, ...]


_TRADING = (
    "Compare the positions at the broker with the plan of this run; nothing was bought or sold to undo it.",
    "Fills that still arrive are entered in the ledger; the next run plans from what is really held.",
)

_SITUATIONS: Mapping[str, Situation] = {
    RunState.EVALUATING: Situation(
        "the strategies were being evaluated",
        NO_ORDER,
        (
            "Read the log of strategy_v2 for this run, then that of aggregator_v2.",
            "If bars are missing, refresh them with data_v2 and have data_quality_monitor check the lake again.",
            RESTART,
        ),
    ),
    RunState.AGGREGATED: Situation(
        "the plan was being made from the merged signal",
        NO_ORDER,
        ("Read the log of portfolio_v2 for this run and look into its dead-letter queue.", RESTART),
    ),
    RunState.PLANNED: Situation(
        "the plan stood and its first trades were about to be released",
        NO_ORDER,
        ("Read the log of trade_aggregator for this run and look into its dead-letter queue.", RESTART),
    ),
    RunState.SELLING: Situation("the sells were at the broker", "Some orders may have been filled.", _TRADING),
    RunState.BUYING: Situation("the buys were at the broker", "Some orders may have been filled.", _TRADING),
}


def situation(state: str) -> Situation:
    """The situation of a state; of one that is none of a run's, nothing is claimed."""
    unknown = Situation(f"it was {formats.words(state).lower()}", UNKNOWN, (RESTART,))
    return _SITUATIONS.get(state, unknown)
