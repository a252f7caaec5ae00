"""The HTML of the mails: no fault in what a mail client shows, no request, the numbers of the message."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.views import IN_A_MAIL, faults, opened
from tests.the_alchemiser.results import HALF_BOUGHT, REFUSED, completed, failed
from the_alchemiser.notifications_v2.mail import compose
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared import formats

Save = Callable[[str], str]
MAILS: dict[str, News] = {
    "completed": completed(),
    "degraded": completed(outcomes=(HALF_BOUGHT, REFUSED)),
    "failed": failed(),
}


@pytest.mark.parametrize("kind", MAILS)
def test_mail_has_no_fault(browser: Browser, saved: Save, kind: str) -> None:
    html = compose(MAILS[kind], stage="local").html

    assert faults(browser, saved(html), ignored=IN_A_MAIL, is_phone_checked=False) == []


def test_mail_has_the_equity_of_the_run(browser: Browser, saved: Save) -> None:
    run = completed()
    with opened(browser, saved(compose(run, stage="local").html)) as view:
        text = view.page.locator("body").inner_text()

    assert formats.money(run.equity_after) in text
    assert formats.money(run.equity_before) in text
