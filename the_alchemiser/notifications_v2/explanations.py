"""Explanations of reason codes and run states for the people who read the mail, and what they can do next."""

from collections.abc import Mapping

from the_alchemiser.shared import formats
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.runs import RunState

RESTART = "To start another run today, run `inv run.start --env {stage} --replaces {run_id}`."
SHOW = "Run `inv run.show {run_id} --env {stage}`: it shows everything about this run."
QUALITY = "If a symbol is still quarantined, look at everything that was found: `inv data.quality --env {stage}`."
REFRESH = "Run `inv data.refresh --env {stage}`. The quality check then runs automatically."
START = "If the session is still open, you can start a run: `inv run.start --env {stage}`."
ORDERS_UNKNOWN = "Check the run's trades to see whether any orders were sent."
NO_ORDERS = "No orders were sent, and the account is unchanged."
SOME_ORDERS = "Some orders may have been filled."
UNSETTLED = (
    " An order of it may still rest at the broker. If so, it is cancelled within minutes, the ledger gets what it "
    "filled, and a mail says so."
)

_TRADE_REASONS: Mapping[str, str] = {
    "asset_not_tradable": "the broker does not trade the symbol now",
    "day_notional_limit": "the limit on the day's total notional was reached",
    "day_trade_limit": "the limit on the day's number of trades was reached",
    "insufficient_buying_power": "the account did not have enough buying power",
    "insufficient_quantity": "fewer shares were available, because an open order or a sale by hand took the others",
    "invalid_order": "the broker found the order's price, quantity or type invalid",
    "limit_notional": "the order exceeded the limit on a single order",
    "limit_price_distance": "the price was too far from the last close",
    "limit_universe": "the symbol is not on the list of allowed symbols",
    "market_closed": "the market was closed, or less than a minute from its close",
    "no_position": "the account no longer held the shares",
    "no_price": "the broker had neither a quote nor a last sale for the symbol",
    "not_authorized": "the broker did not accept the API key",
    "not_filled": "the order did not fill in time",
    "not_fractionable": "the symbol trades in whole shares only",
    "order_rejected": "the broker rejected the order",
    "order_too_small": "the order was worth less than the broker's minimum of one dollar",
    "pattern_day_trader": "the order would have made the account a pattern day trader, which needs $25,000 of equity",
    "position_intent": "the order did not fit the position that the account held",
    "replaced_by_owner": "somebody changed the order at the broker, so nothing more was ordered",
    "retries_exhausted": "three attempts failed with an error",
    "run_ended": "the run had ended before the order was sent",
    "short_not_allowed": "the order would have sold shares that the account did not hold",
    "spread_too_wide": "bid and ask were too far apart for a market order, and the limit orders did not fill",
    "stale_trade": "the trade belonged to another trading day",
    "too_late_to_trade": "too little time was left before the close to finish the trades",
    "trading_paused": "trading is paused by the kill switch",
    "wash_trade": "the account had an open order on the other side of the same symbol",
}

_OMISSIONS: Mapping[str, str] = {
    "asset_unknown": "the broker does not know the symbol",
    "no_price": "the broker has no price for it",
    "not_an_equity": "it is not a US stock or fund",
    "not_tradable": "the broker does not trade it now",
    "odd_symbol": "its symbol is not that of a listed stock or fund",
    "short_position": "it is held short, which this system never does",
}


def fill_in(step: str, *, stage: str, run_id: str = "") -> str:
    """Return a step with its commands for this stage and run."""
    return step.replace("{stage}", stage).replace("{run_id}", run_id)


def explain_trade_reason(code: str) -> str:
    """Explain in a clause why a trade was not completely filled. An unknown code is returned as plain words."""
    return _TRADE_REASONS.get(code, formats.words(code))


def explain_omission(code: str) -> str:
    """Explain in a clause why a run left out a holding or a target. An unknown code is returned as plain words."""
    return _OMISSIONS.get(code, formats.words(code))


class Situation(Frozen):
    """Where a run failed: what it was doing, the effect on the account, and the next steps for the reader.

    `doing` completes the sentence "The run failed while …".
    """

    doing: str
    effect: str
    steps: tuple[str, ...]


_AFTER_TRADING = (
    f"{SHOW} Trades that were filled have not been reversed.",
    "Orders that still rest are cancelled within minutes, and the ledger gets what they filled; a mail says so.",
    f"The next run starts from the actual positions. {RESTART} It is refused until every order of this run is final.",
)

_LEFT_OVER = "If a message could not be handled, `inv dlq.list --env {stage}` says why."
_SITUATIONS: Mapping[str, Situation] = {
    RunState.EVALUATING: Situation(
        "it was evaluating the strategies",
        NO_ORDERS,
        (
            f"{SHOW} The logs are in `inv logs --env {{stage}} --run {{run_id}} --since 1d`.",
            f"If bars are missing, refresh them. {REFRESH}",
            RESTART,
        ),
    ),
    RunState.AGGREGATED: Situation(
        "it was planning the trades",
        NO_ORDERS,
        (f"{SHOW} {_LEFT_OVER}", RESTART),
    ),
    RunState.PLANNED: Situation(
        "it was about to release the first trades",
        NO_ORDERS,
        (f"{SHOW} {_LEFT_OVER}", RESTART),
    ),
    RunState.SELLING: Situation("it was selling", SOME_ORDERS, _AFTER_TRADING),
    RunState.BUYING: Situation("it was buying", SOME_ORDERS, _AFTER_TRADING),
}

WRONG_ACCOUNT = (
    "The broker's keys are those of another account than the parameter BrokerAccount names. If the keys are wrong, run "
    "`inv secrets.set broker --env {stage}`. If this environment is to trade the other account, set BrokerAccount in "
    "samconfig.toml, and run `inv deploy --env {stage}`."
)

_CAUSES: Mapping[str, str] = {
    "account_blocked": "Ask the broker why it blocks trading on the account.",
    "account_empty": (
        "The account has no equity to invest: it is empty, or all of it is in holdings that runs leave alone. "
        "Deposit money."
    ),
    "empty_signal": "The merged signal has no weights, so nothing was sold. Read the log of aggregator_v2.",
    "missing_price": "The broker has no prices now. Check its status page.",
    "no_tradable_target": (
        "The broker trades none of the targets now, so nothing was sold for them. Check their symbols and the broker's "
        "status page."
    ),
    "plan_too_large": (
        "The book is too large for one run: its strategies hold too many symbols between them. Remove strategies, or "
        "let them hold fewer symbols."
    ),
    "split_not_booked": (
        "The broker still shows the shares from before today's split, so equity and positions are wrong. Start again "
        "once it has booked the split."
    ),
    "wrong_account": WRONG_ACCOUNT,
}


def explain_failure(state: str, reason: str, *, run_id: str) -> Situation:
    """Explain a failure in this state; some reasons add a first step. For an unknown state, claim nothing about orders.

    Args:
        run_id: the run that another one would replace.
    """
    unknown = Situation(f"it was {formats.words(state).lower()}", ORDERS_UNKNOWN, (RESTART,))
    situation = _SITUATIONS.get(state, unknown)
    steps = (_CAUSES[reason], *situation.steps) if reason in _CAUSES else situation.steps
    stage = run_id.partition("-")[0]
    return situation.changed(steps=tuple(fill_in(step, stage=stage, run_id=run_id) for step in steps))


class Advice(Frozen):
    """Why a run was not started, as a sentence, and the next steps for the reader."""

    meaning: str
    steps: tuple[str, ...]


_LATEST = "Run `inv run.show latest --env {stage}`: it shows what the latest run did."
_UNCHECKED_DATA = (f"Refresh the market data. {REFRESH}", START)

_REFUSALS: Mapping[str, Advice] = {
    "books_differ": Advice(
        "The account holds something other than the books say. Until a person accepts that, no run starts.",
        (
            "Run `inv reconcile --env {stage}`: it shows every difference and its likely cause.",
            "If the account is as you want it, run `inv reconcile --env {stage} --accept`. Otherwise correct it.",
            START,
        ),
    ),
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
            "Run `inv trading.resume --env {stage}`: it shows who paused trading and when, and asks before it resumes.",
            START,
        ),
    ),
    "replaces_another": Advice(
        "A run can only take the place of the latest run of today.",
        (f"{_LATEST} If you want another one, run the command above.",),
    ),
    "replaces_missing": Advice(
        "Today already has a run. Another one must name the run that it replaces.",
        (f"{_LATEST} If you want a second run today, run the command above.",),
    ),
    "run_exists": Advice(
        "Today already has a run, which was not replaced.",
        (
            "If that run has not ended, wait for the mail about it.",
            f"If it has ended: {_LATEST} If you want another one, run the command above.",
        ),
    ),
    "run_not_settled": Advice(
        "Orders of the run that this one replaces may still be open at the broker.",
        ("Wait: they are cancelled and recorded every five minutes. Or run the command above, then start again.",),
    ),
    "verdict_malformed": Advice("The quality verdict on the market data cannot be read.", _UNCHECKED_DATA),
    "verdict_missing": Advice("The market data was never checked.", _UNCHECKED_DATA),
    "wrong_account": Advice("The broker's keys are not those of this environment's account.", (WRONG_ACCOUNT, START)),
    "verdict_stale": Advice("The market data was not checked through the session before today's.", _UNCHECKED_DATA),
}


def explain_refusal(reason: str, *, stage: str) -> Advice:
    """Explain why a run was not started; an unknown reason is returned as plain words."""
    unknown = Advice(f"The reason is: {formats.words(reason)}.", ("Read the log of coordinator_v2.", START))
    advice = _REFUSALS.get(reason, unknown)
    return advice.changed(steps=tuple(fill_in(step, stage=stage) for step in advice.steps))
