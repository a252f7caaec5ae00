"""What a failed run or a refused start means for positions and P&L."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.notifications_v2.reading import Document, html_and_text
from tests.the_alchemiser.notifications_v2.samples import LATEST, VERDICT
from tests.the_alchemiser.results import DAY, failed, refused
from tests.the_alchemiser.run_builders import executed, trade_failed
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN, Background
from the_alchemiser.notifications_v2.mail import compose
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.values import Side

HELD = (
    "after the run of Monday, 14 March 2022, the account held 2 positions worth $94,999.50, and $2,800.50 in cash; its "
    "equity was $97,800.00. The P&L of today counts toward the day of the next run that completes."
)
BOUGHT = executed("SPY", Side.BUY, "12.5", price="100.1234")
FILL = BOUGHT.fills[0]


def texts(message: News, background: Background) -> tuple[str, str]:
    return html_and_text(compose(message, background, stage="prod"))


@pytest.mark.parametrize(
    ("message", "start"),
    [
        (failed(), "Positions are unchanged: "),
        (failed(state="PLANNED"), "Positions are unchanged: "),
        (failed(state="BUYING"), "Positions may have changed: "),
        (failed(state="SOMEWHERE"), "Positions may have changed: "),
        # Another run of the day may have traded.
        (refused(), "Positions may have changed: "),
    ],
)
def test_positions_are_those_after_the_latest_run(message: News, start: str) -> None:
    for text in texts(message, Background(latest=LATEST)):
        assert f"{start}{HELD}" in text


def test_positions_are_not_called_unchanged_after_a_trade() -> None:
    for text in texts(failed(), Background(latest=LATEST, trades=(BOUGHT,))):
        assert f"Positions may have changed: {HELD}" in text


def test_account_without_positions_says_so() -> None:
    empty = LATEST.changed(holdings={}, cash=None)

    for text in texts(failed(), Background(latest=empty)):
        assert "the account held no positions; its equity was $97,800.00." in text


def test_one_position_is_in_the_singular() -> None:
    one = LATEST.changed(holdings={"SPY": LATEST.holdings["SPY"]})

    for text in texts(failed(), Background(latest=one)):
        assert "held 1 position worth $94,999.50" in text


@pytest.mark.parametrize(("days", "is_shown"), [(0, True), (1, False)])
def test_figures_of_a_later_day_are_not_shown(days: int, *, is_shown: bool) -> None:
    later = LATEST.changed(trading_date=DAY + timedelta(days=days))

    for text in texts(failed(), Background(latest=later)):
        assert ("the account held" in text) is is_shown


def test_nothing_known_says_nothing_about_positions() -> None:
    for text in texts(failed(), NOTHING_KNOWN):
        assert "positions and p&l" not in text.lower()
        assert "trades so far" not in text.lower()


def test_trades_so_far_have_fills_and_reasons() -> None:
    fills = (FILL.changed(quantity=Decimal(4), price=Decimal(90)), FILL.changed(quantity=Decimal(1)))
    half = trade_failed("TLT", Side.BUY, "10", fills=fills).changed(filled_quantity=Decimal(5))
    background = Background(trades=(BOUGHT, half, trade_failed("GLD", Side.SELL, "3")))
    message = failed(state="BUYING")

    (table,) = Document(compose(message, background, stage="prod").html).tables
    assert table == [
        ["Trade", "Shares filled", "Fill price", "Notional", "Result"],
        ["BUY SPY", "12.5 of 12.5", "$100.1234", "$1,251.54", "filled"],
        ["BUY TLT", "5 of 10", "$92.0247", "$460.12", "market closed"],
        ["SELL GLD", "0 of 3", "none", "$0.00", "market closed"],
    ]
    for text in texts(message, background):
        assert "trades so far" in text.lower()


def test_failed_mail_has_data_notes_and_what_could_not_be_read() -> None:
    for text in texts(failed(), Background(verdict=VERDICT, unread=("Something is missing.",))):
        assert "The data was checked through Monday, 14 March 2022, 19 hours before the run ended." in text
        assert "BBY is quarantined: last bar 2022-03-01." in text
        assert "Something is missing." in text
