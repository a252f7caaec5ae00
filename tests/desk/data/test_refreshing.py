"""A refresh is sent, followed symbol by symbol, and ends with a table and an exit code."""

import json

import pytest
from botocore.exceptions import ClientError

from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, UsageError
from desk.data import refreshing
from desk.operations.orders import Stopwatch
from tests.desk.data.stock import Stock
from tests.desk.operations.duty import ROOT, FakeWatch, World
from tests.the_alchemiser.shared.market_data.samples import bars
from the_alchemiser.data_v2.progress import RefreshProgress, SymbolOutcome
from the_alchemiser.shared.messaging.commands import RefreshMarketData
from the_alchemiser.shared.messaging.delivery import parse

Out = pytest.CaptureFixture[str]
NEW = SymbolOutcome(before="", after="a1")
SAME = SymbolOutcome(before="a1", after="a1")
FAILED = SymbolOutcome(before="a1", after="a1", error="no_bars: no bars from 2016-11-25 through 2022-11-25")
LATE = SymbolOutcome(before="a1", after="a1", error="broker_timeout: no answer", is_retryable=True)


def progress(*, finished: bool = False, **outcomes: SymbolOutcome) -> RefreshProgress:
    return RefreshProgress(
        request_id="message-1", symbols=("OLD", "SPY", "TLT"), outcomes=outcomes, is_finished=finished
    )


def stocked(*answers: RefreshProgress | None, world: World | None = None) -> Stock:
    stock = Stock(world or World(), progress=list(answers))
    for symbol in ("SPY", "TLT"):
        stock.store(symbol, bars(3))
    return stock


def refresh(stock: Stock, *symbols: str, as_json: bool = False, watch: FakeWatch | None = None) -> None:
    watch = watch or FakeWatch()
    wall = Stopwatch(watch.now, watch.sleep)
    refreshing.refresh(ROOT, "prod", symbols, as_json=as_json, connect=stock.connect, wall=wall)


def test_refresh_of_the_book_names_no_symbols() -> None:
    stock = stocked(progress(OLD=SAME, SPY=NEW, TLT=NEW, finished=True))

    refresh(stock)

    assert stock.world.sent == [("data_v2", RefreshMarketData(command="refresh-market-data"))]
    assert stock.reads == ["REQUEST#message-1"]
    assert stock.world.broker.is_closed


def test_refresh_of_some_symbols_names_each_once() -> None:
    stock = stocked(progress(OLD=SAME, SPY=NEW, TLT=NEW, finished=True))

    refresh(stock, "spy", "BRK/B", "SPY")

    expected = RefreshMarketData(command="refresh-market-data", symbols=("SPY", "BRK.B"))
    assert stock.world.sent == [("data_v2", expected)]
    assert parse(expected.to_json()) == expected


def test_refresh_shows_each_symbol_as_it_is_done_and_a_table(capsys: Out) -> None:
    stock = stocked(
        None,
        progress(SPY=NEW),
        progress(SPY=NEW),
        progress(SPY=NEW, OLD=SAME, TLT=NEW),
        progress(SPY=NEW, OLD=SAME, TLT=NEW, finished=True),
    )

    refresh(stock)

    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "1 of 3: SPY refreshed",
        "2 of 3: OLD up to date",
        "3 of 3: TLT refreshed",
        "prod: the quality check now runs by itself; inv trading.status --env prod shows its result",
    ]
    header, *rows = (line.split() for line in printed.out.splitlines())
    assert header == ["symbol", "result", "bars", "first", "last", "why"]
    assert rows == [
        ["OLD", "up", "to", "date", "0"],
        ["SPY", "refreshed", "3", "2022-01-03", "2022-01-05"],
        ["TLT", "refreshed", "3", "2022-01-03", "2022-01-05"],
    ]


def test_refresh_with_failures_names_them_and_what_to_type(capsys: Out) -> None:
    stock = stocked(progress(OLD=FAILED, SPY=NEW, TLT=LATE), progress(OLD=FAILED, SPY=NEW, TLT=LATE, finished=True))
    expected = r"^prod: 2 of 3 symbols failed; what is stored of them stays; once the cause is gone, run inv "

    with pytest.raises(CheckFailedError, match=rf"{expected}data\.refresh OLD TLT --env prod$"):
        refresh(stock)

    printed = capsys.readouterr()
    assert "1 of 3: OLD failed\n" in printed.err
    assert "3 of 3: TLT failed, will be tried again\n" in printed.err
    assert "OLD     failed        0" in printed.out
    assert "no_bars: no bars from 2016-11-25" in printed.out


def test_refresh_as_json_has_every_symbol(capsys: Out) -> None:
    stock = stocked(progress(OLD=FAILED, SPY=NEW, TLT=SAME, finished=True))

    with pytest.raises(CheckFailedError):
        refresh(stock, as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert (document["environment"], document["finished"]) == ("prod", True)
    old, spy, tlt = document["symbols"]
    assert old == {"symbol": "OLD", "result": "failed", "bars": 0, "first": "", "last": "", "error": FAILED.error}
    assert (spy["result"], spy["bars"], spy["last"], spy["error"]) == ("refreshed", 3, "2022-01-05", "")
    assert tlt["result"] == "up to date"


def test_refresh_without_an_answer_gives_up_and_says_where_to_look() -> None:
    stock, watch = stocked(None), FakeWatch()
    look = r"inv logs --env prod --function data_v2 --since 10m, and inv dlq\.list --env prod$"

    with pytest.raises(CheckFailedError, match=rf"data_v2 has not answered for 100 s, at all; .*{look}"):
        refresh(stock, watch=watch)

    assert watch.seconds == 100 + 100  # two time-outs of 40 s, and the margin


def test_refresh_waits_as_long_as_there_is_news() -> None:
    stock, watch = stocked(None), FakeWatch()
    stock.progress = [None] * 199 + [progress(SPY=NEW)] * 199 + [progress(SPY=NEW, TLT=NEW)]

    with pytest.raises(CheckFailedError, match=r"not answered for 100 s, after 2 of 3 symbols; it may still work: "):
        refresh(stock, watch=watch)

    assert watch.seconds == pytest.approx(100 + 2 * 99.5 + 100)


def test_refresh_that_ends_without_all_symbols_shows_those_that_were_not_tried(capsys: Out) -> None:
    stock = stocked(progress(SPY=NEW, finished=True))

    with pytest.raises(CheckFailedError, match=r"2 of 3 symbols failed; .*inv data\.refresh OLD TLT --env prod$"):
        refresh(stock)

    assert "OLD     not tried" in capsys.readouterr().out


def test_refresh_of_a_damaged_object_says_that_it_was_repaired(capsys: Out) -> None:
    repaired = SAME.changed(repaired="damaged: bars/v1/SPY.parquet does not match its digest")
    refresh(stocked(progress(OLD=SAME, SPY=repaired, TLT=NEW, finished=True)))

    assert "SPY     repaired" in capsys.readouterr().out


def test_refresh_of_an_impossible_symbol_sends_nothing() -> None:
    stock = stocked(None)

    with pytest.raises(UsageError, match=r"^data\.refresh: found a b, spy!, expected symbols as the"):
        refresh(stock, "spy!", "SPY", "a b")
    assert stock.world.sent == []


def test_refresh_with_keys_of_another_account_is_not_sent() -> None:
    stock = stocked(None, world=World(account="PA7"))

    with pytest.raises(ConfigurationError, match="belong to account PA1, this environment trades PA7; run inv secrets"):
        refresh(stock)
    assert stock.world.sent == []


def test_refresh_that_aws_refuses_is_an_error() -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")

    with pytest.raises(DeploymentError, match="AWS refused the request"):
        refresh(stocked(None, world=World(send_error=refused)))
