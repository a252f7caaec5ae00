"""The HTML of the mails: no fault in what a mail client shows, no request, the numbers of the message."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Browser

from tests.browser.views import IN_A_MAIL, PHONE, faults, opened
from tests.the_alchemiser.notifications_v2.samples import SAMPLES
from the_alchemiser.notifications_v2.mail import compose
from the_alchemiser.shared import formats
from the_alchemiser.shared.mail_format.blocks import Figures, Lines, Page, Paragraph, Table, Tone
from the_alchemiser.shared.mail_format.html_part import html_part
from the_alchemiser.shared.messaging.messages import RunCompleted

Save = Callable[[str], str]
LARGE = "completed-3000-trades"


@pytest.mark.parametrize("kind", sorted(SAMPLES.keys() - {LARGE}))
def test_mail_has_no_fault(browser: Browser, saved: Save, kind: str) -> None:
    message, background = SAMPLES[kind]
    html = compose(message, background, stage="local").html

    assert faults(browser, saved(html), ignored=IN_A_MAIL) == []


def test_mail_about_3000_trades_fits_a_phone(browser: Browser, saved: Save) -> None:
    message, background = SAMPLES[LARGE]
    with opened(browser, saved(compose(message, background, stage="local").html), size=PHONE) as view:
        assert (view.overflow_px(), view.errors, view.foreign) == (0, [], [])


def test_mail_has_the_figures_of_the_run(browser: Browser, saved: Save) -> None:
    run, background = SAMPLES["completed"]
    assert isinstance(run, RunCompleted)
    with opened(browser, saved(compose(run, background, stage="local").html)) as view:
        text = view.page.locator("body").inner_text()

    assert formats.money(run.equity_after) in text
    assert formats.money(run.equity_before) in text
    for outcome in run.outcomes:
        assert f"{outcome.side} {outcome.symbol}" in text


def test_mail_parts_no_minus_sign_from_its_amount(browser: Browser, saved: Save) -> None:
    """On any phone: the page is made so narrow that each line breaks wherever it may."""
    loss = formats.money(Decimal(-1234))
    blocks = (
        Paragraph(f"The day ended with {loss} in all."),
        Figures((("P&L", f"{loss} (0.10%)"),)),
        Lines((f"SPY: {loss}",), "line", "below", title="Losses", closing=f"Together {loss}."),
        Table(("Strategy", "P&L"), (("trend", loss),), "row", "below", total=("Total", loss)),
    )
    html = html_part(Page("Loss", "local", Tone.BAD, "", blocks, ()), subject="Loss")
    torn = html.replace("white-space:nowrap", "").replace("<td nowrap>", "<td>")
    with opened(browser, saved(html), size=(40, 800)) as view:
        assert view.torn_amounts() == []
    with opened(browser, saved(torn), size=(40, 800)) as view:
        assert set(view.torn_amounts()) == {loss}
