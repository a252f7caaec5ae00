"""Reading the book: what is accepted and what is refused."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from the_alchemiser.shared.book import Book, BookError, load_book
from the_alchemiser.shared.symphony import SymphonyError
from the_alchemiser.shared.symphony.options import Decide, RsiMethod, StrategyOptions

SPY = '(defsymphony "S" {:asset-class "EQUITIES", :rebalance-frequency :daily} (asset "SPY" nil))'
TLT = SPY.replace("SPY", "TLT")
CALM = '[[strategy]]\nname = "calm"\nfile = "calm.clj"\nallocation = "0.4"\ninception = 2021-01-04\n'
BOLD = '[[strategy]]\nname = "bold"\nfile = "bold.clj"\nallocation = "0.6"\ninception = 2021-02-01\n'


def folder_of(tmp_path: Path, book: str, *, calm: str = SPY, bold: str = TLT) -> Path:
    (tmp_path / "book.toml").write_text(book)
    (tmp_path / "calm.clj").write_text(calm)
    (tmp_path / "bold.clj").write_text(bold)
    return tmp_path


def test_load_book_returns_entries_in_order(tmp_path: Path) -> None:
    book = load_book(folder_of(tmp_path, CALM + 'options = { rsi = "cutler", ddof = 0 }\n' + BOLD))

    calm, bold = book.entries
    assert (calm.name, calm.allocation, calm.inception) == ("calm", Decimal("0.4"), date(2021, 1, 4))
    assert calm.options == StrategyOptions(RsiMethod.CUTLER, 0)
    assert bold.options == StrategyOptions()
    assert book.universe == {"SPY", "TLT"}
    assert book.entry("bold") is bold


@pytest.mark.parametrize("decide", Decide)
def test_load_book_reads_the_close_that_decides(tmp_path: Path, decide: Decide) -> None:
    book = load_book(folder_of(tmp_path, CALM + f'options = {{ decide = "{decide}" }}\n' + BOLD))

    assert book.entries[0].options == StrategyOptions(decide=decide)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected only [[strategy]] tables"),
        ("strategy = 5", "expected only [[strategy]] tables"),
        ("strategy = [5]", "strategy 1: expected a [[strategy]] table"),
        ("[[strategy", "book.toml: "),
        (CALM, "allocations sum to 0.4, expected exactly 1"),
        (CALM + BOLD.replace('"0.6"', '"0.6000001"'), "allocations sum to 1.0000001"),
        (CALM + BOLD.replace('"0.6"', "0.6"), "allocation 0.6: expected a string in quotes"),
        (CALM + BOLD.replace('"0.6"', '"much"'), "allocation 'much': expected a decimal"),
        (CALM + BOLD.replace('"0.6"', '"NaN"'), "expected above 0 and at most 1"),
        (CALM + BOLD.replace("bold.clj", "calm.clj"), "file 'calm.clj' is used twice"),
        (CALM + BOLD.replace('"bold"', '"calm"'), "name 'calm' is used twice"),
        (CALM + BOLD.replace('"bold"', '"Bold One"'), "name 'Bold One': expected lower-case"),
        (CALM + BOLD.replace("bold.clj", "gone.clj"), "file 'gone.clj' is not in"),
        (CALM + BOLD.replace("bold.clj", "../bold.clj"), "file '../bold.clj' is not in"),
        (CALM + BOLD + "weight = 1\n", "strategy 2: unknown key 'weight'"),
        (CALM + BOLD.replace("inception = 2021-02-01\n", ""), "strategy 2: 'inception' is missing"),
        (CALM + BOLD.replace("2021-02-01", '"soon"'), "inception 'soon': expected a date"),
        (CALM + BOLD + "options = 3\n", "options: expected a table"),
        (CALM + BOLD + 'options = { rsi = "mine" }\n', "rsi 'mine': expected wilder or cutler"),
        (CALM + BOLD + "options = { ddof = 2 }\n", "ddof 2: expected 0 or 1"),
        (CALM + BOLD + 'options = { decide = "now" }\n', "decide 'now': expected first-session or before-period"),
        (CALM + BOLD + "options = { mode = 2 }\n", "options: unknown key 'mode'"),
    ],
)
def test_load_book_that_cannot_be_traded_is_refused(tmp_path: Path, text: str, message: str) -> None:
    folder = folder_of(tmp_path, text)

    with pytest.raises(BookError) as caught:
        load_book(folder)

    assert message in str(caught.value)
    assert "book.toml" in str(caught.value)


def test_load_book_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BookError, match=r"book\.toml: cannot be read: No such file"):
        load_book(tmp_path)


def test_universe_of_an_empty_book_is_refused() -> None:
    with pytest.raises(BookError, match="names no symbols"):
        Book(()).universe  # noqa: B018 - the property is what is tested


def test_entry_of_an_unknown_name_lists_known_names(tmp_path: Path) -> None:
    book = load_book(folder_of(tmp_path, CALM + BOLD))

    with pytest.raises(BookError, match="no strategy 'wild' in the book; known strategies: calm, bold"):
        book.entry("wild")


def test_entry_file_that_does_not_parse_names_the_place(tmp_path: Path) -> None:
    book = load_book(folder_of(tmp_path, CALM + BOLD, bold='(defsymphony\n  "S")'))

    with pytest.raises(SymphonyError, match=r"bold\.clj:1:1: found 1 argument"):
        book.universe  # noqa: B018 - the property is what is tested


def test_entry_file_that_is_not_utf8_names_the_place(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, CALM + BOLD)
    (folder / "calm.clj").write_bytes(b"; ok\n; \xff")

    with pytest.raises(SymphonyError, match=r"calm\.clj:2:3: found bytes that are not UTF-8"):
        load_book(folder).entry("calm").symphony  # noqa: B018 - the property is what is tested


def test_load_book_default_is_the_shipped_book() -> None:
    book = load_book()

    assert len(book.entries) >= 8
    assert 15 <= len(book.universe) <= 35
    assert {entry.path.name for entry in book.entries} == {
        path.name for path in book.entries[0].path.parent.glob("*.clj")
    }
