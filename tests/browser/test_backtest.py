"""The page of a backtest: no fault, the numbers of the result."""

from collections.abc import Callable

from playwright.sync_api import Browser

from desk.backtest.output.page import render
from tests.browser.views import faults, opened
from tests.desk.backtest.output.reports import whole_report
from the_alchemiser.shared import formats

Save = Callable[[str], str]
DRAWN = "#equity .main-svg"
WHOLE = whole_report()


def test_backtest_page_has_no_fault(browser: Browser, saved: Save) -> None:
    assert faults(browser, saved(render(WHOLE)), ready=DRAWN) == []


def test_backtest_page_has_the_numbers_of_the_result(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(render(WHOLE))) as view:
        figures = view.page.locator("dl.figures").first.inner_text()

    assert formats.money(WHOLE.result.days[-1].equity) in figures
    assert f"{len(WHOLE.result.trades)} trades" in figures
