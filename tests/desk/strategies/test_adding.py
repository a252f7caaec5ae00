"""A strategy into the book: all or nothing."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from automation.system.errors import AutomationError, CheckFailedError, ConfigurationError, UsageError
from desk.strategies.adding import Wish, add_strategy, plan, write
from tests.desk.strategies.files import BOOK, SPY, TLT, bars_folder, book_folder, rising, strategy_file
from the_alchemiser.shared.book import load_book

Out = pytest.CaptureFixture[str]
AVERAGE = f'(if (> (current-price "SPY") (moving-average-price "SPY" {{:window 20}})) [{SPY}] [(asset "GLD" nil)])'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return book_folder(tmp_path / "strategies")


@pytest.fixture
def bars(tmp_path: Path) -> str:
    return str(bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": rising(), "GLD": rising()}))


def contents(folder: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_add_strategy_with_scale_makes_room_and_keeps_comments(
    tmp_path: Path, folder: Path, bars: str, capsys: Out
) -> None:
    source = strategy_file(tmp_path, AVERAGE, name="My Mix_2.clj")

    add_strategy(
        Wish([str(source)], "0.1", inception="2022-01-24", scale=True, bars=bars), as_json=False, directory=folder
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
    told = capsys.readouterr().out
    assert "new to the universe, fetched with the next refresh: GLD" in told
    assert "my-mix-2 is in the book, decided from 2022-01-24 on; inv sync ships it" in told


def test_add_strategy_as_json_has_the_allocations(tmp_path: Path, folder: Path, bars: str, capsys: Out) -> None:
    source = strategy_file(tmp_path, SPY)

    add_strategy(Wish([str(source)], "0.10", name="third", scale=True, bars=bars), as_json=True, directory=folder)
    assert json.loads(capsys.readouterr().out) == {
        "added": "third", "file": "third.clj", "inception": "2022-01-12", "new_symbols": [],
        "allocations": {"calm": "0.36", "bold": "0.54", "third": "0.10"},
    }  # fmt: skip


def test_add_strategy_file_that_lies_in_the_folder_already_stays_there(folder: Path, bars: str) -> None:
    source = strategy_file(folder, SPY, name="third.clj")

    add_strategy(Wish([str(source)], "0.1", scale=True, bars=bars), as_json=False, directory=folder)
    assert load_book(folder).entry("third").path == source


def test_add_strategy_without_scale_is_refused_with_what_to_type(tmp_path: Path, folder: Path, bars: str) -> None:
    source = strategy_file(tmp_path, SPY)

    with pytest.raises(UsageError) as caught:
        add_strategy(Wish([str(source)], "0.1", name="third", bars=bars), as_json=False, directory=folder)
    assert f"inv strategies.add {source} --allocation 0.1 --name third --scale" in str(caught.value)
    assert "calm 0.4 -> 0.36, bold 0.6 -> 0.54" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": []}, "expected one file"),
        ({"files": ["gone.clj"]}, "there is no file gone.clj"),
        ({"allocation": ""}, "--allocation is missing: expected above 0 and below 1"),
        ({"allocation": "0"}, "--allocation 0: expected above 0"),
        ({"allocation": "1"}, "--allocation 1: expected above 0"),
        ({"allocation": "NaN"}, "--allocation NaN: expected above 0"),
        ({"allocation": "a tenth"}, "--allocation a tenth: expected above 0"),
        ({"allocation": "0.9999"}, "--allocation 0.9999 leaves too little: an allocation would fall below 0.0001"),
        ({"name": "My Name"}, "name 'My Name': expected lower-case letters"),
        ({"name": "calm"}, "the book has a strategy 'calm'; pass another --name"),
        ({"name": "stray"}, "stray.clj; pass another --name, or remove it"),
        ({"inception": "soon"}, "--inception soon: no date"),
        ({"bars": "gone"}, "gone: no such folder"),
    ],
)
def test_add_strategy_wish_that_cannot_be_granted_changes_nothing(
    tmp_path: Path, folder: Path, bars: str, change: dict[str, Any], said: str
) -> None:
    strategy_file(folder, TLT, name="stray.clj")
    before = contents(folder)
    wish = Wish(
        **{"files": [str(strategy_file(tmp_path, SPY))], "allocation": "0.1", "scale": True, "bars": bars, **change}
    )

    with pytest.raises(UsageError) as caught:
        add_strategy(wish, as_json=False, directory=folder)
    assert said in str(caught.value)
    assert contents(folder) == before


@pytest.mark.parametrize(
    "body",
    [
        "(weight-equal [])",
        '(asset "NOPE" nil)',
        f'(if (> (rsi "SPY" {{:window 100}}) 30) [{SPY}] [{TLT}])',
        f"(weight-inverse-volatility 1 [{SPY} {TLT}])",
    ],
)
def test_add_strategy_that_cannot_trade_changes_nothing(tmp_path: Path, folder: Path, bars: str, body: str) -> None:
    before = contents(folder)

    with pytest.raises(CheckFailedError, match="1 error"):
        add_strategy(
            Wish([str(strategy_file(tmp_path, body))], "0.1", scale=True, bars=bars), as_json=False, directory=folder
        )
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("book", "error"),
    [
        (BOOK.replace("0.6", "0.5"), ConfigurationError),
        (BOOK.replace("allocation =", '"allocation" ='), ConfigurationError),
    ],
)
def test_add_strategy_to_a_book_that_cannot_be_edited_changes_nothing(
    tmp_path: Path, folder: Path, bars: str, book: str, error: type[AutomationError]
) -> None:
    (folder / "book.toml").write_text(book)
    before = contents(folder)

    with pytest.raises(error):
        add_strategy(
            Wish([str(strategy_file(tmp_path, SPY))], "0.1", scale=True, bars=bars), as_json=False, directory=folder
        )
    assert contents(folder) == before


def test_add_strategy_beside_one_that_does_not_parse_changes_nothing(tmp_path: Path, folder: Path, bars: str) -> None:
    strategy_file(folder, "(weight-equal [])", name="calm.clj")
    before = contents(folder)

    with pytest.raises(CheckFailedError, match=r"calm\.clj:2:17"):
        add_strategy(
            Wish([str(strategy_file(tmp_path, SPY))], "0.1", scale=True, bars=bars), as_json=False, directory=folder
        )
    assert contents(folder) == before


def test_write_book_that_cannot_be_replaced_leaves_no_file_behind(tmp_path: Path, folder: Path) -> None:
    addition = plan(Wish([str(strategy_file(tmp_path, SPY))], "0.1", name="third", scale=True), folder)
    (folder / "book.toml").unlink()
    (folder / "book.toml").mkdir()

    with pytest.raises(OSError, match=r"book\.toml"):
        write(addition, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["bold.clj", "book.toml", "calm.clj"]
