"""The parts of the mail about a completed run that come from its message; each number is read back."""

from decimal import Decimal

from tests.the_alchemiser.notifications_v2.completed_mails import IN_CASH, cents, compose, number, tables, texts
from tests.the_alchemiser.results import BOUGHT, HALF_BOUGHT, REFUSED, SOLD, completed, mark
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN
from the_alchemiser.shared.formats import MINUS

POSITIONS = [mark("SPY", "94.123456", "418.10"), mark("GLD", "3", "171.5"), mark("BRK.B", "0.5", "350.25")]


def test_figures_at_the_top_are_equity_day_and_return() -> None:
    for text in texts():
        assert "Equity after $99,987.21 P&L of the day +$187.21 (+0.19%) Return since start +5.38%" in text
        assert f"Equity was $100,000.00 before the run and changed by {MINUS}$12.79 ({MINUS}0.01%) during it" in text
        assert "$39,353.02 is invested, and $60,634.19 is cash." in text


def test_preview_and_short_text_have_the_day() -> None:
    mail = compose()

    assert "Day +$187.21 (+0.19%); equity $100,000.00 before, $99,987.21 after; 2 trades." in mail.html
    assert mail.short == (
        f"[prod] 2022-03-15: run completed, 2 trades, equity $99,987.21, day +$187.21 (+0.19%), {MINUS}$12.79 "
        f"({MINUS}0.01%) during the run. More: inv run.show local-2022-03-15 --env prod"
    )
    unknown = compose(background=NOTHING_KNOWN)
    assert f"equity $99,987.21, {MINUS}$12.79 ({MINUS}0.01%) during the run. More:" in unknown.short
    assert ">Equity $100,000.00" not in unknown.html
    assert ">equity $100,000.00 before, $99,987.21 after; 2 trades.<" in unknown.html


def test_trades_and_positions_are_those_of_the_message() -> None:
    run = completed(outcomes=(SOLD, BOUGHT, HALF_BOUGHT, REFUSED), positions=POSITIONS)

    shown = tables(run)

    for row, outcome in zip(shown["Trade"], run.outcomes, strict=True):
        price = outcome.avg_price
        assert row[0] == f"{outcome.side} {outcome.symbol}"
        assert number(row[1]) == outcome.filled_quantity
        assert row[2] == "none" if price is None else number(row[2]) == price
        assert number(row[3]) == cents(outcome.filled_quantity * (price or 0))
        assert row[4] == ("filled" if outcome.reason is None else outcome.reason.replace("_", " "))
    by_symbol = {row[0]: row for row in shown["Symbol"]}
    assert by_symbol.keys() == {"SPY", "TLT", "GLD", "BRK.B"}
    for position in POSITIONS:
        _, target, actual, shares, value = by_symbol[position.symbol]
        assert number(target) == run.weights.get(position.symbol, 0)
        assert abs(number(actual) - position.quantity * position.price / run.equity_after) <= Decimal("0.00005")
        assert number(shares) == position.quantity
        assert number(value) == cents(position.quantity * position.price)


def test_empty_account_has_no_empty_tables() -> None:
    for text in texts(IN_CASH, NOTHING_KNOWN):
        assert "The account holds nothing, and nothing is a target." in text
    assert tables(IN_CASH, NOTHING_KNOWN) == {}


def test_commands_that_show_more_are_named() -> None:
    for text in texts():
        assert "inv run.show local-2022-03-15 --env prod shows everything about this run." in text
        assert "inv pnl --env prod shows P&L by strategy and day." in text
        assert "inv data.quality --env prod shows what was found in the market data." in text
