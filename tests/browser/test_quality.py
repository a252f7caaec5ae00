"""The page of the scorecards: no fault, the numbers of the scorecards."""

from collections.abc import Callable

from playwright.sync_api import Browser

from desk.data import quality
from tests.browser.views import faults, opened
from tests.desk.data.test_quality import GLD, SPY, STORED, TLT

CARDS = STORED.changed(symbols=(GLD, SPY, TLT))
Save = Callable[[str], str]


def test_quality_page_has_no_fault(browser: Browser, saved: Save) -> None:
    assert faults(browser, saved(quality.render(CARDS, "prod"))) == []


def test_quality_page_has_the_numbers_of_the_scorecards(browser: Browser, saved: Save) -> None:
    with opened(browser, saved(quality.render(CARDS, "prod"))) as view:
        _, *rows = view.rows("Symbols table")

    assert [(row[0], row[3], row[6], row[7]) for row in rows] == [
        (card.symbol, str(card.bars), str(card.gaps), str(card.disagreements)) for card in CARDS.symbols
    ]
