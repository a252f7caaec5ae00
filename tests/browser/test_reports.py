"""The report of a day, of several days, of a failed one and of 3,000 trades: no fault, the numbers of the evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser

from desk.report import render
from sandbox.evidence import DayEvidence
from tests.browser.views import faults, opened
from tests.desk.evidence import DAY, failed_day, odd_day, whole_day
from tests.desk.page.days import HOSTILE, MANY, hostile_record, large_record
from the_alchemiser.shared import formats

Save = Callable[[str], str]


def hostile_day() -> DayEvidence:
    record = hostile_record()
    return replace(whole_day(), run=record.run, decisions=record.decisions)


def large_day() -> DayEvidence:
    record, day = large_record(), whole_day()
    return replace(day, run=record.run, after=replace(day.after, orders=record.broker_orders), ledger=())


PAGES: dict[str, Callable[[], list[DayEvidence]]] = {
    "whole": lambda: [whole_day()],
    "failed": lambda: [failed_day()],
    "odd": lambda: [odd_day()],
    "hostile": lambda: [hostile_day()],
    "several": lambda: [whole_day(DAY + timedelta(days=day)) for day in range(3)],
}


@pytest.mark.parametrize("kind", PAGES)
def test_report_has_no_fault(browser: Browser, saved: Save, kind: str) -> None:
    assert faults(browser, saved(render(PAGES[kind]()))) == []


def test_report_of_a_large_day_is_whole(browser: Browser, saved: Save) -> None:
    day = large_day()
    with opened(browser, saved(render([day]))) as view:
        _, *rows, total = view.rows("Trades table")

        assert len(rows) == MANY
        assert view.overflow_px() == 0
        assert view.errors == []
    traded = (fill.quantity * fill.price for outcome in day.outcomes.values() for fill in outcome.fills)
    assert total[1] == formats.money(sum(traded, Decimal(0)))


def test_report_numbers_are_those_of_the_evidence(browser: Browser, saved: Save) -> None:
    day = whole_day()
    assert day.plan is not None
    with opened(browser, saved(render([day]))) as view:
        _, *plan = view.rows("Plan table")
        _, *ledger = view.rows("Ledger table")
        _, *positions, _invested, cash = view.rows("Positions table")
        _, *functions = view.rows("Functions table")

    assert [row[:5] for row in plan] == [
        [
            line.symbol,
            formats.percent(line.target_weight),
            formats.shares(line.held),
            formats.shares(line.target_quantity),
            formats.price(line.price),
        ]
        for line in day.plan.decisions
    ]
    assert [row[2:5] for row in ledger] == [
        [formats.shares(entry.quantity), formats.price(entry.price), formats.signed_money(entry.cash)]
        for entry in day.ledger
    ]
    held = {position.symbol: position for position in day.after.positions}
    assert {row[0]: row[1] for row in positions} == {name: formats.shares(held[name].quantity) for name in held}
    assert cash[1] == formats.money(day.after.account.cash)
    assert {row[0]: row[2] for row in functions} == {name: str(log.invocations) for name, log in day.functions.items()}


def test_report_shows_a_hostile_name_as_text(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(render([hostile_day()]))) as view:
        assert view.page.title() == "The Alchemiser: Wednesday, 16 March 2022"
        assert view.page.locator("article.strategy h3 span").first.text_content() == HOSTILE
        assert view.page.locator("img").count() == 0
