"""The client's prices: snapshots, last sales and quotes."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.the_alchemiser.shared.broker.answers import Script, answer, broker_over
from the_alchemiser.shared.broker.errors import AssetNotFoundError, UnexpectedResponseError
from the_alchemiser.shared.broker.models import Quote, Snapshot, Trade

SPY_QUOTE = {"t": "2024-03-15T19:44:58Z", "ax": "V", "ap": 509.84, "as": 1, "bx": "V", "bp": 509.82, "bs": 2}
SPY_TRADE = {"t": "2024-03-15T19:44:59Z", "x": "V", "p": 509.83, "s": 100}
QUOTE = Quote("SPY", Decimal("509.82"), Decimal("509.84"), datetime(2024, 3, 15, 19, 44, 58, tzinfo=UTC))
TRADE = Trade("SPY", Decimal("509.83"), datetime(2024, 3, 15, 19, 44, 59, tzinfo=UTC))


def test_snapshots_have_quote_and_trade_of_each_symbol() -> None:
    body = {
        "SPY": {"latestTrade": SPY_TRADE, "latestQuote": SPY_QUOTE, "dailyBar": None},
        "QUIET": {"latestTrade": None, "latestQuote": SPY_QUOTE | {"bp": 0, "ap": 0}},
        "NEW": {},
        "GONE": None,
    }
    script = Script([answer(200, body)])

    snapshots = broker_over(script).snapshots(["SPY", "QUIET", "NEW", "GONE", "NONE"])

    assert sorted(snapshots) == ["NEW", "QUIET", "SPY"]
    assert snapshots["SPY"] == Snapshot("SPY", QUOTE, TRADE)
    assert snapshots["NEW"] == Snapshot("NEW", None, None)
    assert snapshots["QUIET"] == Snapshot("QUIET", Quote("QUIET", Decimal(0), Decimal(0), QUOTE.at), None)
    url = "http://data.test/v2/stocks/snapshots?symbols=GONE%2CNEW%2CNONE%2CQUIET%2CSPY"
    assert script.requests[0].full_url == url


def test_snapshots_of_no_symbols_send_no_request() -> None:
    assert broker_over(Script([])).snapshots([]) == {}


def test_snapshots_with_an_odd_symbol_raise_its_name() -> None:
    script = Script([answer(400, {"message": "invalid symbol: 628ESC012"})])

    with pytest.raises(AssetNotFoundError, match="628ESC012"):
        broker_over(script).snapshots(["SPY", "628ESC012"])


@pytest.mark.parametrize("trades", [None, {}, {"SPY": None}])
def test_latest_trades_that_are_null_are_left_out(trades: object) -> None:
    assert broker_over(Script([answer(200, {"trades": trades})])).latest_trades(["SPY"]) == {}


def test_latest_trades_of_another_shape_are_named() -> None:
    script = Script([answer(200, {"trades": ["SPY"]})])

    with pytest.raises(UnexpectedResponseError, match="latest_trades: AttributeError"):
        broker_over(script).latest_trades(["SPY"])


def test_latest_trades_with_json_numbers_returns_exact_decimals() -> None:
    body = '{"trades": {"SPY": {"t": "2024-03-15T19:44:59Z", "x": "V", "p": 509.83, "s": 100}}}'
    script = Script([answer(200, body)])

    trades = broker_over(script).latest_trades(["SPY", "NONE"])

    assert trades["SPY"].price == Decimal("509.83")
    assert "NONE" not in trades
    assert script.requests[0].full_url.startswith("http://data.test/v2/stocks/trades/latest?symbols=NONE%2CSPY")
