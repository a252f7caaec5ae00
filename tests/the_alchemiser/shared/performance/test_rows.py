from decimal import Decimal

from tests.the_alchemiser.shared.performance.account_rows import MONDAY, account_row, owner_row
from the_alchemiser.shared.performance.rows import partition, performance_of, row_of

OLD_ROW = {
    "pk": "STRATEGY#calm",
    "sk": "2022-03-16",
    "strategy": "calm",
    "trading_date": "2022-03-16",
    "run_id": "local-2022-03-16",
    "completed_at": "2022-03-16T19:45:00.000000+00:00",
    "edition": "2022-03-16#2022-03-16T19:45:00.000000+00:00",
    "equity": "100000",
    "exposure": "0.95",
    "market_value": "95000",
    "cost": "90000",
    "holdings": {"SPY": "1.5"},
    "unmarked": ["TLT"],
}


def test_row_of_account_comes_back_as_it_was() -> None:
    row = account_row(MONDAY, "1010.50", deposits="-5", strategies="7.000000001", CIL="0.01", opening_equity="1000")

    assert performance_of(row_of(row)) == row


def test_row_of_strategy_comes_back_as_it_was() -> None:
    row = owner_row("calm", MONDAY, "1000", proceeds="-12.5", turnover="12.5", closed_lots="3", winning_lots="2")
    row = row.changed(holdings={"SPY": Decimal("0.6")}, unmarked=("TLT",), unrealised=None, cost=None)

    assert performance_of(row_of(row)) == row


def test_row_of_huge_numbers_has_no_exponent() -> None:
    assert row_of(owner_row("calm", MONDAY, "1E+3", slippage="1E-7"))["equity"] == "1000"
    assert row_of(owner_row("calm", MONDAY, "1E+3", slippage="1E-7"))["slippage"] == "0.0000001"


def test_row_of_account_shows_its_totals_as_text() -> None:
    row = row_of(account_row(MONDAY, "1000", deposits="-5", CIL="0.01"))

    assert row["account"] == {
        "owners": ["bold", "calm"],
        "other": {"CIL": "0.01"},
        "strategies": "0",
        "unattributed": "0",
        "deposits": "-5",
        "fees": "0",
        "dividends": "0",
        "interest": "0",
        "rounding": "0",
    }


def test_performance_of_earlier_release_has_no_totals() -> None:
    performance = performance_of(OLD_ROW)

    assert [performance.cost, performance.realised, performance.cash] == [90000, None, None]
    assert (performance.proceeds, performance.turnover, performance.slippage) == (None, None, None)
    assert (performance.closed_lots, performance.winning_lots, performance.account) == (None, None, None)
    assert (performance.holdings, performance.unmarked) == ({"SPY": Decimal("1.5")}, ("TLT",))


def test_partition_names_the_owner() -> None:
    assert partition("calm") == "STRATEGY#calm"


def test_exposure_is_a_fraction_of_positive_equity() -> None:
    row = owner_row("calm", MONDAY, "200", market_value="50")

    assert row.exposure == Decimal("0.25")
    assert row.changed(equity=Decimal(0)).exposure is None
