from decimal import Decimal
from pathlib import Path

import pytest

from automation.system.errors import UsageError
from desk.backtest.selection import select
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
    return [str(one.allocation) for one in select(names, book)]


def test_select_nothing_is_the_book_as_it_is(book: Book) -> None:
    assert [(one.name, str(one.allocation)) for one in select((), book)] == [
        ("one", "0.6"),
        ("two", "0.3"),
        ("three", "0.1"),
    ]


def test_select_one_has_all_of_the_capital(book: Book) -> None:
    assert allocations(book, "two") == ["1"]


def test_select_several_keep_their_proportions_exactly(book: Book) -> None:
    assert allocations(book, "one", "two") == ["0.666666667", "0.333333333"]


def test_select_files_share_equally(book: Book, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{name}.clj") for name in ("mine", "one", "two")]

    chosen = select(files, book)

    assert sum(one.allocation for one in chosen) == 1
    assert {one.allocation for one in chosen} <= {Decimal("0.333333333"), Decimal("0.333333334")}


def test_select_file_beside_names_takes_an_equal_part(book: Book, tmp_path: Path) -> None:
    assert allocations(book, "one", str(tmp_path / "mine.clj"), "two") == ["0.444444445", "0.333333333", "0.222222222"]


def test_select_strategy_of_the_book_keeps_inception_and_options(book: Book) -> None:
    (two,) = select(["two"], book)

    assert (two.inception, two.program.options) == (book.entry("two").inception, book.entry("two").options)


def test_select_file_has_no_inception(book: Book, tmp_path: Path) -> None:
    (mine,) = select([str(tmp_path / "mine.clj")], book)

    assert mine.inception is None


@pytest.mark.parametrize("name", ["four", "nowhere/four.clj"])
def test_select_what_is_not_there_lists_the_names(book: Book, name: str) -> None:
    with pytest.raises(UsageError, match=f"no .*'{name}'; the strategies are: one, two, three"):
        select([name], book)


def test_select_the_same_twice_is_refused(book: Book) -> None:
    with pytest.raises(UsageError, match="one is there twice"):
        select(["one", "two", "one"], book)
