"""The desk: no fault in light, dark and on a phone, the numbers of its sources, the keyboard, the button."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, expect

from automation.operating import letter_texts
from automation.system.errors import DeploymentError
from tests.browser.desk_server import served
from tests.browser.views import PHONE, faults, opened
from tests.desk.evidence import ANSWERS, whole_day
from tests.desk.page.days import HOSTILE
from tests.desk.page.desks import DESKS, hostile, ordinary
from the_alchemiser.shared import formats

ALL_READ = "#sizes .body:has(.card, .note)"


@pytest.mark.parametrize("kind", DESKS)
def test_desk_has_no_fault(browser: Browser, kind: str) -> None:
    with served(DESKS[kind]()) as url:
        assert faults(browser, url, ready=ALL_READ) == []


def test_positions_are_those_of_the_broker(browser: Browser) -> None:
    values = ordinary()
    held = values["account"]
    equity = held.account.equity
    with served(values) as url, opened(browser, url) as view:
        _, *rows, invested, cash = view.rows("Positions table")

    expected = []
    for position in held.positions:
        price, worth = position.current_price, position.market_value
        gain = position.quantity * (price - position.avg_entry_price)
        shown = (formats.shares(position.quantity), formats.price(position.avg_entry_price), formats.price(price))
        amounts = (formats.money(worth), formats.percent(worth / equity), formats.signed_money(gain))
        expected.append([position.symbol, *shown, *amounts])
    assert rows == expected

    total = sum((Decimal(row[4].replace("$", "").replace(",", "")) for row in rows), Decimal(0))
    assert invested == ["Invested", formats.money(total), formats.percent(total / equity), ""]
    assert cash[:2] == ["Cash", formats.money(held.account.cash)]
    assert total + held.account.cash == equity


def test_trades_are_those_of_the_run(browser: Browser) -> None:
    outcomes = list(whole_day().outcomes.values())
    with served(ordinary()) as url, opened(browser, url) as view:
        _, *rows, total = view.rows("Trades table")

    notional = sum((fill.quantity * fill.price for trade in outcomes for fill in trade.fills), Decimal(0))
    assert [row[0] for row in rows] == [f"{trade.side} {trade.symbol}" for trade in outcomes]
    assert [row[1] for row in rows] == [formats.shares(trade.filled_quantity) for trade in outcomes]
    assert [row[3] for row in rows] == [formats.price(trade.fills[0].price) for trade in outcomes]
    assert total[:2] == ["Total", formats.money(notional)]


def test_equity_is_that_of_the_performance_table(browser: Browser) -> None:
    values = ordinary()
    days = values["equity"].days
    with served(values) as url, opened(browser, url) as view:
        _, *rows = view.rows("Equity by day")
        _, *owners = view.rows("Results of the strategies table")

    assert [row[:2] for row in rows] == [[str(day.date), formats.money(day.equity)] for day in days[:-11:-1]]
    assert rows[1][2:] == ["+$430.00", "", formats.money(days[-2].benchmark)]
    assert owners[0] == [
        "trend_following",
        "$50,123.45",
        "50.00%",
        "+$86.36",
        f"{formats.MINUS}$12.34",
        "+$98.70",
        "$71,234.50",
        "+$7.12",
        "7 of 12",
    ]


def test_weights_are_those_of_the_strategies(browser: Browser) -> None:
    with served(ordinary()) as url, opened(browser, url) as view:
        shown = view.page.locator("article.strategy").evaluate_all(
            "cards => cards.map(card => [card.querySelector('h3 span').innerText, "
            "...[...card.querySelectorAll('.weights li')].map(line => line.innerText.replace(/\\s+/g, ' '))])"
        )

    expected = []
    for name in whole_day().run.allocations:
        weights = sorted(ANSWERS[name].items(), key=lambda item: (-Decimal(item[1]), item[0]))
        expected.append([name, *(f"{symbol} {formats.percent(Decimal(weight))}" for symbol, weight in weights)])
    assert shown == expected


def test_hostile_names_are_text(browser: Browser) -> None:
    with served(hostile()) as url, opened(browser, url) as view:
        assert view.page.title() == "local: the Alchemiser's desk"
        assert view.page.locator("article.strategy h3 span").first.text_content() == HOSTILE
        assert view.page.locator("img").count() == 0
        view.page.locator("#letter-m-0 summary").click()
        assert view.page.locator("#letter-m-0 pre").text_content() == letter_texts.pretty(HOSTILE)
        assert view.errors == []


def test_keyboard_reaches_parts_and_lists_its_shortcuts(browser: Browser) -> None:
    with served(ordinary()) as url, opened(browser, url) as view:
        page = view.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "desk"

        page.keyboard.press("5")
        assert page.evaluate("document.activeElement.id") == "trades"
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        assert page.locator("#help tbody tr").count() == 14
        page.keyboard.press("1")
        assert page.evaluate("document.activeElement.id") != "today"
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("1")
        assert page.evaluate("document.activeElement.id") == "today"


def test_help_opens_by_touch_on_a_phone(browser: Browser) -> None:
    with served(ordinary()) as url, opened(browser, url, size=PHONE) as view:
        view.page.get_by_role("button", name="Shortcuts").click()

        expect(view.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        assert view.overflow_px() == 0


def test_button_trades_and_shows_progress(browser: Browser) -> None:
    with served(ordinary()) as url, opened(browser, url) as view:
        button = view.page.get_by_role("button", name="Trade the next session")
        button.click()

        expect(view.page.get_by_text("Trading the next session.")).to_be_visible()
        expect(button).to_be_disabled()
        assert view.errors == []


def test_parts_keep_their_figures_when_the_server_stops(browser: Browser) -> None:
    with served(ordinary()) as url:
        context = opened(browser, url)
        view = context.__enter__()
    try:
        view.page.keyboard.press("r")

        expect(view.page.locator("#connection")).to_have_text("The desk does not answer. Start it again with inv desk.")
        assert view.page.locator("#account").get_by_text("$99,988.63").first.is_visible()
        assert "last read" in (view.page.locator("#account .read").text_content() or "")
    finally:
        context.__exit__(None, None, None)


def test_part_that_cannot_be_read_again_keeps_its_figures_and_says_how_old_they_are(browser: Browser) -> None:
    values, seconds = dict(ordinary()), [1000.0]
    with served(values, now=lambda: seconds[0]) as url, opened(browser, url) as view:
        part = view.page.locator("#account")
        expect(part).not_to_have_class(re.compile("stale"))

        values["account"] = DeploymentError("AWS in us-east-1 does not answer", where="prod")
        seconds[0] += 200
        view.page.keyboard.press("r")

        expect(part).to_contain_text("the latest attempt failed; these are the last known figures.")
        expect(part).to_contain_text("prod: AWS in us-east-1 does not answer")
        expect(part).to_contain_text("$99,988.63")
        expect(part.locator(".read")).to_have_text(re.compile("last read (3|4) minutes ago"))
        expect(part).to_have_class(re.compile("stale"))


def test_page_works_without_scripts(browser: Browser) -> None:
    with served(ordinary()) as url, browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(url)

        expect(page.locator("#account")).to_contain_text("$99,988.63")
        page.get_by_role("button", name="Trade the next session").click()
        expect(page.get_by_text("Trading the next session.")).to_be_visible()
