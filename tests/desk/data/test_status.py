"""The status of the lake: what is stored of each symbol, and what the book lacks."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, Finding, UsageError
from desk.data import status as statuses
from desk.data.status import NIGHTLY, needs_of
from tests.desk.data.stock import Stock
from tests.desk.operations.duty import ROOT
from tests.the_alchemiser.shared.market_data.samples import bar, bars
from the_alchemiser.shared.book import Book, BookEntry
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.market_data.lake import description_key
from the_alchemiser.shared.symphony.options import StrategyOptions

Out = pytest.CaptureFixture[str]
AS_OF = date(2022, 11, 25)
EARLIER = bars(3, first=date(2022, 11, 16))  # 16, 17, 18 November; the next sessions are 23 and 25


@pytest.fixture
def book(tmp_path: Path) -> Book:
    texts = {"calm": '(asset "SPY" nil)', "bold": '(weight-equal [(asset "SPY" nil) (asset "TLT" nil)])'}
    entries = []
    for name, text in texts.items():
        path = tmp_path / f"{name}.clj"
        path.write_text(f'(defsymphony "{name}" {{:asset-class "EQUITIES", :rebalance-frequency :daily}} {text})')
        entries.append(BookEntry(name, Decimal("0.5"), date(2021, 1, 4), StrategyOptions(), path))
    return Book(tuple(entries))


def through(day: date) -> Bars:
    return (*EARLIER, bar(day))


def report(stock: Stock, book: Book, *, as_json: bool = False) -> None:
    statuses.report(ROOT, "prod", as_json=as_json, connect=stock.connect, read_book=lambda: book)


def findings(stock: Stock, book: Book) -> tuple[Finding, ...]:
    """Return the findings of a report that fails."""
    with pytest.raises(CheckFailedError) as raised:
        report(stock, book)
    return raised.value.findings


def full() -> Stock:
    stock = Stock()
    for symbol in ("SPY", "TLT"):
        stock.store(symbol, through(AS_OF))
    return stock


def test_needs_are_the_strategies_by_symbol(book: Book) -> None:
    assert needs_of(book) == {"SPY": ("calm", "bold"), "TLT": ("bold",)}


def test_status_of_a_full_lake_passes_and_shows_each_symbol(book: Book, capsys: Out) -> None:
    stock = full()
    stock.store("OLD", EARLIER)
    stock.quarantine(TLT="gap: 2022-11-21", OLD="stale: last bar 2022-11-18")

    report(stock, book)

    first, header, *rows, total = capsys.readouterr().out.splitlines()
    assert first == "prod: the last completed session is 2022-11-25"
    assert " ".join(header.split()) == "symbol bars first last age digest source fetched at quarantined needed by"
    old, spy, tlt = (" ".join(row.split()) for row in rows)
    where = "data.example.com 2022-03-16 00:00"
    assert old == f"OLD 3 2022-11-16 2022-11-18 2 ok {where} stale: last bar 2022-11-18"
    assert spy == f"SPY 4 2022-11-16 2022-11-25 0 ok {where} calm, bold"
    assert tlt == f"TLT 4 2022-11-16 2022-11-25 0 ok {where} gap: 2022-11-21 bold"
    assert total == "3 symbols, 2 of them in the book; 1 quarantined, 0 missing, damaged or stale"


def test_status_of_stale_missing_and_damaged_symbols_fails(book: Book) -> None:
    stale, damaged = full(), full()
    stale.objects.objects.clear()
    stale.store("SPY", through(date(2022, 11, 23)))
    damaged.truncate("SPY")

    assert findings(stale, book) == (
        Finding("SPY", "stale: last bar 2022-11-23, 1 session before 2022-11-25", "inv data.refresh SPY --env prod"),
        Finding("TLT", "missing: no bars/v1/TLT.parquet", "inv data.refresh TLT --env prod"),
    )
    assert findings(damaged, book) == (
        Finding("SPY", "damaged: bars/v1/SPY.parquet does not match its digest", "inv data.refresh SPY --env prod"),
    )


def test_status_that_fails_says_how_to_load_all(book: Book) -> None:
    stock = Stock()
    expected = r"^prod: 2 symbols of the book cannot be used for decisions on 2022-11-25; run inv data\.refresh --env"

    with pytest.raises(CheckFailedError, match=expected):
        report(stock, book)


def test_status_is_not_stale_between_the_close_and_the_nightly_refresh(book: Book, capsys: Out) -> None:
    stock = full()
    stock.world.broker.time = "19:59"

    report(stock, book)

    first, _, spy, *_ = capsys.readouterr().out.splitlines()
    assert first == "prod: the last completed session is 2022-11-28; its bars are due at 20:00 in New York"
    assert spy.split()[4] == "1"
    stock.world.broker.time = "20:00"
    assert [finding.what for finding in findings(stock, book)] == [
        "stale: last bar 2022-11-25, 1 session before 2022-11-28"
    ] * 2


def test_nightly_refresh_is_when_the_schedule_is() -> None:
    template = (ROOT / "data-template.yaml").read_text()

    assert f"cron({NIGHTLY.minute} {NIGHTLY.hour} ? * MON-FRI *)" in template


def test_status_of_bars_after_the_last_session_is_not_stale(book: Book) -> None:
    stock = full()
    stock.store("SPY", (*through(AS_OF), bar(date(2022, 11, 28))))

    report(stock, book)


def test_status_as_json_has_everything(book: Book, capsys: Out) -> None:
    stock = full()
    stock.store("SPY", EARLIER)

    with pytest.raises(CheckFailedError) as raised:
        report(stock, book, as_json=True)

    assert raised.value.findings == ()
    document = json.loads(capsys.readouterr().out)
    assert (document["environment"], document["as_of"]) == ("prod", "2022-11-25")
    assert [finding["where"] for finding in document["findings"]] == ["SPY"]
    assert document["symbols"][0] == {
        "symbol": "SPY",
        "bars": 3,
        "first": "2022-11-16",
        "last": "2022-11-18",
        "age": 2,
        "digest": "ok",
        "source": "data.example.com",
        "fetched_at": "2022-03-16 00:00:00+00:00",
        "quarantined": "",
        "needed_by": ["calm", "bold"],
    }


def test_status_of_bars_without_their_description_says_so(book: Book, capsys: Out) -> None:
    stock = full()
    del stock.objects.objects[description_key("SPY")]

    report(stock, book, as_json=True)

    row = json.loads(capsys.readouterr().out)["symbols"][0]
    assert (row["digest"], row["source"], row["fetched_at"]) == ("the description belongs to other bars", "", None)


def test_status_of_an_empty_lake_and_book_says_how_to_fill_it(book: Book) -> None:
    empty = book.changed(entries=())

    with pytest.raises(UsageError, match=r"the lake has no bars yet; run inv data\.refresh --env prod"):
        report(Stock(), empty)


def test_status_closes_its_connection(book: Book) -> None:
    stock = full()
    report(stock, book)

    assert stock.world.broker.is_closed
