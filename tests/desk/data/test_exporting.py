"""Bars in a folder: what `--bars` reads there is what the deployed system decides on."""

import json
from datetime import date
from decimal import Decimal
from math import isnan
from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, Finding, UsageError
from desk.bars_folder import load_bars
from desk.bundled import bundled_history
from desk.data.exporting import ExportRequest, export
from desk.strategies.evaluating import EvaluationRequest, show_weights
from tests.desk.data.stock import Stock
from tests.desk.operations.duty import ROOT
from tests.the_alchemiser.shared.market_data.samples import bar, bars
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.market_data.lake import Lake
from the_alchemiser.shared.market_data.verdict import Verdict, write_verdict
from the_alchemiser.shared.messaging.messages import StrategyEvaluated, StrategyRequested
from the_alchemiser.shared.symphony import required_symbols
from the_alchemiser.strategy_v2.history import PriceHistory
from the_alchemiser.strategy_v2.prices import read_prices
from the_alchemiser.strategy_v2.service import Evaluator
from the_alchemiser.strategy_v2.strategy_decision import decide_strategy

Out = pytest.CaptureFixture[str]
EVERY_FORMAT = pytest.mark.parametrize("as_csv", [False, True])
AS_OF = date(2022, 3, 15)


def stocked(*symbols: str) -> Stock:
    stock = Stock()
    for symbol in symbols:
        stock.store(symbol, bars(52, start_price=100.1))
    return stock


def write(stock: Stock, folder: Path, *symbols: str, as_csv: bool = False) -> None:
    export(ROOT, "prod", ExportRequest(symbols, str(folder), as_csv=as_csv), connect=stock.connect)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@EVERY_FORMAT
def test_export_has_the_history_that_strategy_v2_reads(tmp_path: Path, as_csv: bool) -> None:
    stock = stocked("SPY", "BRK.B", "TLT")
    write(stock, tmp_path / "bars", as_csv=as_csv)

    day = bars(52)[-1].date
    verdict = Verdict(checked_at=stock.world.now, as_of=day, quarantined={})
    deployed = read_prices(Lake(stock.objects), ("SPY", "BRK.B", "TLT"), verdict, as_of=day)
    exported = load_bars(tmp_path / "bars")
    assert exported.history().digest == PriceHistory.from_series(deployed.series).digest
    assert set(exported.columns.values()) == {"adjusted"}
    assert exported.flaws == {}


@EVERY_FORMAT
def test_strategy_on_an_export_has_the_weights_of_the_deployed_one(tmp_path: Path, capsys: Out, as_csv: bool) -> None:
    stock, entry = Stock(), load_book().entry("momentum-rotation")
    history = bundled_history().through(AS_OF)
    for symbol in required_symbols(entry.symphony):
        closes = zip(history.dates.tolist(), history.of(symbol).tolist(), strict=True)
        stock.store(symbol, tuple(bar(day, close) for day, close in closes if not isnan(close)))
    write_verdict(stock.objects, Verdict(checked_at=stock.world.now, as_of=AS_OF, quarantined={}), keep_newer=False)
    run = "local-2022-03-16"
    request = StrategyRequested(
        message_id=f"{run}/StrategyRequested/{entry.name}",
        run_id=run,
        occurred_at=stock.world.now,
        strategy=entry.name,
        allocation=Decimal(1),
        trading_date=date(2022, 3, 16),
        as_of=AS_OF,
    )
    evaluator = Evaluator(book=load_book, objects=stock.objects, decide=decide_strategy)
    (deployed,) = evaluator.handle(request).messages
    assert isinstance(deployed, StrategyEvaluated)

    write(stock, tmp_path / "bars", as_csv=as_csv)
    capsys.readouterr()
    show_weights(EvaluationRequest([entry.name], AS_OF.isoformat(), str(tmp_path / "bars")), as_json=True)

    decided = json.loads(capsys.readouterr().out)
    assert {symbol: Decimal(weight) for symbol, weight in decided["weights"].items()} == deployed.weights
    assert decided["bars_digest"] == deployed.bars_digest


def test_export_lists_its_files_and_says_how_to_use_them(tmp_path: Path, capsys: Out) -> None:
    folder = tmp_path / "new" / "bars"
    write(stocked("SPY", "TLT"), folder)

    assert names(folder) == ["SPY.parquet", "TLT.parquet", "export.json"]
    document = json.loads((folder / "export.json").read_text())
    assert (document["environment"], document["files"]) == ("prod", ["SPY.parquet", "TLT.parquet"])
    assert capsys.readouterr().out.splitlines() == [
        f"wrote 2 symbols to {folder}",
        f"to use them: inv backtest --bars {folder}",
    ]
    assert names(folder.parent) == ["bars"]


def test_export_of_some_symbols_replaces_an_earlier_one(tmp_path: Path) -> None:
    stock, folder = stocked("SPY", "TLT"), tmp_path / "bars"
    write(stock, folder)
    write(stock, folder, "spy", as_csv=True)

    assert names(folder) == ["SPY.csv", "export.json"]


def test_export_into_an_empty_folder_writes(tmp_path: Path) -> None:
    write(stocked("SPY"), tmp_path)

    assert names(tmp_path) == ["SPY.parquet", "export.json"]


def test_export_into_a_folder_with_other_files_writes_nothing(tmp_path: Path) -> None:
    stock, folder = stocked("SPY"), tmp_path / "bars"
    write(stock, folder)
    (folder / "mine.csv").write_text("date,close\n")

    with pytest.raises(UsageError, match=r"bars has other files, such as mine\.csv; nothing was written: name a new"):
        write(stock, folder)
    assert names(folder) == ["SPY.parquet", "export.json", "mine.csv"]


@pytest.mark.parametrize("manifest", ["", "{}", "[]", '{"files": 3}'])
def test_export_into_a_folder_with_a_broken_list_writes_nothing(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "export.json").write_text(manifest)

    with pytest.raises(UsageError, match=r"has other files, such as export\.json"):
        write(stocked("SPY"), tmp_path)


def test_export_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bars").write_text("")

    with pytest.raises(UsageError, match="bars is a file; name a new folder"):
        write(stocked("SPY"), tmp_path / "bars")


def test_export_without_a_folder_says_how_to_name_one() -> None:
    with pytest.raises(UsageError, match=r"^data\.export: name a folder: inv data\.export --env prod --to FOLDER$"):
        export(ROOT, "prod", ExportRequest([], ""), connect=Stock().connect)


def test_export_of_an_unknown_symbol_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no bars of SPX \(similar: SPY\)"):
        write(stocked("SPY"), tmp_path / "bars", "SPY", "SPX")
    assert names(tmp_path) == []


def test_export_of_an_empty_lake_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the lake has no bars yet; run inv data\.refresh --env prod"):
        write(Stock(), tmp_path / "bars")
    assert names(tmp_path) == []


def test_export_leaves_out_what_no_decision_uses_and_names_it(tmp_path: Path) -> None:
    stock, folder = stocked("SPY", "QQQ", "TLT"), tmp_path / "bars"
    stock.truncate("SPY")
    stock.quarantine(TLT="gap: 2022-01-05")

    with pytest.raises(CheckFailedError, match=r"^prod: 2 symbols left out; their bars must not be used") as raised:
        write(stock, folder)

    assert names(folder) == ["QQQ.parquet", "export.json"]
    damaged = "damaged: bars/v1/SPY.parquet does not match its digest"
    assert raised.value.findings == (
        Finding("SPY", damaged, "inv data.refresh SPY --env prod"),
        Finding("TLT", "quarantined: gap: 2022-01-05", "inv data.refresh TLT --env prod"),
    )
