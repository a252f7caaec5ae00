from decimal import Decimal
from pathlib import Path

import pytest

from automation.system.errors import UsageError
from desk.backtest.selection import select_strategies
from tests.the_alchemiser.strategy_v2.cases import asset
from tests.the_alchemiser.strategy_v2.symphonies import file_of
from the_alchemiser.shared.book import Book, load_book

BOOK = """
[[strategy]]
name = "one"
file = "one.clj"
allocation = "0.6"
inception = 2021-01-04

[[strategy]]
name = "two"
file = "two.clj"
allocation = "0.3"
inception = 2021-02-01
options = { rsi = "cutler" }

[[strategy]]
name = "three"
file = "three.clj"
allocation = "0.1"
inception = 2021-01-04
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    (tmp_path / "book.toml").write_text(BOOK)
    for name in ("one", "two", "three", "mine"):
        (tmp_path / f"{name}.clj").write_text(file_of(asset("AAA")))
    return load_book(tmp_path)


def allocations(book: Book, *names: str) -> list[str]:
    return [str(strategy.allocation) for strategy in select_strategies(names, book)]


def test_select_strategies_without_names_gives_whole_book(book: Book) -> None:
    assert [(strategy.name, str(strategy.allocation)) for strategy in select_strategies((), book)] == [
        ("one", "0.6"),
        ("two", "0.3"),
        ("three", "0.1"),
    ]


def test_select_strategies_single_gets_all_capital(book: Book) -> None:
    assert allocations(book, "two") == ["1"]


def test_select_strategies_several_keep_exact_proportions(book: Book) -> None:
    assert allocations(book, "one", "two") == ["0.666666667", "0.333333333"]


def test_select_strategies_files_share_equally(book: Book, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{name}.clj") for name in ("mine", "one", "two")]

    chosen = select_strategies(files, book)

    assert sum(strategy.allocation for strategy in chosen) == 1
    assert {strategy.allocation for strategy in chosen} <= {Decimal("0.333333333"), Decimal("0.333333334")}


def test_select_strategies_file_beside_names_takes_equal_part(book: Book, tmp_path: Path) -> None:
    assert allocations(book, "one", str(tmp_path / "mine.clj"), "two") == ["0.444444445", "0.333333333", "0.222222222"]


def test_select_strategies_book_entry_keeps_inception_and_options(book: Book) -> None:
    (two,) = select_strategies(["two"], book)

    assert (two.inception, two.program.options) == (book.entry("two").inception, book.entry("two").options)


def test_select_strategies_file_has_no_inception(book: Book, tmp_path: Path) -> None:
    (mine,) = select_strategies([str(tmp_path / "mine.clj")], book)

    assert mine.inception is None


@pytest.mark.parametrize("name", ["four", "nowhere/four.clj"])
def test_select_strategies_unknown_name_lists_names(book: Book, name: str) -> None:
    with pytest.raises(UsageError, match=f"no .*'{name}'; the strategies of the book are: one, two, three"):
        select_strategies([name], book)


def test_select_strategies_repeated_name_raises(book: Book) -> None:
    with pytest.raises(UsageError, match="one is named twice"):
        select_strategies(["one", "two", "one"], book)
