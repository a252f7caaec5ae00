"""What the page shows of each desk, and the routes: one that trades, on the sandbox alone."""

import re
from html.parser import HTMLParser

import pytest
from markupsafe import escape
from starlette.types import ASGIApp

from desk.page.app import make_app
from desk.page.parts import PARTS, Renderer, find
from desk.page.redaction import Redaction, secret_values
from tests.desk.page.asgi import HOST, ORIGIN, PORT, get, request
from tests.desk.page.days import HOSTILE, MANY, SCRIPT
from tests.desk.page.desks import DESKS, NOT_DEPLOYED, TOKEN, desk_of, ordinary, queues, trading
from the_alchemiser.shared.formats import MINUS

FORM = f"token={TOKEN}".encode()
OWN = (("Origin", ORIGIN), ("Content-Type", "application/x-www-form-urlencoded"))
VOID = {"meta", "link", "br", "img", "input", "rect", "circle", "line", "path"}


def app_of(kind: str = "ordinary", *, is_sandbox: bool = True, redact: Redaction | None = None) -> ASGIApp:
    return make_app(desk_of(DESKS[kind](), is_sandbox=is_sandbox), PORT, redact=redact or Redaction((), ()))


def words(html: str) -> str:
    """Return the text of a part, as one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def part(name: str, kind: str = "ordinary") -> str:
    answer = get(app_of(kind), f"/parts/{name}")
    assert answer.status_code == 200
    return answer.text


class Balance(HTMLParser):
    """The tags of a page, which must be balanced, and its ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Ignore self-closing SVG elements."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("kind", DESKS)
def test_page_of_every_desk_is_whole(kind: str) -> None:
    answer = get(app_of(kind), "/")
    page = Balance(answer.text)

    assert answer.status_code == 200
    assert page.open == []
    assert sorted(set(page.ids)) == sorted(page.ids)
    assert {part.name for part in PARTS} <= set(page.ids)
    assert page.tags.count("script") == 1
    assert len(answer.content) < 150_000


def test_page_has_no_element_of_a_hostile_name() -> None:
    html = get(app_of("hostile"), "/").text

    assert SCRIPT not in html
    assert "<img" not in html
    assert "onerror=alert" in html
    assert html.count("&lt;script&gt;document.title=&#39;taken&#39;&lt;/script&gt;") >= 6
    assert str(escape(HOSTILE)) in html


def test_page_of_an_undeployed_environment_says_what_to_type_in_each_part() -> None:
    html = get(app_of("undeployed"), "/").text

    assert html.count("this part could not be read") == len(PARTS)
    assert html.count(str(NOT_DEPLOYED)) == len(PARTS)


def test_unreadable_part_leaves_the_others() -> None:
    values = {**ordinary(), "queues": NOT_DEPLOYED}
    app = make_app(desk_of(values), PORT, redact=Redaction((), ()))

    assert "Queues: this part could not be read." in get(app, "/parts/queues").text
    assert "$99,988.63" in get(app, "/parts/account").text


def test_today_shows_situation_and_functions() -> None:
    text = words(part("today"))

    assert "Today, Wednesday, 16 March 2022 COMPLETED" in text
    assert "Trading enabled since 2022-03-16 19:46:00 UTC by user/eva" in text
    assert "Market open 2022-03-16 15:46 in New York: open until 2022-03-16 16:00" in text
    assert "Run completed local-2022-03-16, settled" in text
    assert "execution_v2 places the orders done 6 of 6 trades ended 09:30:03" in text
    assert "notifications_v2 sends the mail done mail sent 09:30:06" in text


def test_today_without_a_run_says_when_the_next_starts() -> None:
    assert "No run today. The next one starts when you trade the next session." in words(part("today", "empty"))

    values = {**ordinary(), "trading": trading(None, is_sandbox=False)}
    app = make_app(desk_of(values, is_sandbox=False), PORT, redact=Redaction((), ()))
    text = words(get(app, "/parts/today").text)

    assert "No run today. The schedule of today is over." in text
    assert "coordinator_v2 creates the run and requests the strategy evaluations waiting" in text


def test_today_of_a_failed_run_says_why() -> None:
    text = words(part("today", "failed"))

    assert "strategy_v2 evaluates one strategy failed 1 of 3 answered, sector_momentum failed" in text
    assert "The run failed while EVALUATING: strategy failed." in text
    assert "metrics_v2 records profit, loss and exposure not needed" in text


def test_account_shows_money_without_the_number() -> None:
    html = part("account")

    assert f"Equity $99,988.63 {MINUS}\N{WORD JOINER}$11.37 ({MINUS}0.01%) since the last close" in words(html)
    assert "…DBOX" in html
    assert "PA3SANDBOX" not in html


def test_trades_show_slippage_and_reasons() -> None:
    text = words(part("trades"))

    assert "Planned at Filled at Notional Slippage" in text
    assert "BUY SPY 89.974832 $429.12 $429.1629 $38,613.86 +$3.86 1.0 bp Limit order at $429.16, filled" in text
    assert "the change of $1.20 is below the minimum of $100.00" in text


def test_trades_of_a_large_day_list_some_and_count_all() -> None:
    html = part("trades", "large")

    assert f"The first 100 of {MANY} trades are listed; the total counts all." in words(html)
    assert html.count('<div class="order small">') == 100


def test_trades_of_an_idle_day_say_why_nothing_traded() -> None:
    text = words(part("trades", "idle"))

    assert "Its plan has no trades; the reasons are below." in text
    assert "the change of $1.20 is below the minimum of $100.00" in text


def test_empty_parts_say_so() -> None:
    shown = {
        name: words(part(name, "empty")) for name in ("account", "equity", "strategies", "trades", "data", "alarms")
    }

    assert "There are no positions; the account holds $0.00 in cash." in shown["account"]
    assert "No run was measured yet." in shown["equity"]
    assert "No strategy was evaluated yet." in shown["strategies"]
    assert "Nothing was traded yet." in shown["trades"]
    assert "The market data was not checked yet. inv data.refresh --env local" in shown["data"]
    assert "The stacks have no alarms." in shown["alarms"]


def test_queues_show_dead_letters_with_what_to_type() -> None:
    values = {**ordinary(), "queues": queues('{"a": [1]}')}
    text = words(get(make_app(desk_of(values), PORT, redact=Redaction((), ())), "/parts/queues").text)

    assert "1 dead letter Messages that could not be handled." in text
    assert "Queue Waiting In flight Delayed Dead letters TradeInbox 0 0 0 1" in text
    assert "TradeDlq: 1 dead letter" in text
    assert "{ &#34;a&#34;: [ 1 ] }" in text
    assert "inv dlq.redrive TradeDlq --env local" in text


def test_releases_alarms_and_sizes_are_those_of_the_stacks() -> None:
    assert "r7 runs deploy 0123456789ab 2022-03-15 09:00 eva@desk safe deployed passed" in words(part("releases"))
    assert "quiet None of 22 alarms is in state ALARM." in words(part("alarms"))
    assert "1 of 22 in state ALARM" in words(part("alarms", "hostile"))
    assert "StrategyLayer layer 51.23 MB 60.00 MB 85.4%" in words(part("sizes"))


def test_part_is_not_sent_again_while_it_is_the_same() -> None:
    app = app_of()
    answer = get(app, "/parts/account")

    again = get(app, "/parts/account", If_None_Match=answer.headers["etag"])

    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["desk-age-ms"], again.headers["desk-next-ms"]) == ("0", "60000")
    assert get(app, "/parts/account", If_None_Match='"other"').status_code == 200


def test_part_is_rendered_once_per_value() -> None:
    values, now = dict(ordinary()), [1000.0]
    feed = desk_of(values, now=lambda: now[0]).feeds["account"]
    account, renderer = find("account"), Renderer("local")
    assert account is not None

    first = renderer.render(account, feed).html
    assert renderer.render(account, feed).html is first
    now[0] += 60
    assert renderer.render(account, feed).html is first
    now[0] += 60
    values["account"] = NOT_DEPLOYED
    failed = renderer.render(account, feed).html
    assert "the latest attempt failed" in failed
    now[0] += 120
    values["account"] = ordinary()["account"]
    assert renderer.render(account, feed).html == first


@pytest.mark.parametrize("path", ["/parts/secrets", "/static/page.html", "/static/..%2fdesk.css", "/admin"])
def test_unknown_path_is_not_found(path: str) -> None:
    assert get(app_of(), path).status_code == 404


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("report.css", "text/css"),
        ("desk.css", "text/css"),
        ("desk.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_static_files_have_their_type(name: str, kind: str) -> None:
    answer = get(app_of(), f"/static/{name}")

    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)


def test_button_trades_one_session_at_a_time() -> None:
    app = app_of()

    answer = request(app, "POST", "/next-session", headers=OWN, content=FORM)

    assert (answer.status_code, answer.headers["location"]) == (303, "/#top")
    assert "Trading the next session." in get(app, "/next-session").text
    assert request(app, "POST", "/next-session", headers=OWN, content=FORM).status_code == 409


def test_button_takes_a_body_of_a_thousand_bytes_and_no_longer_one() -> None:
    longest = FORM + b"&x=" + b"y" * (1000 - len(FORM) - 3)

    assert request(app_of(), "POST", "/next-session", headers=OWN, content=longest).status_code == 303
    assert request(app_of(), "POST", "/next-session", headers=OWN, content=longest + b"y").status_code == 403


@pytest.mark.parametrize(
    "content", [b"", b"token=wrong", FORM + b"&" + FORM, b"token=\xff\xc3\xa9", FORM + b"&x=" + b"y" * 1000]
)
def test_button_without_the_token_of_this_start_is_refused(content: bytes) -> None:
    app = app_of()

    assert request(app, "POST", "/next-session", headers=OWN, content=content).status_code == 403
    assert "Trading the next session." not in get(app, "/next-session").text


@pytest.mark.parametrize("header", [("Origin", "http://evil.example"), ("Host", "evil.example")])
def test_button_pressed_by_another_site_is_refused(header: tuple[str, str]) -> None:
    headers = [header if name == header[0] else (name, value) for name, value in (*OWN, ("Host", HOST))]

    assert request(app_of(), "POST", "/next-session", headers=headers, content=FORM).status_code == 403


def test_button_does_not_exist_outside_of_the_sandbox() -> None:
    app = app_of(is_sandbox=False)

    assert request(app, "POST", "/next-session", headers=OWN, content=FORM).status_code == 404
    assert get(app, "/next-session").status_code == 404
    assert "next-session" not in get(app, "/").text


@pytest.mark.parametrize("path", ["/", *(f"/parts/{part.name}" for part in PARTS)])
def test_no_secret_of_the_process_reaches_the_page(path: str) -> None:
    """A dead letter contains the process's secret key, a setting the number of the account."""
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    redact = Redaction(secret_values({"AWS_SECRET_ACCESS_KEY": secret}), ("123456789012",))
    values = {**ordinary(), "queues": queues(f'{{"key": "{secret}", "account": "123456789012"}}')}
    planted = make_app(desk_of(values), PORT, redact=Redaction((), ()))
    app = make_app(desk_of(values), PORT, redact=redact)

    assert (secret in get(planted, path).text) is (path in {"/", "/parts/queues"})
    assert secret not in get(app, path).text
    assert "123456789012" not in get(app, path).text
