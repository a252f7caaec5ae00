"""Every reason that a mail may name has an explanation and next steps of its own."""

import pytest

from the_alchemiser.notifications_v2 import explanations
from the_alchemiser.notifications_v2.explanations import (
    NO_ORDERS,
    ORDERS_UNKNOWN,
    SOME_ORDERS,
    Advice,
    explain_failure,
    explain_omission,
    explain_refusal,
    explain_trade_reason,
)
from the_alchemiser.shared.broker import errors as broker_errors

START = "If the session is still open, you can start a run: `inv run.start --env prod`."
REFRESH = "Run `inv data.refresh --env prod`. The quality check then runs automatically."
UNCHECKED = (f"Refresh the market data. {REFRESH}", START)
LATEST = "Run `inv run.show latest --env prod`: it shows what the latest run did."
REFUSALS: dict[str, tuple[str, tuple[str, ...]]] = {
    "calendar_too_short": (
        "The broker's calendar is incomplete, so nobody can say whether today is a trading day.",
        ("Check the broker's status page.", START),
    ),
    "market_closed": (
        "The start came while the exchange was closed.",
        ("If a schedule sent it, read the log of coordinator_v2, and check its inbox for messages that wait.",),
    ),
    "not_a_session": ("The exchange is closed today.", ("Nothing: the next session's run starts by itself.",)),
    "paused": (
        "The kill switch is paused, missing or unreadable.",
        (
            "Run `inv trading.resume --env prod`: it shows who paused trading and when, and asks before it resumes.",
            START,
        ),
    ),
    "books_differ": (
        "The account holds something other than the books say. Until a person accepts that, no run starts.",
        (
            "Run `inv reconcile --env prod`: it shows every difference and its likely cause.",
            "If the account is as you want it, run `inv reconcile --env prod --accept`. Otherwise correct it.",
            START,
        ),
    ),
    "wrong_account": (
        "The broker's keys are not those of this environment's account.",
        (
            (
                "The broker's keys are those of another account than the parameter BrokerAccount names. If the keys "
                "are wrong, run `inv secrets.set broker --env prod`. If this environment is to trade the other "
                "account, set BrokerAccount in samconfig.toml, and run `inv deploy --env prod`."
            ),
            START,
        ),
    ),
    "replaces_another": (
        "A run can only take the place of the latest run of today.",
        (f"{LATEST} If you want another one, run the command above.",),
    ),
    "replaces_missing": (
        "Today already has a run. Another one must name the run that it replaces.",
        (f"{LATEST} If you want a second run today, run the command above.",),
    ),
    "run_not_settled": (
        "Orders of the run that this one replaces may still be open at the broker.",
        ("Wait: they are cancelled and recorded every five minutes. Or run the command above, then start again.",),
    ),
    "run_exists": (
        "Today already has a run, which was not replaced.",
        (
            "If that run has not ended, wait for the mail about it.",
            f"If it has ended: {LATEST} If you want another one, run the command above.",
        ),
    ),
    "verdict_malformed": ("The quality verdict on the market data cannot be read.", UNCHECKED),
    "verdict_missing": ("The market data was never checked.", UNCHECKED),
    "verdict_stale": ("The market data was not checked through the session before today's.", UNCHECKED),
    "another_reason": ("The reason is: another reason.", ("Read the log of coordinator_v2.", START)),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_explain_refusal_gives_meaning_and_steps(reason: str) -> None:
    assert explain_refusal(reason, stage="prod") == Advice(*REFUSALS[reason])


@pytest.mark.parametrize("reason", REFUSALS)
def test_explain_refusal_fills_in_every_command(reason: str) -> None:
    assert "{" not in " ".join(explain_refusal(reason, stage="prod").steps)


def restart(run_id: str) -> str:
    return f"To start another run today, run `inv run.start --env prod --replaces {run_id}`."


def show(run_id: str) -> str:
    return f"Run `inv run.show {run_id} --env prod`: it shows everything about this run."


# What the broker refuses only when something else than an order is asked for.
NOT_OF_ORDERS = {
    "asset_not_found",
    "broker_rejected",
    "data_not_permitted",
    "duplicate_client_order_id",
    "not_found",
    "order_not_cancelable",
    "order_not_found",
    "position_not_found",
}
OF_TRADES = {
    "market_closed",
    "no_position",
    "replaced_by_owner",
    "run_ended",
    "spread_too_wide",
    "stale_trade",
    "too_late_to_trade",
    "trading_paused",
}


def test_explain_trade_reason_of_each_refusal_of_the_broker() -> None:
    kinds = vars(broker_errors).values()
    rejections = {
        kind.reason for kind in kinds if isinstance(kind, type) and issubclass(kind, broker_errors.BrokerRejectionError)
    }

    unexplained = {code for code in rejections if explain_trade_reason(code) == code.replace("_", " ")}

    assert unexplained == NOT_OF_ORDERS
    assert not {code for code in OF_TRADES if explain_trade_reason(code) == code.replace("_", " ")}


@pytest.mark.parametrize(
    ("code", "clause"),
    [
        ("spread_too_wide", "bid and ask were too far apart for a market order, and the limit orders did not fill"),
        ("run_ended", "the run had ended before the order was sent"),
        ("wash_trade", "the account had an open order on the other side of the same symbol"),
        ("moon_phase", "moon phase"),
    ],
)
def test_explain_trade_reason_is_a_clause(code: str, clause: str) -> None:
    assert explain_trade_reason(code) == clause


@pytest.mark.parametrize(
    ("code", "clause"),
    [
        ("asset_unknown", "the broker does not know the symbol"),
        ("no_price", "the broker has no price for it"),
        ("not_an_equity", "it is not a US stock or fund"),
        ("not_tradable", "the broker does not trade it now"),
        ("odd_symbol", "its symbol is not that of a listed stock or fund"),
        ("short_position", "it is held short, which this system never does"),
        ("moon_phase", "moon phase"),
    ],
)
def test_explain_omission_is_a_clause(code: str, clause: str) -> None:
    assert explain_omission(code) == clause


@pytest.mark.parametrize("state", ["EVALUATING", "AGGREGATED", "PLANNED", "SELLING", "BUYING", "SOMEWHERE"])
def test_explain_failure_always_says_how_to_restart_this_run(state: str) -> None:
    situation = explain_failure(state, "a_reason", run_id="prod-2022-03-15-r2")

    steps = " ".join(situation.steps)
    assert restart("prod-2022-03-15-r2") in steps
    assert (show("prod-2022-03-15-r2") in steps) is (state != "SOMEWHERE")
    assert "{" not in steps


@pytest.mark.parametrize("state", ["AGGREGATED", "PLANNED"])
def test_explain_failure_before_trading_names_the_dead_letters(state: str) -> None:
    step = explain_failure(state, "a_reason", run_id="prod-2022-03-15").steps[0]

    assert step.endswith("If a message could not be handled, `inv dlq.list --env prod` says why.")


def test_explain_failure_of_a_strategy_names_logs_and_refresh() -> None:
    steps = explain_failure("EVALUATING", "a_reason", run_id="prod-2022-03-15").steps

    assert steps[0].endswith("The logs are in `inv logs --env prod --run prod-2022-03-15 --since 1d`.")
    assert steps[1] == f"If bars are missing, refresh them. {REFRESH}"


@pytest.mark.parametrize(
    ("state", "effect"),
    [
        ("EVALUATING", NO_ORDERS),
        ("AGGREGATED", NO_ORDERS),
        ("PLANNED", NO_ORDERS),
        ("SELLING", SOME_ORDERS),
        ("BUYING", SOME_ORDERS),
        ("SOMEWHERE", ORDERS_UNKNOWN),
    ],
)
def test_explain_failure_says_what_happened_to_the_account(state: str, effect: str) -> None:
    assert explain_failure(state, "a_reason", run_id="r").effect == effect


@pytest.mark.parametrize("reason", explanations._CAUSES)
def test_explain_failure_of_some_reasons_begins_with_a_step_of_its_own(reason: str) -> None:
    usual = explain_failure("AGGREGATED", "a_reason", run_id="r").steps

    own = explanations._CAUSES[reason].replace("{stage}", "r")
    assert explain_failure("AGGREGATED", reason, run_id="r").steps == (own, *usual)


def test_explain_failure_of_a_wrong_account_names_the_commands_of_the_runs_environment() -> None:
    step = explain_failure("AGGREGATED", "wrong_account", run_id="prod-2022-03-16-r1").steps[0]

    assert "`inv secrets.set broker --env prod`" in step
    assert "set BrokerAccount in samconfig.toml, and run `inv deploy --env prod`." in step


def test_explain_failure_of_an_empty_account_does_not_speak_of_open_orders() -> None:
    step = explain_failure("AGGREGATED", "account_empty", run_id="r").steps[0]

    assert step.startswith("The account has no equity to invest: it is empty,")
    assert "order" not in step
