"""The page of a backtest: no fault, every chart drawn, the numbers of the result, and a table that can be searched."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from desk.backtest.output import figures, page
from desk.backtest.output.trades_csv import write_trades
from desk.backtest.report import Report
from desk.backtest.simulate import RefusedTrade
from tests.browser.views import faults, opened
from tests.desk.backtest.output.reports import HOSTILE, idle_report, whole_report
from the_alchemiser.shared import formats
from the_alchemiser.shared.values import Side

Save = Callable[[str], str]
DRAWN = "#equity .main-svg"
WHOLE = whole_report()
# The hostile one has everything that options can ask for, too.
REPORTS = {"hostile": whole_report(HOSTILE), "idle": idle_report()}
_MARKS = ".scatterlayer .js-line, .scatterlayer .js-fill, .barlayer .bars"


def trades_in(view: Page) -> list[list[str]]:
    """Return the cells of the shown trades."""
    rows = """rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"""
    cells: list[list[str]] = view.locator("#trades tbody tr").evaluate_all(rows)
    return cells


@pytest.mark.parametrize("kind", REPORTS)
def test_backtest_page_has_no_fault(browser: Browser, saved: Save, kind: str) -> None:
    assert faults(browser, saved(page.render(REPORTS[kind])), ready=DRAWN) == []


def test_backtest_page_without_a_chart_that_its_script_draws_has_a_fault(browser: Browser, saved: Save) -> None:
    broken = page.render(WHOLE).replace('id="weights"', 'id="elsewhere"')

    with opened(browser, saved(broken)) as view:
        assert len(view.errors) == 1


def test_backtest_page_has_the_numbers_of_the_result(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(page.render(WHOLE))) as view:
        shown = view.page.locator("dl.figures").first.inner_text()

    assert formats.money(WHOLE.result.days[-1].equity) in shown
    assert f"{len(WHOLE.result.trades)} trades" in shown


def test_backtest_page_draws_every_trace(browser: Browser, saved: Save) -> None:
    counts = "(charts, marks) => Object.fromEntries(charts.map(c => [c.id, c.querySelectorAll(marks).length]))"
    with opened(browser, saved(page.render(WHOLE))) as view:
        view.page.wait_for_selector(DRAWN)
        drawn = view.page.locator(".chart").evaluate_all(counts, _MARKS)

    expected = {name: len(figure["traces"]) for name, figure in figures.figures(WHOLE).items()}
    # The first curve's drawdown and each area of the weights are lines with a filled shape.
    assert drawn == {**expected, "equity": expected["equity"] + 1, "weights": drawn["weights"]}
    assert drawn["weights"] >= expected["weights"]


def test_backtest_page_fills_its_tables(browser: Browser, saved: Save) -> None:
    ids = ("statistics", "distributions", "yearly", "drawdowns", "by-strategy", "by-symbol", "trades")
    with opened(browser, saved(page.render(WHOLE))) as view:
        rows = [view.page.locator(f"#{name} tbody tr").count() for name in ids]
        cells = view.page.locator("#statistics td.n").all_inner_texts()

    assert rows == [11, 7, 2, 8, 2, 4, 50]
    # The benchmark has no beta, alpha, correlation and turnover.
    assert len([cell for cell in cells if not cell.strip()]) == 4


def test_backtest_page_shows_trades_as_the_terminal_does(browser: Browser, saved: Save) -> None:
    *days, last = WHOLE.result.days[:22]
    refused = RefusedTrade(last.date, "ZZZ", Side.SELL, Decimal("1234.5"), "limit_price_distance", "13 is far")
    result = replace(WHOLE.result, days=(*days, replace(last, refused=(refused,))), benchmark=None)
    with opened(browser, saved(page.render(Report(result)))) as view:
        shown = trades_in(view.page)

    newest_first = sorted(result.trades, key=lambda trade: trade.day, reverse=True)
    filled = [
        [
            *(str(trade.day), trade.symbol, str(trade.side), formats.shares(trade.quantity)),
            *(formats.price(trade.price), formats.money(trade.cash), trade.reason),
        ]
        for trade in newest_first
    ]
    assert [row for row in shown if row[5] != "refused"] == filled
    assert [str(last.date), "ZZZ", "SELL", "1,234.5", "", "refused", "limit price distance: 13 is far"] in shown


def test_backtest_page_saves_the_trades_that_csv_writes(browser: Browser, saved: Save, tmp_path: Path) -> None:
    report = REPORTS["hostile"]
    with opened(browser, saved(page.render(report))) as view:
        with view.page.expect_download() as download:
            view.page.locator("#save").click()
        text = download.value.path().read_text(encoding="utf-8")
        errors = view.errors

    assert text == write_trades(report.result, tmp_path / "trades.csv").read_text(encoding="utf-8")
    assert len(list(csv.reader(io.StringIO(text)))) == len(report.result.trades) + 1
    assert errors == []


def test_backtest_page_pages_and_filters_trades(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(page.render(WHOLE))) as view:
        shown = view.page
        newest = trades_in(shown)[0][0]
        shown.locator("#older").click()
        second = shown.locator("#count").inner_text()
        shown.locator("#filter").fill("s01")
        symbols = {row[1] for row in trades_in(shown)}
        shown.locator("#filter").fill("nothing")
        none = shown.locator("#count").inner_text()

    assert newest == str(WHOLE.result.trades[-1].day)
    assert second == f"51 to 100 of {len(WHOLE.result.trades)}"
    assert (symbols, none) == ({"S01"}, "none")


def test_backtest_page_shows_hostile_names_as_text(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(page.render(REPORTS["hostile"]))) as view:
        view.page.wait_for_selector(DRAWN)
        images = view.page.locator("img").count()
        links = view.page.locator("#strategies text a, #comparison text a").count()

    assert (images, links) == (0, 0)
