"""The text of book.toml is edited in place."""

from datetime import date
from decimal import Decimal

import pytest

from desk.strategies.book_text import NewEntry, UneditableBookError, add_entry
from tests.desk.strategies.files import BOOK

NEW = NewEntry("mine", Decimal("0.1"), date(2022, 1, 17))
ALLOCATIONS = (Decimal("0.36"), Decimal("0.54"))


def test_add_entry_keeps_comments_and_order_and_appends() -> None:
    assert add_entry(BOOK, ALLOCATIONS, NEW) == (
        BOOK.replace('"0.4"', '"0.36"').replace("'0.6'", '"0.54"')
        + '\n[[strategy]]\nname = "mine"\nfile = "mine.clj"\nallocation = "0.1"\ninception = 2022-01-17\n'
    )


def test_add_entry_small_allocation_has_no_exponent() -> None:
    entry = NewEntry("mine", Decimal("1E-7"), date(2022, 1, 17))

    assert 'allocation = "0.0000001"' in add_entry(BOOK, ALLOCATIONS, entry)


@pytest.mark.parametrize(
    "text",
    [
        'strategy = [{ name = "calm", allocation = "0.4" }, { name = "bold", allocation = "0.6" }]\n',
        BOOK.replace("allocation =", '"allocation" ='),
        BOOK.replace('"0.4"', '"""0.4"""'),
    ],
)
def test_add_entry_unusual_toml_is_refused(text: str) -> None:
    with pytest.raises(UneditableBookError, match="on a line of its own"):
        add_entry(text, ALLOCATIONS, NEW)
