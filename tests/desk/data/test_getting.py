"""The bars of one symbol as a table, CSV or JSON."""

import json

import pytest

from automation.system.errors import UsageError
from desk.data.getting import GetRequest, csv_text, get
from tests.desk.data.stock import Stock
from tests.desk.operations.duty import ROOT
from tests.the_alchemiser.shared.market_data.samples import bars

Out = pytest.CaptureFixture[str]


@pytest.fixture
def stock() -> Stock:
    stock = Stock()
    stock.store("SPY", bars(20))
    return stock


def test_get_prints_all_bars_as_a_table(stock: Stock, capsys: Out) -> None:
    get(ROOT, "prod", GetRequest(["spy"]), connect=stock.connect)

    header, *rows, total = capsys.readouterr().out.splitlines()
    assert header.split() == ["date", "open", "high", "low", "close", "volume", "adjusted"]
    assert rows[0].split() == ["2022-01-03", "99", "102", "98", "100", "1000000", "100"]
    assert len(rows) == 20
    assert total == "SPY: 20 bars"


def test_get_prints_the_dates_from_start_through_end_as_csv(stock: Stock, capsys: Out) -> None:
    get(ROOT, "prod", GetRequest(["SPY"], "2022-01-04", "2022-01-05", as_csv=True), connect=stock.connect)

    assert capsys.readouterr().out == csv_text(bars(20)[1:3])


def test_csv_has_every_digit() -> None:
    (bar,) = bars(1)
    text = csv_text((bar._replace(close=0.1 + 0.2),))

    assert text == (
        "date,open,high,low,close,volume,adjusted\n2022-01-03,99.0,102.0,98.0,0.30000000000000004,1000000.0,100.0\n"
    )


def test_get_prints_json(stock: Stock, capsys: Out) -> None:
    get(ROOT, "prod", GetRequest(["SPY"], end="2022-01-03", as_json=True), connect=stock.connect)

    row = {"open": 99.0, "high": 102.0, "low": 98.0, "close": 100.0, "volume": 1e6, "adjusted": 100.0}
    assert json.loads(capsys.readouterr().out) == {"symbol": "SPY", "bars": [{"date": "2022-01-03", **row}]}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (GetRequest([]), r"expected one symbol, got 0; run inv data\.get SPY --env prod$"),
        (GetRequest(["SPY", "TLT"]), "expected one symbol, got 2"),
        (GetRequest(["SPY"], as_csv=True, as_json=True), "--csv and --json exclude each other"),
        (GetRequest(["SPY"], "yesterday"), "--start yesterday is not a date"),
        (GetRequest(["SPY"], end="2022"), "--end 2022 is not a date"),
        (GetRequest(["SPY"], "2022-01-05", "2022-01-04"), "--start 2022-01-05 is after --end 2022-01-04$"),
        (
            GetRequest(["SPY"], "2021-01-05", "2022-01-02"),
            r"SPY has no bars in these dates; it has 20 bars from 2022-01-03 through 2022-01-28$",
        ),
    ],
)
def test_get_with_wrong_options_says_which(stock: Stock, request_: GetRequest, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        get(ROOT, "prod", request_, connect=stock.connect)


def test_get_of_one_day_may_begin_and_end_on_it(stock: Stock, capsys: Out) -> None:
    get(ROOT, "prod", GetRequest(["SPY"], "2022-01-04", "2022-01-04", as_csv=True), connect=stock.connect)

    assert len(capsys.readouterr().out.splitlines()) == 2
