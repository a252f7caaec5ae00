import csv
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from desk.backtest.output.trades_csv import COLUMNS, shares_by_strategy, trade_rows, write_trades
from desk.backtest.result import Result
from desk.backtest.simulate import RefusedTrade
from tests.desk.backtest.worlds import candidate, traded
from tests.the_alchemiser.strategy_v2.cases import asset, market
from the_alchemiser.shared.values import Side

DAYS = traded(market(AAA=[10, 10, 11], BBB=[5, 5, 4]), {"AAA": "1"}, {"BBB": "1"}, costs_bps="10")
RESULT = Result((candidate(asset("AAA")),), "invented", Decimal(10000), Decimal(10), DAYS, None, "none")


def test_write_trades_writes_exact_numbers(tmp_path: Path) -> None:
    path = write_trades(RESULT, tmp_path / "new" / "trades.csv")

    with path.open(newline="") as file:
        header, first, *rest = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert first == [
        *("2021-01-05", "AAA", "BUY", "990.0", "10.01000", "-9909.90", "filled"),
        "have $0.00, want $9,900.00",
        "990 one",
    ]
    assert [row[1:3] for row in rest] == [["AAA", "SELL"], ["BBB", "BUY"]]


def test_write_trades_sums_to_cash(tmp_path: Path) -> None:
    with write_trades(RESULT, tmp_path / "trades.csv").open(newline="") as file:
        cash = sum(Decimal(row["cash"]) for row in csv.DictReader(file))

    assert Decimal(10000) + cash == DAYS[-1].cash


def test_trade_rows_include_refused_trades() -> None:
    first, *rest = DAYS
    refused = RefusedTrade(first.date, "ZZZ", Side.BUY, Decimal("1.5"), "limit_price_distance", "13 is 30.0% from 10")

    rows = list(trade_rows(replace(RESULT, days=(replace(first, refused=(refused,)), *rest))))

    detail = "limit_price_distance: 13 is 30.0% from 10"
    assert rows[1] == (str(first.date), "ZZZ", "BUY", "1.5", "", "", "refused", detail, "")


def test_write_trades_without_trades_writes_header(tmp_path: Path) -> None:
    idle = replace(RESULT, days=tuple(replace(day, trades=()) for day in DAYS))

    assert write_trades(idle, tmp_path / "trades.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_shares_by_strategy_never_begin_with_a_name() -> None:
    assert shares_by_strategy({"=HYPERLINK()": Decimal("12.50"), "+b": Decimal(-3)}) == "-3 +b; 12.5 =HYPERLINK()"
