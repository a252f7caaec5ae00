from decimal import Decimal

import pytest

from tests.the_alchemiser.notifications_v2.reading import html_and_text
from tests.the_alchemiser.results import (
    BOUGHT,
    BY_HAND,
    CANCELLED_LATE,
    FILLED_LATE,
    HALF_BOUGHT,
    MISSING_FILL,
    ODD_HOLDING,
    OPEN_ORDER,
    REFUSED,
    SOLD,
    checked,
    completed,
    differing,
    failed,
    refused,
    settled,
)
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN
from the_alchemiser.notifications_v2.explanations import UNSETTLED
from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.notifications_v2.mail import compose as compose_with
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.run.runs import RunState

RESTART = "To start another run today, run inv run.start --env prod --replaces local-2022-03-15."
REFRESH = "Run inv data.refresh --env local. The quality check then runs automatically."
START = "If the session is still open, you can start a run: inv run.start --env {}."
MESSAGES = (
    completed(),
    completed(outcomes=(), positions=()),
    completed(outcomes=(HALF_BOUGHT, REFUSED)),
    failed(),
    refused(),
    settled(FILLED_LATE, CANCELLED_LATE),
    differing(BY_HAND, OPEN_ORDER, MISSING_FILL),
    completed(quarantined={"628ESC012": "odd_symbol"}, untradable={"AAA": "not_tradable"}),
    checked(passed=False),
)


def compose(message: News, *, stage: str) -> Mail:
    """Compose a mail about whose run nothing is known beside the message."""
    return compose_with(message, NOTHING_KNOWN, stage=stage)


def test_compose_completed_run_shows_equity_trades_and_holdings() -> None:
    for text in html_and_text(compose(completed(outcomes=(SOLD, BOUGHT)), stage="prod")):
        for figure in ("$100,000.00", "$99,987.21", "$321.90", "$418.1234", "$18,428.78", "$39,355.22", "60.00%"):
            assert figure in text


def test_compose_unfilled_trades_are_listed_with_the_reason_in_words() -> None:
    for text in html_and_text(compose(completed(outcomes=(BOUGHT, HALF_BOUGHT, REFUSED)), stage="local")):
        assert "3 trades were planned, and" in text
        assert "2 trades were not completely filled." in text
        assert "BUY TLT: 100 of 187.5 shares filled; the order did not fill in time" in text
        assert "BUY GLD: 0 of 111 shares filled; the price was too far from the last close" in text


def test_compose_run_without_trades_says_that_none_were_needed() -> None:
    for text in html_and_text(compose(completed(outcomes=()), stage="local")):
        assert "No trades were needed: every position was already close enough to its target." in text
        assert "In cash:" not in text


def test_compose_run_of_nothing_but_cash_says_why_it_traded_nothing() -> None:
    for text in html_and_text(compose(completed(outcomes=()).changed(weights={}, cash=Decimal(1)), stage="local")):
        assert "No trades were needed: the strategies keep everything in cash, and nothing was left to sell." in text


@pytest.mark.parametrize(("equity", "shown"), [(100, "25.00%"), (0, "0.00%")])
def test_compose_run_with_cash_shows_target_and_actual_cash(equity: int, shown: str) -> None:
    run = completed(outcomes=()).changed(cash=Decimal("0.4"), cash_after=Decimal(25), equity_after=Decimal(equity))

    for text in html_and_text(compose(run, stage="local")):
        assert f"In cash: target 40.00%, actual {shown}, $25.00." in text


def test_compose_failed_run_explains_state_reason_and_next_steps() -> None:
    for text in html_and_text(compose(failed(), stage="local")):
        assert "The run failed while it was evaluating the strategies (state EVALUATING)." in text
        assert "reason: strategy failed" in text.lower()
        assert "No orders were sent, and the account is unchanged." in text
        assert "trend: TLT has 120 bars, 200 are needed" in text
        assert "run inv run.start --env local --replaces local-2022-03-15." in text


def test_compose_left_out_holdings_and_targets_are_named_with_reasons() -> None:
    run = completed(
        quarantined={"628ESC012": "odd_symbol", "BTCUSD": "not_an_equity"}, untradable={"AAA": "not_tradable"}
    )

    for text in html_and_text(compose(run, stage="local")):
        assert "628ESC012: its symbol is not that of a listed stock or fund (odd_symbol)" in text
        assert "BTCUSD: it is not a US stock or fund" in text
        assert (
            "The run neither counts nor sells them, and invests the rest of the account. They stay until you sell them "
            "yourself." in text
        )
        assert "AAA: the broker does not trade it now" in text
        assert "Their share of the account stays in cash today." in text
        assert "not completely filled" not in text


def test_compose_run_that_left_nothing_out_has_no_such_sections() -> None:
    for text in html_and_text(compose(completed(), stage="local")):
        assert "left alone" not in text.lower()
        assert "cannot be traded" not in text.lower()


def test_compose_degraded_run_has_the_colour_of_a_warning() -> None:
    green, amber = "background:#1f6f54", "background:#8a5a00"

    assert green in compose(completed(), stage="local").html
    assert amber in compose(completed(quarantined={"BTCUSD": "not_an_equity"}), stage="local").html


def test_compose_unsettled_trade_says_what_becomes_of_its_order() -> None:
    unsettled = HALF_BOUGHT.changed(unsettled=True)

    for text in html_and_text(compose(completed(outcomes=(unsettled, REFUSED)), stage="local")):
        assert text.count(UNSETTLED.strip()) == 1
        assert text.index("BUY TLT") < text.index(UNSETTLED.strip()) < text.index("BUY GLD")


def test_compose_settled_orders_are_listed_with_status_and_fills() -> None:
    mail = compose(settled(FILLED_LATE, CANCELLED_LATE), stage="prod")

    for text in html_and_text(mail):
        assert "could not yet say what became of 2 orders: they still rested at the broker" in text
        assert "Now every order of the run is final, and the ledger has all fills." in text
        assert RESTART in text
        assert "BUY SPY filled 94.5 $418.00 $39,501.00" in text
        assert "SELL 628ESC012 canceled 0 none $0.00" in text
    assert mail.short == (
        "[prod] 2022-03-15: 2 orders SETTLED after the run: BUY 94.5 SPY, SELL 0 628ESC012. "
        "More: inv run.show local-2022-03-15 --env prod"
    )


def test_compose_one_settled_order_is_in_the_singular() -> None:
    for text in html_and_text(compose(settled(FILLED_LATE), stage="prod")):
        assert "could not yet say what became of 1 order: it still rested at the broker" in text


def test_compose_differing_books_list_every_difference_and_the_commands() -> None:
    mail = compose(differing(BY_HAND, ODD_HOLDING, OPEN_ORDER, MISSING_FILL), stage="prod")

    for text in html_and_text(mail):
        assert "Tuesday, 15 March 2022: the books differ from the account" in text
        assert "After the close, account PA1 held something other than the books say." in text
        assert "No run starts until a person accepts that, or the account agrees again. Nothing was ordered." in text
        assert "inv reconcile --env prod" in text
        assert "inv reconcile --env prod --accept" in text
        assert "You read of differences once per trading day." in text
        assert "SPY 94.5 100 \N{MINUS SIGN}5.5 628ESC012 12 0 12" in text
        assert "SPY: ordered by hand: SELL 5.5." in text
        assert "628ESC012: cause not known." in text
        assert f"Symbol Order Shares to fill TLT {OPEN_ORDER.order} \N{MINUS SIGN}3" in text
        assert f"Symbol Order Shares filled GLD {MISSING_FILL.order} 7" in text
    assert mail.short == (
        "[prod] 2022-03-15: the books DIFFER from the account, 4 differences: 628ESC012, GLD, SPY, TLT. "
        "More: inv reconcile --env prod"
    )


@pytest.mark.parametrize(
    ("kind", "heading"),
    [("holding", "HOLDINGS"), ("order", "OPEN ORDERS THAT"), ("fill", "FILLS THAT THE")],
)
def test_compose_differing_books_without_a_kind_have_no_table_of_it(kind: str, heading: str) -> None:
    rows = [row for row in (BY_HAND, OPEN_ORDER, MISSING_FILL) if row.kind != kind]

    for text in html_and_text(compose(differing(*rows), stage="prod")):
        assert heading not in text.upper()


@pytest.mark.parametrize("state", [RunState.SELLING, RunState.BUYING])
def test_compose_run_failed_while_trading_warns_of_filled_orders(state: RunState) -> None:
    for text in html_and_text(compose(failed(state=state), stage="local")):
        assert "Some orders may have been filled." in text
        assert "No orders were sent" not in text


def test_compose_run_failed_in_unknown_state_claims_nothing_about_orders() -> None:
    for text in html_and_text(compose(failed(state="SOMEWHERE"), stage="local")):
        assert "it was somewhere" in text
        assert "Check the run's trades to see whether any orders were sent." in text
        assert "No orders were sent" not in text


def test_compose_paused_day_says_how_to_trade_again() -> None:
    mail = compose(refused(), stage="prod")

    for text in html_and_text(mail):
        assert "Tuesday, 15 March 2022: no run was started" in text
        assert "The kill switch is paused, missing or unreadable. This start sent no orders." in text
        assert "reason: paused" in text.lower()
        assert "the kill switch is not enabled" in text
        assert "Run inv trading.resume --env prod: it shows who paused trading and when" in text
        assert START.format("prod") in text
        assert "You read of each reason once per day, however often a start is refused." in text
    assert mail.short == (
        "[prod] 2022-03-15: run REFUSED: paused. the kill switch is not enabled. More: inv trading.status --env prod"
    )


@pytest.mark.parametrize("reason", ["verdict_missing", "verdict_stale", "verdict_malformed"])
def test_compose_refusal_on_unchecked_data_says_how_to_check_it(reason: str) -> None:
    for text in html_and_text(compose(refused(reason), stage="local")):
        assert f"Refresh the market data. {REFRESH}" in text
        assert START.format("local") in text


def test_compose_refusal_for_an_unknown_reason_names_it() -> None:
    for text in html_and_text(compose(refused("moon_phase"), stage="local")):
        assert "The reason is: moon phase. This start sent no orders." in text
        assert "Read the log of coordinator_v2." in text


def test_compose_unfit_data_lists_symbols_with_reasons() -> None:
    mail = compose(checked(passed=False), stage="local")

    for text in html_and_text(mail):
        assert "2 symbols are quarantined." in text
        assert "BBY: last bar 2022-03-01." in text
        assert "TLT: 2 sessions missing." in text
        assert REFRESH in text
    assert mail.short.endswith("2 of 35 symbols quarantined: BBY, TLT. More: inv data.quality --env local")


def test_compose_unfit_data_as_a_whole_says_what_is_wrong() -> None:
    problem = "the corporate actions are of 2022-03-01"
    mail = compose(checked(passed=False, problems=(problem, "and one more")), stage="local")

    for text in html_and_text(mail):
        assert text.index(problem) < text.index("and one more") < text.index("BBY: last bar 2022-03-01")
    assert f": {problem}: and one more: BBY, TLT. More: " in mail.short


def test_compose_problem_without_quarantine_is_all_of_the_short_text() -> None:
    verdict = checked(passed=False, problems=("no actions",)).changed(quarantined={})

    mail = compose(verdict, stage="local")

    assert mail.short == f"{mail.subject}: no actions. More: inv data.quality --env local"
