from decimal import Decimal

import pytest

from tests.the_alchemiser.shared.performance.account_rows import (
    MONDAY,
    THURSDAY,
    TUESDAY,
    account_row,
    owner_row,
)
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.performance.figures import Breakdown, Figures, History, days, growth, period
from the_alchemiser.shared.performance.rows import ACCOUNT

HISTORY = History.of(
    [
        account_row(MONDAY, "1010", strategies="9.99", rounding="0.01", opening_equity="1000"),
        owner_row("calm", MONDAY, "1010", market_value="509.99", proceeds="-500", turnover="500", slippage="0.5"),
        account_row(THURSDAY, "2080", strategies="29.99", fees="-1", dividends="51", deposits="1000", rounding="0.01"),
        owner_row(
            "calm",
            THURSDAY,
            "2080",
            market_value="300",
            proceeds="-290.01",
            turnover="710",
            slippage="0.2",
            realised="12",
            unrealised="-2.01",
            closed_lots="2",
            winning_lots="1",
        ),
        owner_row("bold", THURSDAY, "2080", market_value="120", proceeds="-100", turnover="100"),
    ]
)


def figures(owner: str = ACCOUNT) -> tuple[Figures, ...]:
    return days(HISTORY, owner)


def test_day_of_the_first_run_starts_from_its_plan() -> None:
    first = figures()[0]

    assert (first.opened, first.through) == (None, MONDAY)
    assert [first.opening_equity, first.closing_equity, first.pnl] == [1000, 1010, 10]
    assert first.time_weighted_return == Decimal("0.01")


def test_first_row_after_other_trades_is_no_day() -> None:
    rows = [account_row(MONDAY, "1010"), account_row(TUESDAY, "1000")]

    assert [day.through for day in days(History.of(rows))] == [TUESDAY]


def test_deposit_is_no_gain_and_counts_from_the_start_of_the_day() -> None:
    second = figures()[1]

    assert [second.deposits, second.pnl] == [1000, 70]
    assert second.time_weighted_return is not None
    assert round(second.time_weighted_return, 20) == round(Decimal(70) / Decimal(2010), 20)


def test_withdrawal_is_no_loss() -> None:
    rows = [account_row(MONDAY, "1000"), account_row(TUESDAY, "300", deposits="-600")]

    (day,) = days(History.of(rows))

    assert [day.deposits, day.pnl, day.time_weighted_return] == [-600, -100, Decimal("-0.25")]


def test_day_without_a_row_belongs_to_the_next() -> None:
    assert (figures()[1].opened, figures()[1].through) == (MONDAY, THURSDAY)


def test_period_compounds_its_days() -> None:
    whole = period(HISTORY)

    assert whole is not None
    assert whole.time_weighted_return is not None
    expected = Decimal("1.01") * (1 + Decimal(70) / Decimal(2010)) - 1
    assert round(whole.time_weighted_return, 20) == round(expected, 20)
    assert [whole.opened, whole.through, whole.pnl, whole.deposits] == [None, THURSDAY, 80, 1000]


def test_breakdown_names_every_part_of_the_gain() -> None:
    assert figures()[1].breakdown == Breakdown(
        strategies=Decimal(20),
        unattributed=Decimal(0),
        fees=Decimal(-1),
        dividends=Decimal(51),
        interest=Decimal(0),
        other={},
        rounding=Decimal(0),
        unexplained=Decimal(0),
    )


def test_breakdown_shows_what_nothing_explains() -> None:
    rows = [account_row(MONDAY, "1000", CIL="1"), account_row(TUESDAY, "1004", CIL="1.5", interest="2", MISC="0")]

    (day,) = days(History.of(rows))

    assert day.breakdown is not None
    assert day.breakdown.other == {"CIL": Decimal("0.5")}
    assert [day.breakdown.interest, day.breakdown.unexplained] == [2, Decimal("1.5")]


def test_strategy_contributes_to_the_return_of_the_account() -> None:
    first, second = figures("calm")

    assert [first.pnl, second.pnl] == [Decimal("9.99"), 0]
    assert first.time_weighted_return == Decimal("9.99") / 1000
    assert [first.closed_lots, first.winning_lots] == [0, 0]
    assert second.breakdown is None


def test_figures_of_a_strategy_are_differences_and_its_state() -> None:
    _, second = figures("calm")

    assert [second.turnover, second.slippage] == [210, Decimal("-0.3")]
    assert [second.realised, second.unrealised] == [12, Decimal("-2.01")]
    assert [second.closed_lots, second.winning_lots, second.win_rate] == [2, 1, Decimal("0.5")]
    assert [second.market_value, second.exposure] == [300, Decimal(300) / 2080]
    assert second.turnover_rate == Decimal(210) / 2080


def test_strategy_that_trades_later_starts_from_nothing() -> None:
    first, second = figures("bold")

    assert [first.pnl, second.pnl, second.turnover] == [0, 20, 100]
    assert first.win_rate is None


def test_unattributed_shares_of_the_first_run_gained_nothing_before() -> None:
    rows = [
        account_row(MONDAY, "1000", unattributed="400", opening_equity="1000"),
        owner_row(UNATTRIBUTED, MONDAY, "1000", market_value="400"),
        account_row(TUESDAY, "1005", unattributed="405"),
        owner_row(UNATTRIBUTED, TUESDAY, "1005", market_value="105", proceeds="300"),
    ]

    first, second = days(History.of(rows), UNATTRIBUTED)

    assert [first.pnl, second.pnl] == [0, 5]
    assert (second.realised, second.unrealised) == (None, None)


def test_rows_of_earlier_releases_are_left_out() -> None:
    old = account_row(MONDAY, "1000").changed(account=None)
    old_strategy = owner_row("calm", MONDAY, "1000").changed(proceeds=None)

    history = History.of([old, old_strategy, account_row(TUESDAY, "1000"), account_row(THURSDAY, "1001")])

    assert [row.trading_date for row in history.account] == [TUESDAY, THURSDAY]
    assert history.names == ()


@pytest.mark.parametrize(("since", "opened"), [(MONDAY, None), (TUESDAY, MONDAY), (THURSDAY, MONDAY)])
def test_since_starts_from_the_row_before(since: object, opened: object) -> None:
    found = period(HISTORY, since=since)  # type: ignore[arg-type]  # pytest passes the parameters as objects

    assert found is not None
    assert found.opened == opened


def test_period_after_the_last_row_is_none() -> None:
    assert period(HISTORY, since=THURSDAY.replace(day=18)) is None
    assert period(History.of([])) is None


def test_return_without_capital_is_undefined() -> None:
    rows = [
        account_row(MONDAY, "100"),
        account_row(TUESDAY, "0", deposits="-100"),
        account_row(THURSDAY, "0", deposits="-100"),
    ]

    history = History.of(rows)

    assert [day.time_weighted_return for day in days(history)] == [None, None]
    assert growth(history) == ()


def test_growth_compounds_the_days() -> None:
    (monday, first), (thursday, second) = growth(HISTORY)

    assert (monday, first) == (MONDAY, Decimal("1.01"))
    assert (thursday, round(second, 20)) == (THURSDAY, round(Decimal("1.01") * (1 + Decimal(70) / Decimal(2010)), 20))


def test_rows_in_any_order_give_the_same_history() -> None:
    rows = [account_row(TUESDAY, "1"), owner_row("calm", MONDAY, "2"), account_row(MONDAY, "2")]

    assert History.of(rows) == History.of(reversed(rows))


def test_later_day_is_the_difference_of_two_rows_in_every_figure() -> None:
    """Every total of the first row differs from zero, so that no figure can ignore it."""
    first = {"strategies": "7", "unattributed": "5", "deposits": "100", "fees": "-3", "dividends": "2", "interest": "1"}
    last = {"strategies": "17", "unattributed": "6", "deposits": "130", "fees": "-4", "dividends": "5", "interest": "9"}
    lots = [{"closed_lots": "5", "winning_lots": "3"}, {"closed_lots": "9", "winning_lots": "4"}]
    history = History.of(
        [
            account_row(MONDAY, "1000", **first, rounding="0.5", XYZ="2"),
            owner_row("calm", MONDAY, "1000", **lots[0], turnover="50", slippage="4", realised="6"),
            account_row(TUESDAY, "1052", **last, rounding="0.75", XYZ="3"),
            owner_row("calm", TUESDAY, "1052", **lots[1], turnover="80", slippage="3", realised="10"),
        ]
    )

    (day,), (calm,) = days(history), days(history, "calm")

    assert [day.deposits, day.pnl] == [30, 22]
    assert day.breakdown == Breakdown(
        strategies=Decimal(10),
        unattributed=Decimal(1),
        fees=Decimal(-1),
        dividends=Decimal(3),
        interest=Decimal(8),
        other={"XYZ": Decimal(1)},
        rounding=Decimal("0.25"),
        unexplained=Decimal("-0.25"),
    )
    assert [calm.closed_lots, calm.winning_lots] == [4, 1]
    assert [calm.turnover, calm.slippage, calm.realised] == [30, -1, 4]


def test_period_after_deposits_compounds_from_the_capital_of_each_day() -> None:
    rows = [
        account_row(MONDAY, "1000", deposits="500"),
        account_row(TUESDAY, "1650", deposits="1000"),
        account_row(THURSDAY, "1600", deposits="950"),
    ]

    whole = period(History.of(rows))

    assert whole is not None
    assert whole.time_weighted_return == Decimal("0.1")
