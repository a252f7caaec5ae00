"""An export becomes a strategy file that the other commands take, or nothing is written."""

import json
from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.strategies.adding import AdditionRequest, add_strategy
from desk.strategies.importing import ImportRequest, import_strategy, name_of_file, plan_import
from tests.desk.composer.exports import Json, asset, either, equal, root, rsi_above
from tests.desk.strategies.files import bars_folder, book_folder, rising
from the_alchemiser.shared.book import NAME, load_book, read_symphony
from the_alchemiser.shared.symphony.tree import Asset, Threshold, WeightEqual

Out = pytest.CaptureFixture[str]
SPY = asset("SPY")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return book_folder(tmp_path / "strategies")


@pytest.fixture
def bars(tmp_path: Path) -> str:
    return str(bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": rising()[30:]}))


def export(folder: Path, tree: Json, name: str = "my export.json") -> str:
    path = folder / name
    path.write_text(json.dumps(tree))
    return str(path)


def test_import_writes_a_strategy_beside_the_book(tmp_path: Path, folder: Path, bars: str, capsys: Out) -> None:
    tree = root(equal(SPY), name="My “Mix” 2", description='First line.\nSecond "line" (\n')

    import_strategy(ImportRequest([export(tmp_path, tree)], bars=bars), as_json=False, directory=folder)
    path = folder / "my-mix-2.clj"
    assert read_symphony(path).nodes == (Asset("SPY", None), WeightEqual((0,)))
    assert path.read_text().startswith('; First line.\n; Second "line" (\n(defsymphony "My “Mix” 2" {')
    assert capsys.readouterr().out.splitlines() == [
        f"wrote {path}: My “Mix” 2",
        "daily, 2 nodes, 1 symbol: SPY",
        f"can be decided from 2022-01-03 to 2022-03-25 with {bars}",
        f"next: inv strategies.check {path} --bars {bars}",
        f"next: inv strategies.add {path} --allocation 0.1 --scale --bars {bars}",
    ]


def test_import_as_json_prints_what_a_program_needs(tmp_path: Path, folder: Path, bars: str, capsys: Out) -> None:
    tree = root(
        either(rsi_above(), SPY, asset("TLT", leverage=2)), **{"rebalance": "none", "rebalance-corridor-width": 0.1}
    )
    output = tmp_path / "out" / "x.clj"

    request = ImportRequest([export(tmp_path, tree)], output=str(output), bars=bars)
    import_strategy(request, as_json=True, directory=folder)
    assert read_symphony(output).rebalance == Threshold(0.1)
    assert json.loads(capsys.readouterr().out) == {
        "file": str(output),
        "name": "Mine",
        "rebalance": "threshold 0.1",
        "nodes": 3,
        "symbols": ["SPY", "TLT"],
        "bars_needed": {"SPY": 11, "TLT": 1},
        "bars_present": {"SPY": 82, "TLT": 52},
        "decided_from": "2022-02-02",
        "decided_to": "2022-03-25",
        "remarks": ["ignored the unknown key leverage (1 place, the first is $.children[0].children[1].children[0])"],
        "next": [
            f"inv strategies.check {output} --bars {bars}",
            f"inv strategies.add {output} --allocation 0.1 --scale --inception 2022-02-02 --bars {bars}",
        ],
    }


def test_import_is_what_the_book_takes(tmp_path: Path, folder: Path, bars: str) -> None:
    import_strategy(ImportRequest([export(tmp_path, root(SPY))], bars=bars), as_json=True, directory=folder)

    add_strategy(
        AdditionRequest([str(folder / "mine.clj")], "0.1", scale=True, bars=bars), as_json=True, directory=folder
    )
    assert load_book(folder).entry("mine").symphony.nodes == (Asset("SPY", None),)


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (root(equal(SPY, asset("GLD"))), "cannot be decided with {bars}: not enough bars of GLD; pass --bars FOLDER"),
        (root(equal(SPY, asset("GLD"), asset("IEF"))), "cannot be decided with {bars}: not enough bars of GLD, IEF"),
        (
            root(either(rsi_above(**{"rhs-val": 101}), asset("GLD"), SPY)),
            "cannot be decided with {bars}: not enough bars of GLD; pass --bars",
        ),
        (
            root(either(rsi_above(), SPY, SPY), rebalance="yearly"),
            "cannot be decided with {bars}: SPY: 1 bars through 2022-01-03, 11 needed for rsi 10; pass --bars FOLDER",
        ),
        (
            root(either(rsi_above(**{"lhs-fn-params": {"window": 99}}), SPY, SPY)),
            "cannot be decided with {bars}: not enough bars of SPY; pass --bars FOLDER to find the first session",
        ),
    ],
)  # fmt: skip
def test_import_that_the_bars_cannot_decide_is_not_offered_to_the_book(
    tmp_path: Path, folder: Path, bars: str, tree: Json, line: str, capsys: Out
) -> None:
    import_strategy(ImportRequest([export(tmp_path, tree)], bars=bars), as_json=False, directory=folder)

    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith(line.format(bars=bars))
    assert lines[3:] == [f"next: inv strategies.check {folder / 'mine.clj'} --bars {bars}"]


def test_import_that_is_refused_writes_nothing(tmp_path: Path, folder: Path, capsys: Out) -> None:
    source = export(tmp_path, root(equal(asset("CRYPTO::BTC//USD"), {"step": "wt-magic"})))
    before = sorted(folder.iterdir())

    with pytest.raises(CheckFailedError) as caught:
        import_strategy(ImportRequest([source]), as_json=False, directory=folder)
    assert str(caught.value) == (
        f"2 parts of {source} cannot be converted, and nothing was written; "
        "change them in Composer and export again, or write the strategy by hand as docs/strategies.md says"
    )
    assert [finding.where for finding in caught.value.findings] == [
        '$.children[0].children[0].ticker (asset "CRYPTO::BTC//USD")', "$.children[0].children[1] (wt-magic)",
    ]  # fmt: skip
    assert sorted(folder.iterdir()) == before

    with pytest.raises(CheckFailedError) as caught:
        import_strategy(ImportRequest([source]), as_json=True, directory=folder)
    assert caught.value.findings == ()
    (first, _) = json.loads(capsys.readouterr().out)["findings"]
    assert first == {
        "where": '$.children[0].children[0].ticker (asset "CRYPTO::BTC//USD")',
        "what": 'found "CRYPTO::BTC//USD", which is not the ticker of a US stock or ETF',
        "next": "",
    }


def test_import_existing_file_is_only_overwritten_by_force(tmp_path: Path, folder: Path, bars: str) -> None:
    source, path = export(tmp_path, root(SPY)), folder / "mine.clj"
    path.write_text("mine")

    with pytest.raises(UsageError) as caught:
        import_strategy(ImportRequest([source], bars=bars), as_json=True, directory=folder)
    problem = f"strategies.import: {path} already exists, and nothing was written"
    assert str(caught.value) == f"{problem}; pass --output PATH, or --force to overwrite it"
    assert path.read_text() == "mine"

    import_strategy(ImportRequest([source], bars=bars, force=True), as_json=True, directory=folder)
    assert read_symphony(path).name == "Mine"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ImportRequest([]), "expected one export, got 0; run inv strategies.import FILE"),
        (ImportRequest(["a", "b"]), "expected one export, got 2; run inv strategies.import FILE"),
        (ImportRequest(["gone.json"]), "no such file: gone.json"),
        (ImportRequest(["EXPORT"], output="x.json"), "--output x.json must end in .clj"),
        (ImportRequest(["EXPORT"], output="FOLDER.clj"), "FOLDER.clj is a folder; pass the path of a file"),
        (ImportRequest(["EXPORT"], bars="gone"), "gone"),
        (ImportRequest(["EXPORT"], at="$.x"), "has no step tree at $.x; pass --at '$' for \"Mine\""),
    ],
)
def test_import_wrong_option_is_a_usage_error(
    tmp_path: Path, folder: Path, request_: ImportRequest, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    export(tmp_path, root(SPY), "EXPORT")
    (tmp_path / "FOLDER.clj").mkdir()
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(UsageError) as caught:
        import_strategy(request_, as_json=False, directory=folder)
    assert message in str(caught.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_import_window_too_short_for_a_deviation_writes_nothing(tmp_path: Path, folder: Path) -> None:
    tree = root({"step": "wt-inverse-vol", "window-days": 1, "children": [SPY]})

    with pytest.raises(CheckFailedError, match="window"):
        import_strategy(ImportRequest([export(tmp_path, tree)]), as_json=False, directory=folder)
    assert not (folder / "mine.clj").exists()


def test_import_without_a_book_offers_the_check_and_the_book(tmp_path: Path, bars: str, capsys: Out) -> None:
    import_strategy(ImportRequest([export(tmp_path, root(SPY))], bars=bars), as_json=False, directory=tmp_path)

    assert capsys.readouterr().out.splitlines()[3:] == [
        f"next: inv strategies.check {tmp_path / 'mine.clj'} --bars {bars}",
        f"next: inv strategies.add {tmp_path / 'mine.clj'} --allocation 0.1 --scale --bars {bars}",
    ]


@pytest.mark.parametrize(
    ("output", "command"),
    [
        ("strategies/calm.clj", None),
        ("elsewhere/calm.clj", "--scale --name calm-imported --bars"),
        ("elsewhere/stray.clj", "--scale --name stray-imported --bars"),
        ("elsewhere/7.clj", "--scale --name strategy-7 --bars"),
        ("elsewhere/New One.clj", "--scale --bars"),
    ],
)
def test_import_offers_a_name_that_the_book_takes(
    tmp_path: Path, folder: Path, bars: str, output: str, command: str | None, capsys: Out
) -> None:
    (folder / "stray.clj").write_text("")
    request = ImportRequest([export(tmp_path, root(SPY))], output=str(tmp_path / output), bars=bars, force=True)

    import_strategy(request, as_json=True, directory=folder)
    _, *additions = json.loads(capsys.readouterr().out)["next"]
    assert [command in addition for addition in additions] == ([] if command is None else [True])


def test_import_in_the_current_folder_has_short_paths(
    tmp_path: Path, folder: Path, bars: str, capsys: Out, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    import_strategy(ImportRequest([export(tmp_path, root(SPY))], bars=bars), as_json=False, directory=folder)
    assert capsys.readouterr().out.startswith("wrote strategies/mine.clj: Mine\n")


def test_plan_import_remarks_windows_that_disagree(tmp_path: Path, folder: Path, bars: str) -> None:
    tree = root(either(rsi_above(**{"lhs-window-days": 14}), SPY, SPY))

    planned = plan_import(ImportRequest([export(tmp_path, tree)], bars=bars), folder)
    place = "$.children[0].children[0].lhs-window-days"
    assert planned.remarks == (f"{place} is 14; the newer parameters say 10, which is used",)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("JSON", "json"),
        ("  TQQQ For The Long Term (V4.2) ", "tqqq-for-the-long-term-v4-2"),
        ("𝓩𝓪𝓶-I-am", "zam-i-am"),
        ("10x Leverage", "strategy-10x-leverage"),
        ("🚀", "strategy"),
        ("", "strategy"),
        ("a" * 70, "a" * 60),
        ("é" * 3 + "b" * 56 + " c d", "eee" + "b" * 56),
    ],
)
def test_name_of_file_is_a_name_that_the_book_takes(title: str, name: str) -> None:
    assert name_of_file(title) == name
    assert NAME.fullmatch(name)
