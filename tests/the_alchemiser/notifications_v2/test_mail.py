from html.parser import HTMLParser

import pytest

from tests.the_alchemiser.results import BOUGHT, HALF_BOUGHT, REFUSED, SOLD, checked, completed, failed, mark
from the_alchemiser.notifications_v2.mail import SHORT_AT_MOST, Mail, compose, holdings
from the_alchemiser.notifications_v2.wording import RESTART
from the_alchemiser.shared.messaging.messages import DataQualityChecked, RunCompleted, RunFailed
from the_alchemiser.shared.run.runs import RunState

MESSAGES = (
    completed(),
    completed(outcomes=(), positions=()),
    completed(outcomes=(HALF_BOUGHT, REFUSED)),
    failed(),
    checked(passed=False),
)


class _Words(HTMLParser):
    """What a reader sees of the HTML, and what it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def words(text: str) -> str:
    return " ".join(text.split())


def both(mail: Mail) -> tuple[str, str]:
    return words(" ".join(_Words(mail.html).words)), words(mail.text)


def test_compose_completed_run_tells_equity_trades_and_holdings_in_html_and_text() -> None:
    for text in both(compose(completed(outcomes=(SOLD, BOUGHT)), stage="prod")):
        for told in ("$100,000.00", "$99,987.21", "$321.90", "$418.1234", "$18,428.78", "$39,355.22", "60.00%"):
            assert told in text


def test_compose_completed_run_subject_names_stage_date_trades_and_equity() -> None:
    mail = compose(completed(), stage="prod")

    assert mail.subject == "[prod] 2022-03-15 completed, 2 trades, equity $99,987.21"


def test_compose_degraded_run_gives_each_trade_its_reason_in_words() -> None:
    mail = compose(completed(outcomes=(BOUGHT, HALF_BOUGHT, REFUSED)), stage="local")

    for text in both(mail):
        assert "BUY TLT: 100 of 187.5 shares, because it did not fill in time" in text
        assert "BUY GLD: 0 of 111 shares, because the price was too far from the last close" in text
    assert "2 of 3 trades not filled whole" in mail.subject


def test_compose_run_without_trades_says_that_nothing_was_traded() -> None:
    for text in both(compose(completed(outcomes=()), stage="local")):
        assert "Nothing was traded" in text


def test_compose_failed_run_tells_state_reason_and_next_steps() -> None:
    mail = compose(failed(), stage="local")

    for text in both(mail):
        assert "failed while the strategies were being evaluated" in text
        assert "trend: TLT has 120 bars, 200 are needed" in text
        assert RESTART in text
        assert "No order was sent" in text
    assert "FAILED while EVALUATING: strategy failed" in mail.subject


@pytest.mark.parametrize("state", [RunState.SELLING, RunState.BUYING])
def test_compose_run_failed_while_trading_never_says_that_no_order_was_sent(state: RunState) -> None:
    for text in both(compose(failed(state=state), stage="local")):
        assert "Some orders may have been filled" in text
        assert "No order was sent" not in text


def test_compose_run_failed_in_unknown_state_claims_nothing_of_its_orders() -> None:
    for text in both(compose(failed(state="SOMEWHERE"), stage="local")):
        assert "it was somewhere" in text
        assert "No order was sent" not in text


def test_compose_unfit_data_lists_symbols_with_reasons() -> None:
    mail = compose(checked(passed=False), stage="local")

    for text in both(mail):
        assert "BBY last bar 2022-03-01" in text
        assert "TLT 2 sessions missing" in text
    assert mail.short.endswith("2 symbols of 35 quarantined: BBY, TLT")


def test_compose_markup_in_a_detail_is_shown_not_obeyed() -> None:
    mail = compose(failed(detail="<script>alert(1)</script> & more"), stage="local")

    assert "<script>" not in mail.html
    assert "<script>alert(1)</script> & more" in mail.text


@pytest.mark.parametrize("message", MESSAGES)
def test_compose_any_message_gives_html_that_fetches_nothing(
    message: RunCompleted | RunFailed | DataQualityChecked,
) -> None:
    html = _Words(compose(message, stage="local").html)

    assert not {"script", "link", "img", "iframe", "style"} & {tag for tag, _ in html.tags}
    assert not [attrs for _, attrs in html.tags if {"src", "href", "background"} & attrs.keys()]


@pytest.mark.parametrize("message", MESSAGES)
def test_compose_same_message_twice_gives_same_mail(message: RunCompleted | RunFailed | DataQualityChecked) -> None:
    assert compose(message, stage="local") == compose(message, stage="local")


def test_compose_long_detail_is_cut_in_the_short_text_alone() -> None:
    mail = compose(failed(detail="x" * 5000), stage="local")

    assert len(mail.short) <= SHORT_AT_MOST
    assert mail.short.endswith("…")
    assert "x" * 5000 in mail.text


def test_holdings_symbols_wanted_or_held_appear_once_the_largest_first() -> None:
    lines = holdings(completed(positions=(mark("GLD", "1", "50"), mark("SPY", "94", "400"))))

    assert [line.symbol for line in lines] == ["SPY", "TLT", "GLD"]
    assert [line.value for line in lines] == [37600, 0, 50]
