"""Every figure of P&L is read back and compared with the rows that it came from."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.the_alchemiser.notifications_v2.completed_mails import cents, number, tables, texts
from tests.the_alchemiser.notifications_v2.samples import ACCOUNT_ROWS, HISTORY, OWNER_ROWS
from tests.the_alchemiser.results import DAY
from tests.the_alchemiser.shared.performance.account_rows import account_row
from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.completed_page import FIRST_FIGURES
from the_alchemiser.shared.formats import MINUS
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.performance.figures import Figures, History, period
from the_alchemiser.shared.performance.rows import ACCOUNT


def figures(owner: str = ACCOUNT, *, since: date | None = None) -> Figures:
    found = period(HISTORY, owner, since=since)
    assert found is not None
    return found


def test_periods_are_those_of_the_rows() -> None:
    rows = tables()["Period"]

    starts = {
        "Day": DAY,
        "Month to date": DAY.replace(day=1),
        "Year to date": DAY.replace(month=1, day=1),
        "Since start": None,
    }
    assert [row[0] for row in rows] == list(starts)
    for name, pnl, rate, deposits in rows:
        expected = figures(since=starts[name])
        assert number(pnl) == cents(expected.pnl)
        assert expected.time_weighted_return is not None
        assert abs(number(rate) - expected.time_weighted_return) <= Decimal("0.00005")
        assert number(deposits) == expected.deposits
    assert [row[1] for row in rows] == ["+$187.21", "+$2,987.21", "+$4,487.21", "+$4,987.21"]


def test_periods_without_deposits_say_so() -> None:
    history = History.of([account_row(DAY, "1010", opening_equity="1000")])

    rows = tables(background=Background(history=history))["Period"]

    assert [row[3] for row in rows] == ["none"] * 4
    assert [row[2] for row in rows] == ["+1.00%"] * 4


def test_return_without_positive_capital_is_unknown() -> None:
    history = History.of([account_row(DAY, "10", opening_equity="0")])

    rows = tables(background=Background(history=history))["Period"]

    assert [row[1:3] for row in rows] == [["+$10.00", "unknown"]] * 4
    for text in texts(background=Background(history=history)):
        assert "P&L of the day +$10.00" in text
        assert "Cash after $60,634.19" in text


def test_contributions_add_up_to_the_account() -> None:
    rows = tables()["Strategy"]

    names = [row[0] for row in rows]
    assert names == [
        "trend", "calm", "Shares of no strategy", "Fees", "Dividends", "Rounding by the broker", "Account",
    ]  # fmt: skip
    owners = dict(zip(names, ("trend", "calm", UNATTRIBUTED), strict=False))
    for name, value, day, ever in rows[:3]:
        of_owner = [row for row in OWNER_ROWS if row.strategy == owners[name]]
        assert number(value) == of_owner[-1].market_value
        assert number(day) == figures(owners[name], since=DAY).pnl
        assert number(ever) == figures(owners[name]).pnl
    assert number(rows[-1][1]) == ACCOUNT_ROWS[-1].market_value
    for column, since in ((2, DAY), (3, None)):
        parts = [number(row[column]) for row in rows[:-1]]
        assert sum(parts) == number(rows[-1][column]) == cents(figures(since=since).pnl)


def test_contributions_are_sorted_by_the_day() -> None:
    rows = [
        row.changed(proceeds=row.proceeds - 500) if (row.strategy, row.trading_date) == ("trend", DAY) else row
        for row in OWNER_ROWS
        if row.proceeds is not None
    ]

    history = History.of((*ACCOUNT_ROWS, *rows))

    names = [row[0] for row in tables(background=Background(history=history))["Strategy"]]
    assert names[:3] == ["calm", "Shares of no strategy", "trend"]


def test_every_part_of_the_gain_is_named() -> None:
    history = History.of(
        [
            account_row(DAY - timedelta(days=1), "1000", opening_equity="1000"),
            account_row(DAY, "1020", interest="3", CIL="4", fees="-1"),
        ]
    )

    rows = tables(background=Background(history=history))["Strategy"]

    assert rows == [
        ["Fees", "", f"{MINUS}$1.00", f"{MINUS}$1.00"],
        ["Interest", "", "+$3.00", "+$3.00"],
        ["Other: CIL", "", "+$4.00", "+$4.00"],
        ["Unexplained", "", "+$14.00", "+$14.00"],
        ["Account", "$0.00", "+$20.00", "+$20.00"],
    ]


def test_day_is_explained_by_what_it_counts_from() -> None:
    for text in texts():
        assert (
            "The day's P&L counts from the run of Monday, 14 March 2022, when equity was $97,800.00. Since then "
            "$2,000.00 was deposited. Returns are time-weighted: deposits and withdrawals do not count as gains or "
            "losses." in text
        )


@pytest.mark.parametrize(("deposits", "moved"), [("-7", " Since then $7.00 was withdrawn."), ("0", "")])
def test_day_names_what_was_withdrawn(deposits: str, moved: str) -> None:
    before, today = account_row(DAY - timedelta(days=1), "1000"), account_row(DAY, "1000", deposits=deposits)

    for text in texts(background=Background(history=History.of([before, today]))):
        assert f"when equity was $1,000.00.{moved} Returns are time-weighted" in text


def test_first_day_counts_from_before_the_first_run() -> None:
    history = History.of([account_row(DAY, "1010", opening_equity="1000")])

    for text in texts(background=Background(history=history)):
        assert "The day's P&L counts from the time before the first run, when equity was $1,000.00." in text


@pytest.mark.parametrize("history", [None, History.of([]), History.of([account_row(DAY, "1010")])])
def test_run_without_figures_shows_equity_before_and_after(history: History | None) -> None:
    background = Background(history=history)

    assert {"Period", "Strategy"}.isdisjoint(tables(background=background))
    for text in texts(background=background):
        assert "Equity before $100,000.00" in text
        assert "Equity after $99,987.21" in text
        assert "Cash after $60,634.19" in text
        assert (FIRST_FIGURES in text) is (history is not None)
