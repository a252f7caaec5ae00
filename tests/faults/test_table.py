import pytest

from tests.faults import table


def test_page_has_the_current_table() -> None:
    text = table.PAGE.read_text(encoding="utf-8")

    assert text == table.page(text), "run: python -m tests.faults.table"


def test_page_replaces_the_text_between_the_marks() -> None:
    page = table.page(f"before\n{table.BEGIN}old\n{table.END}after\n")

    assert page == f"before\n{table.BEGIN}{table.table()}{table.END}after\n"


def test_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"proof\.md has no"):
        table.page("nothing")
