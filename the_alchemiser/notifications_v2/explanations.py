"""Explanations of reason codes and run states for the people who read the mail, and what they can do next."""

from collections.abc import Mapping
from typing import NamedTuple

from the_alchemiser.shared import formats
from the_alchemiser.shared.run.runs import RunState

RESTART = 'To start another run today, send {"command": "start-run", "force": true} to the inbox of coordinator_v2.'
REFRESH = 'Send {"command": "refresh-market-data"} to the inbox of data_v2. The quality check then runs automatically.'
START = (
    'If the session is still open, you can start a run: send {"command": "start-run", "force": true} to the inbox of '
    "coordinator_v2."
)
ORDERS_UNKNOWN = "Check the run's trades to see whether any orders were sent."
NO_ORDERS = "No orders were sent, and the account is unchanged."
SOME_ORDERS = "Some orders may have been filled."

_TRADE_REASONS: Mapping[str, str] = {
    "day_notional_limit": "the limit on the day's total notional was reached",
    "day_trade_limit": "the limit on the day's number of trades was reached",
    "insufficient_buying_power": "the account did not have enough buying power",
    "limit_notional": "the order exceeded the limit on a single order",
    "limit_price_distance": "the price was too far from the last close",
    "limit_universe": "the symbol is not on the list of allowed symbols",
    "market_closed": "the market was closed, or less than a minute from its close",
    "no_price": "the broker had neither a quote nor a last sale for the symbol",
    "not_filled": "the order did not fill in time",
    "order_rejected": "the broker rejected the order",
    "retries_exhausted": "three attempts failed with an error",
    "stale_trade": "the trade belonged to another trading day",
    "trading_paused": "trading is paused by the kill switch",
}


def explain_trade_reason(code: str) -> str:
    """Explain in a clause why a trade was not completely filled. An unknown code is returned as plain words."""
    return _TRADE_REASONS.get(code, formats.words(code))


class Situation(NamedTuple):
    """Where a run failed: what it was doing, the effect on the account, and the next steps for the reader.

    `doing` completes the sentence "The run failed while …".
    """

    doing: str
    effect: str
    steps: tuple[str, ...]


_AFTER_TRADING = (
    "Compare the positions at the broker with this run's plan. Trades that were filled have not been reversed.",
    "Late fills are recorded automatically, and the next run starts from the actual positions.",
)

_SITUATIONS: Mapping[str, Situation] = {
    RunState.EVALUATING: Situation(
        "it was evaluating the strategies",
        NO_ORDERS,
        (
            "Read the logs of strategy_v2 and aggregator_v2 for this run.",
            f"If bars are missing, refresh them. {REFRESH}",
            RESTART,
        ),
    ),
    RunState.AGGREGATED: Situation(
        "it was planning the trades",
        NO_ORDERS,
        ("Read the log of portfolio_v2 for this run, and check its dead-letter queue.", RESTART),
    ),
    RunState.PLANNED: Situation(
        "it was about to release the first trades",
        NO_ORDERS,
        ("Read the log of trade_aggregator for this run, and check its dead-letter queue.", RESTART),
    ),
    RunState.SELLING: Situation("it was selling", SOME_ORDERS, _AFTER_TRADING),
    RunState.BUYING: Situation("it was buying", SOME_ORDERS, _AFTER_TRADING),
}


def explain_failure(state: str) -> Situation:
    """Explain a failure in this state. For an unknown state, claim nothing about orders."""
    unknown = Situation(f"it was {formats.words(state).lower()}", ORDERS_UNKNOWN, (RESTART,))
    return _SITUATIONS.get(state, unknown)


class Advice(NamedTuple):
    """Why a run was not started, as a sentence, and the next steps for the reader."""

    meaning: str
    steps: tuple[str, ...]


_UNCHECKED_DATA = (f"Refresh the market data. {REFRESH}", START)

_REFUSALS: Mapping[str, Advice] = {
    "calendar_too_short": Advice(
        "The broker's calendar is incomplete, so nobody can say whether today is a trading day.",
        ("Check the broker's status page.", START),
    ),
    "market_closed": Advice(
        "The start came while the exchange was closed.",
        ("If a schedule sent it, read the log of coordinator_v2, and check its inbox for messages that wait.",),
    ),
    "not_a_session": Advice("The exchange is closed today.", ("Nothing: the next session's run starts by itself.",)),
    "paused": Advice(
        "The kill switch is paused, missing or unreadable.",
        (
            "Find out who paused trading, and why.",
            "Run `inv status --env {stage}`: it prints the command that lets the system trade again.",
            START,
        ),
    ),
    "run_exists": Advice(
        "Another run of today has not ended.", ("Wait for the mail about that run, then send the command again.",)
    ),
    "verdict_malformed": Advice("The quality verdict on the market data cannot be read.", _UNCHECKED_DATA),
    "verdict_missing": Advice("The market data was never checked.", _UNCHECKED_DATA),
    "verdict_stale": Advice("The market data was not checked through the session before today's.", _UNCHECKED_DATA),
}


def explain_refusal(reason: str, *, stage: str) -> Advice:
    """Explain why a run was not started; an unknown reason is returned as plain words."""
    unknown = Advice(f"The reason is: {formats.words(reason)}.", ("Read the log of coordinator_v2.", START))
    advice = _REFUSALS.get(reason, unknown)
    return advice._replace(steps=tuple(step.replace("{stage}", stage) for step in advice.steps))
