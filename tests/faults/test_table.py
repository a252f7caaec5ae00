import pytest

from tests.faults import table


def test_page_has_the_table_of_now() -> None:
    text = table.PAGE.read_text(encoding="utf-8")

    assert text == table.page(text), "run: python -m tests.faults.table"


def test_page_replaces_what_is_between_the_marks() -> None:
    made = table.page(f"before\n{table.BEGIN}old\n{table.END}after\n")

    assert made == f"before\n{table.BEGIN}{table.table()}{table.END}after\n"


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"proof\.md has no"):
        table.page("nothing")
