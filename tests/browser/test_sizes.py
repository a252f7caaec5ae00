"""The pages of the sizes: no fault, the numbers of the measurement."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from automation.sizing import history_page, page
from tests.automation.sizing.test_history_page import SIZES as HISTORY
from tests.automation.sizing.test_page import SIZES
from tests.browser.views import faults, opened

Save = Callable[[str], str]
PAGES: dict[str, Callable[[], str]] = {
    "sizes": lambda: page.render(SIZES),
    "history": lambda: history_page.render(HISTORY),
}


@pytest.mark.parametrize("kind", PAGES)
def test_size_page_has_no_fault(browser: Browser, saved: Save, kind: str) -> None:
    assert faults(browser, saved(PAGES[kind]())) == []


def test_size_page_has_the_numbers_of_the_measurement(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(page.render(SIZES))) as view:
        cells: list[list[str]] = view.page.locator("#layers tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        )

    assert [(row[0], row[1]) for row in cells] == [
        (SIZES.label(layer), f"{layer.bytes / 1e6:.2f} MB") for layer in SIZES.layers
    ]


def test_size_page_draws_boxes_inside_the_map(browser: Browser, saved: Save) -> None:
    script = """() => {
      const tree = document.getElementById("tree").getBoundingClientRect();
      const top = [...document.querySelectorAll(".l1")].map((box) => box.getBoundingClientRect());
      const isInside = top.every((box) => box.left >= tree.left - 1 && box.right <= tree.right + 1
        && box.top >= tree.top - 1 && box.bottom <= tree.bottom + 1);
      const filled = top.reduce((sum, box) => sum + box.width * box.height, 0) / (tree.width * tree.height);
      return [isInside, filled.toFixed(2)];
    }"""
    with opened(browser, saved(page.render(SIZES))) as view:
        assert view.page.evaluate(script) == [True, "1.00"]


def test_size_page_is_used_with_the_keyboard(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(page.render(SIZES))) as view:
        view.page.locator('.box[tabindex="0"]').focus()
        for key in ("ArrowRight", "ArrowDown", "Enter"):
            view.page.keyboard.press(key)

        assert (view.page.locator(".zoomed > .face > .name").text_content() or "").startswith("Web ")
        assert (view.page.locator("#description").text_content() or "").startswith("Web \u203a arrow 1.0:")
        view.page.keyboard.press("Escape")
        assert view.page.locator(".zoomed").count() == 0


def test_size_page_sorts_its_tables_by_bytes(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(page.render(SIZES))) as view:
        names = view.page.locator("#layers tbody th")
        head = view.page.locator("#layers thead button").nth(1)

        head.click()
        assert names.all_inner_texts() == ["Numbers", "Web"]
        head.click()
        assert names.all_inner_texts() == ["Web", "Numbers"]
