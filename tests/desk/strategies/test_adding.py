"""A strategy is added to the book completely or not at all."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from automation.system.errors import AutomationError, CheckFailedError, ConfigurationError, UsageError
from desk.strategies.adding import AdditionRequest, add_strategy, plan_addition, write_addition
from tests.desk.strategies.files import BOOK, SPY, TLT, bars_folder, book_folder, rising, strategy_file, symphony
from the_alchemiser.shared.book import load_book

Out = pytest.CaptureFixture[str]
AVERAGE = f'(if (> (current-price "SPY") (moving-average-price "SPY" {{:window 20}})) [{SPY}] [(asset "GLD" nil)])'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return book_folder(tmp_path / "strategies")


@pytest.fixture
def bars(tmp_path: Path) -> str:
    return str(bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": rising(), "GLD": rising()}))


def file_contents(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_add_strategy_with_scale_makes_room_and_keeps_comments(
    tmp_path: Path, folder: Path, bars: str, capsys: Out
) -> None:
    source = strategy_file(tmp_path, AVERAGE, name="My Mix_2.clj")

    add_strategy(
        AdditionRequest([str(source)], "0.1", inception="2022-01-24", scale=True, bars=bars),
        as_json=False,
        directory=folder,
    )

    book = load_book(folder)
    assert [(entry.name, entry.allocation) for entry in book.entries] == [
        ("calm", Decimal("0.36")), ("bold", Decimal("0.54")), ("my-mix-2", Decimal("0.1")),
    ]  # fmt: skip
    assert book.entry("my-mix-2").inception == date(2022, 1, 24)
    assert (folder / "my-mix-2.clj").read_bytes() == source.read_bytes()
    text = (folder / "book.toml").read_text()
    assert text.startswith("# The book of a test.")
    assert "# less" in text
    printed = capsys.readouterr().out
    assert "new symbols, fetched by the next data refresh: GLD" in printed
    assert "added my-mix-2 to the book, with decisions from 2022-01-24 on; the next inv deploy ships it" in printed


def test_add_strategy_as_json_prints_the_allocations(tmp_path: Path, folder: Path, bars: str, capsys: Out) -> None:
    source = strategy_file(tmp_path, SPY)

    add_strategy(
        AdditionRequest([str(source)], "0.10", name="third", scale=True, bars=bars), as_json=True, directory=folder
    )
    assert json.loads(capsys.readouterr().out) == {
        "added": "third", "file": "third.clj", "inception": "2022-01-12", "new_symbols": [],
        "allocations": {"calm": "0.36", "bold": "0.54", "third": "0.10"},
    }  # fmt: skip


def test_add_strategy_file_already_in_the_folder_stays_there(folder: Path, bars: str) -> None:
    source = strategy_file(folder, SPY, name="third.clj")

    add_strategy(AdditionRequest([str(source)], "0.1", scale=True, bars=bars), as_json=False, directory=folder)
    assert load_book(folder).entry("third").path == source


def test_add_strategy_without_scale_prints_the_command_to_run(tmp_path: Path, folder: Path, bars: str) -> None:
    source = strategy_file(tmp_path, SPY)

    with pytest.raises(UsageError) as caught:
        add_strategy(AdditionRequest([str(source)], "0.1", name="third", bars=bars), as_json=False, directory=folder)
    assert f"inv strategies.add {source} --allocation 0.1 --name third --scale" in str(caught.value)
    assert "calm 0.4 -> 0.36, bold 0.6 -> 0.54" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": []}, "expected one strategy file, got 0; run inv strategies.add FILE"),
        ({"files": ["missing.clj"]}, "no such file: missing.clj"),
        ({"allocation": ""}, "--allocation is missing; pass a fraction of the account, such as 0.1"),
        ({"allocation": "0"}, "--allocation must be above 0 and below 1, got 0"),
        ({"allocation": "1"}, "--allocation must be above 0 and below 1, got 1"),
        ({"allocation": "NaN"}, "--allocation must be above 0 and below 1, got NaN"),
        ({"allocation": "a tenth"}, "--allocation must be above 0 and below 1, got a tenth"),
        (
            {"allocation": "0.9999"},
            "0.9999 leaves too little for the other strategies: an allocation would fall below 0.0001",
        ),
        ({"name": "My Name"}, "name 'My Name': expected lower-case letters"),
        ({"name": "calm"}, "the book already has a strategy 'calm'; pass another --name"),
        ({"name": "stray"}, "stray.clj already exists; pass another --name, or remove the file"),
        ({"inception": "soon"}, "--inception soon is not a date"),
        ({"bars": "missing"}, "missing: no such folder"),
    ],
)
def test_add_strategy_invalid_request_changes_nothing(
    tmp_path: Path, folder: Path, bars: str, change: dict[str, Any], message: str
) -> None:
    strategy_file(folder, TLT, name="stray.clj")
    before = file_contents(folder)
    request = AdditionRequest(
        **{"files": [str(strategy_file(tmp_path, SPY))], "allocation": "0.1", "scale": True, "bars": bars, **change}
    )

    with pytest.raises(UsageError) as caught:
        add_strategy(request, as_json=False, directory=folder)
    assert message in str(caught.value)
    assert file_contents(folder) == before


def test_add_strategy_to_a_book_with_a_file_that_does_not_parse_names_that_file(
    tmp_path: Path, folder: Path, bars: str
) -> None:
    (folder / "calm.clj").write_text('{"step": "root"}')
    before = file_contents(folder)

    with pytest.raises(CheckFailedError) as caught:
        add_strategy(
            AdditionRequest([str(strategy_file(tmp_path, SPY))], "0.1", scale=True, bars=bars),
            as_json=False,
            directory=folder,
        )
    assert str(caught.value).startswith(f"{folder / 'calm.clj'}:1:1: found JSON")
    assert file_contents(folder) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (symphony("(weight-equal [])"), "mine.clj:2:17: found an empty block, expected at least one node"),
        (
            '{"step": "root"}',
            "mine.clj:1:1: found JSON, expected (defsymphony …); if it is an export of Composer, run inv",
        ),
    ],
)
def test_add_strategy_that_does_not_parse_says_so_before_asking_for_room(
    tmp_path: Path, folder: Path, text: str, message: str
) -> None:
    before = file_contents(folder)
    (tmp_path / "mine.clj").write_text(text)

    with pytest.raises(CheckFailedError) as caught:
        add_strategy(AdditionRequest([str(tmp_path / "mine.clj")], "0.1"), as_json=False, directory=folder)
    assert message in str(caught.value)
    assert file_contents(folder) == before


@pytest.mark.parametrize(
    "body",
    [
        '(asset "NOPE" nil)',
        f'(if (> (rsi "SPY" {{:window 100}}) 30) [{SPY}] [{TLT}])',
        f"(weight-inverse-volatility 1 [{SPY} {TLT}])",
    ],
)
def test_add_strategy_that_cannot_trade_changes_nothing(tmp_path: Path, folder: Path, bars: str, body: str) -> None:
    before = file_contents(folder)

    with pytest.raises(CheckFailedError, match="1 error"):
        add_strategy(
            AdditionRequest([str(strategy_file(tmp_path, body))], "0.1", scale=True, bars=bars),
            as_json=False,
            directory=folder,
        )
    assert file_contents(folder) == before


@pytest.mark.parametrize(
    ("book", "error"),
    [
        (BOOK.replace("0.6", "0.5"), ConfigurationError),
        (BOOK.replace("allocation =", '"allocation" ='), ConfigurationError),
    ],
)
def test_add_strategy_to_uneditable_book_changes_nothing(
    tmp_path: Path, folder: Path, bars: str, book: str, error: type[AutomationError]
) -> None:
    (folder / "book.toml").write_text(book)
    before = file_contents(folder)

    with pytest.raises(error):
        add_strategy(
            AdditionRequest([str(strategy_file(tmp_path, SPY))], "0.1", scale=True, bars=bars),
            as_json=False,
            directory=folder,
        )
    assert file_contents(folder) == before


def test_add_strategy_beside_a_syntax_error_changes_nothing(tmp_path: Path, folder: Path, bars: str) -> None:
    strategy_file(folder, "(weight-equal [])", name="calm.clj")
    before = file_contents(folder)

    with pytest.raises(CheckFailedError, match=r"calm\.clj:2:17"):
        add_strategy(
            AdditionRequest([str(strategy_file(tmp_path, SPY))], "0.1", scale=True, bars=bars),
            as_json=False,
            directory=folder,
        )
    assert file_contents(folder) == before


def test_write_addition_unwritable_book_leaves_no_file_behind(tmp_path: Path, folder: Path) -> None:
    addition = plan_addition(
        AdditionRequest([str(strategy_file(tmp_path, SPY))], "0.1", name="third", scale=True), folder
    )
    (folder / "book.toml").unlink()
    (folder / "book.toml").mkdir()

    with pytest.raises(OSError, match=r"book\.toml"):
        write_addition(addition, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["bold.clj", "book.toml", "calm.clj"]
