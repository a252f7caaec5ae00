"""Whatever a message and the stores contain: the mail is valid, short enough, and loads and runs nothing."""

import re
import unicodedata
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.the_alchemiser.notifications_v2.reading import Document, one_line, plain
from tests.the_alchemiser.notifications_v2.samples import BACKGROUND, CALM, LATEST, SAMPLES, TREND, VERDICT, idle, plan
from tests.the_alchemiser.results import (
    BOUGHT,
    BY_HAND,
    FILLED_LATE,
    HALF_BOUGHT,
    MISSING_FILL,
    OPEN_ORDER,
    REFUSED,
    checked,
    completed,
    differing,
    failed,
    mark,
    outcome,
    refused,
    settled,
    settled_order,
)
from tests.the_alchemiser.run_builders import executed
from tests.the_alchemiser.shared.performance.account_rows import account_row, owner_row
from the_alchemiser.notifications_v2.background import NOTHING_KNOWN, Background
from the_alchemiser.notifications_v2.mail import SHORT_CHARS, Mail, compose
from the_alchemiser.notifications_v2.subject import SUBJECT_CHARS, News
from the_alchemiser.shared.mail_format.blocks import IN_TEXT
from the_alchemiser.shared.mail_format.html_part import BYTES_AT_MOST
from the_alchemiser.shared.mail_format.text_part import COLUMNS
from the_alchemiser.shared.performance.figures import History
from the_alchemiser.shared.values import Side

SHOW = "inv run.show local-2022-03-15 --env prod"
RECONCILE = "inv reconcile --env prod"
MARKUP = """<script>alert('x')</script> & "more\""""
ESCAPED = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &#34;more&#34;"
ODD_TRADE = outcome(Side.BUY, "SPY", "2", "10", filled="1", reason=MARKUP)
ODD_ROWS = tuple(row.changed(symbol=MARKUP, order=MARKUP, cause=MARKUP) for row in (BY_HAND, OPEN_ORDER, MISSING_FILL))
DAY = completed().trading_date


def large_day(trades: int, *, omitted: int = 0, are_filled: bool = True) -> News:
    """Return a completed run with so many trades, positions and omissions of each kind, each as long as they get."""
    planned = BOUGHT if are_filled else HALF_BOUGHT.changed(unsettled=True)
    symbols = [f"SYM{number}" for number in range(trades)]
    return completed(
        outcomes=[planned.changed(symbol=symbol, trade_id=symbol) for symbol in symbols],
        positions=[mark(symbol, "94.123456789", "1418.1034") for symbol in (*symbols, "SPY", "TLT")],
        quarantined={f"Q{number}": "odd_symbol" for number in range(omitted)},
        untradable={f"U{number}": "odd_symbol" for number in range(omitted)},
    )


def large_difference(count: int) -> News:
    rows = (BY_HAND, OPEN_ORDER, MISSING_FILL)
    return differing(*(row.changed(symbol=f"S{number}") for row in rows for number in range(count)))


def hostile_strategies(count: int, name: str) -> Background:
    """Return what is known about a run of so many strategies, with as many fragile decisions, under these names."""
    names = tuple(f"{number}{name}" for number in range(count))
    account = account_row(DAY, "1000", opening_equity="900").changed(market_value=Decimal(900))
    rows = (owner_row(owner, DAY, "1000", market_value="5", proceeds="-4") for owner in names)
    answers = tuple(TREND.changed(strategy=owner, fragile=(name * 3,) * 20) for owner in names)
    return Background(
        plan=plan(*(idle(f"S{number}", name) for number in range(count))),
        answers=answers,
        strategy_count=count,
        verdict=VERDICT.changed(quarantined={f"S{number}": name for number in range(count)}, problems=(name,) * count),
        history=History.of((account, *rows)),
        unread=tuple(names),
    )


HUGE = "<\U0001f4a5> " * 8_000
LARGE = {
    "run": (large_day(3000, omitted=1000, are_filled=False), BACKGROUND),
    "books": (large_difference(1000), NOTHING_KNOWN),
    "settled": (settled(*[FILLED_LATE] * 1000), NOTHING_KNOWN),
    "data": (
        checked(passed=False, problems=(HUGE,) * 2).changed(quarantined={f"S{number}": HUGE for number in range(3)}),
        NOTHING_KNOWN,
    ),
    "strategies": (large_day(3000, omitted=100), hostile_strategies(200, "<evil name>" * 4)),
    "nothing traded": (completed(outcomes=()), hostile_strategies(200, MARKUP)),
    "failed": (
        failed(state=HUGE, reason=HUGE, detail=HUGE).changed(run_id=HUGE, message_id=HUGE, missing=(HUGE,) * 3),
        Background(latest=LATEST, trades=(executed("SPY", Side.BUY, "1"),) * 1000, unread=(HUGE,) * 2),
    ),
    "refused": (refused(HUGE, HUGE).changed(message_id=HUGE), NOTHING_KNOWN),
}
OUTCOMES = {**SAMPLES, **LARGE}
ANY = pytest.mark.parametrize("name", OUTCOMES)


@cache
def mail_of(name: str) -> Mail:
    message, background = OUTCOMES[name]
    return compose(message, background, stage="prod")


@cache
def document_of(name: str) -> Document:
    return Document(mail_of(name).html)


@ANY
def test_html_is_shorter_than_what_mail_programs_show(name: str) -> None:
    assert len(mail_of(name).html.encode()) <= BYTES_AT_MOST < 100_000


@ANY
def test_html_is_well_formed_and_has_its_structure(name: str) -> None:
    document = document_of(name)

    assert document.faults == []
    assert document.attributes("html") == [{"lang": "en"}]
    assert [len(document.attributes(tag)) for tag in ("title", "h1", "body")] == [1, 1, 1]
    assert all(attrs.get("scope") in {"col", "row"} for attrs in document.attributes("th"))
    for table in document.tables:
        assert {len(row) for row in table} == {len(table[0])}


@ANY
def test_html_loads_and_runs_nothing(name: str) -> None:
    document = document_of(name)

    assert not {"script", "link", "img", "iframe", "a", "form"} & {tag for tag, _ in document.tags}
    attributes = {attribute for _, attrs in document.tags for attribute in attrs}
    assert not {"src", "href", "background"} & attributes
    assert not {attribute for attribute in attributes if attribute.startswith("on")}
    assert not re.search(r"url\(|@import|expression", document.style)


@ANY
def test_html_is_readable_in_the_dark(name: str) -> None:
    document = document_of(name)

    metas = {attrs.get("name"): attrs.get("content") for attrs in document.attributes("meta")}
    assert [metas["color-scheme"], metas["supported-color-schemes"]] == ["light dark", "light dark"]
    dark = document.style.partition("@media (prefers-color-scheme:dark)")[2]
    # Every inline colour of a ground or a text is overridden in the dark.
    used = {kind for _, attrs in document.tags for kind in (attrs.get("class") or "").split()}
    assert {"g", "c", "t"} <= used
    assert [kind for kind in used - {"o", "p", "v", "d"} if f".{kind}" not in dark] == []


@ANY
def test_subject_is_one_short_line(name: str) -> None:
    subject = mail_of(name).subject

    assert subject.startswith("[prod] 2022-03-15: ")
    assert len(subject) <= SUBJECT_CHARS == 78
    assert subject.isprintable()


@ANY
def test_short_text_is_short_and_names_a_command(name: str) -> None:
    short = mail_of(name).short

    assert len(short) <= SHORT_CHARS
    assert re.search(r" More: inv (run\.show|reconcile|trading\.status|data\.quality) ", short)


@ANY
def test_text_has_78_columns_unless_a_word_is_longer(name: str) -> None:
    lines = mail_of(name).text.split("\n")

    assert [line for line in lines if not line.replace("\N{MINUS SIGN}", "-").isprintable()] == []
    long = [line for line in lines if len(line) > COLUMNS]
    assert [line for line in long if "`" not in line and len(line.split()) > 2] == []


@ANY
def test_same_arguments_give_the_same_mail(name: str) -> None:
    message, background = OUTCOMES[name]

    assert compose(message, background, stage="prod") == mail_of(name)


def counts(message: News, row: str, background: Background = NOTHING_KNOWN) -> tuple[int, int, str]:
    """Return how many rows with a text the HTML has, how many the text has, and the HTML in one line."""
    mail = compose(message, background, stage="prod")
    html = Document(mail.html).text
    return html.count(row), one_line(mail.text).count(row), html


def test_large_day_says_how_many_trades_and_positions_are_left_out() -> None:
    shown, complete, html = counts(large_day(3000), "BUY SYM")

    assert 150 < shown < 1000
    assert complete == 3000
    assert f"BUY SYM{shown - 1} " in html
    assert html.count(f"and {3000 - shown} more trades: {SHOW}") == 1
    positions = re.search(r"and (\d+) more positions: inv run\.show local-2022-03-15 --env prod", html)
    assert positions
    assert html.count(" 94.123456789 $") + int(positions[1]) == 3002


def test_day_that_fits_shows_everything() -> None:
    shown, _, html = counts(large_day(150), "BUY SYM")

    assert shown == 150
    assert "and 1 more" not in html
    assert " more trades" not in html


@pytest.mark.parametrize(
    ("message", "row", "noun", "where"),
    [
        (large_day(1000, omitted=1000, are_filled=False), "BUY SYM", "trades", SHOW),
        (large_day(1000, omitted=1000, are_filled=False), " Q", "holdings", SHOW),
        (large_day(1000, omitted=1000, are_filled=False), " U", "targets", SHOW),
        (large_difference(1000), "94.5 100", "holdings", RECONCILE),
        (large_difference(1000), OPEN_ORDER.order, "orders", RECONCILE),
        (large_difference(1000), MISSING_FILL.order, "fills", RECONCILE),
        (settled(*[FILLED_LATE] * 1000), "BUY SPY", "orders", SHOW),
        (checked(passed=False, problems=("a problem",) * 5000), "a problem", "problems", IN_TEXT),
        (
            checked(passed=False).changed(quarantined={f"S{number}": "stale" for number in range(3000)}),
            ": stale.",
            "symbols",
            "inv data.quality --env prod",
        ),
    ],
    ids=["trades", "holdings", "targets", "books", "orders", "fills", "settled", "problems", "symbols"],
)
def test_large_message_says_what_is_left_out(message: News, row: str, noun: str, where: str) -> None:
    mail = compose(message, NOTHING_KNOWN, stage="prod")
    html = Document(mail.html).text

    rest = re.search(rf"and (\d+) more {noun}: {re.escape(where)}", html)
    assert rest
    assert int(rest[1]) > 0
    assert row in html


def test_detail_of_40_kilobytes_is_whole_only_in_the_text() -> None:
    detail = "word " * 8_000
    mail = compose(failed(detail=detail), NOTHING_KNOWN, stage="prod")

    html = Document(mail.html).text
    assert html.count("word") >= 400
    assert f"… (38,000 more characters: {SHOW})" in html
    assert plain(mail.text).count("word") == 8_000


def test_long_name_is_cut_in_a_table_and_the_table_says_so() -> None:
    name = "n" * 200
    mail = compose(completed(positions=[mark(name, "1", "1")]), NOTHING_KNOWN, stage="prod")

    html = Document(mail.html).text
    assert f"{'n' * 79}…" in html
    assert f"Long cells are cut: {IN_TEXT}." in html
    assert name in mail.text
    assert "Long cells" not in Document(compose(completed(), NOTHING_KNOWN, stage="prod").html).text


@pytest.mark.parametrize(
    ("message", "background"),
    [
        (completed(outcomes=[ODD_TRADE], positions=[mark(MARKUP, "1", "2")], run_id=MARKUP), NOTHING_KNOWN),
        (completed(quarantined={MARKUP: MARKUP}, untradable={MARKUP: MARKUP}), NOTHING_KNOWN),
        (completed(outcomes=()), hostile_strategies(2, MARKUP)),
        (failed(state=MARKUP, reason=MARKUP, detail=MARKUP).changed(missing=(MARKUP,), run_id=MARKUP), NOTHING_KNOWN),
        (failed(), Background(verdict=VERDICT.changed(problems=(MARKUP,)), unread=(MARKUP,))),
        (refused(MARKUP, MARKUP), NOTHING_KNOWN),
        (settled(settled_order(Side.BUY, MARKUP, "1", "2", status=MARKUP)).changed(run_id=MARKUP), NOTHING_KNOWN),
        (differing(*ODD_ROWS).changed(account=MARKUP), NOTHING_KNOWN),
        (checked(passed=False, problems=(MARKUP,)).changed(quarantined={"TLT": MARKUP}), NOTHING_KNOWN),
    ],
    ids=["trade", "omissions", "strategies", "failed", "notes", "refused", "settled", "books", "data"],
)
def test_markup_in_any_field_is_escaped(message: News, background: Background) -> None:
    mail = compose(message.changed(message_id=MARKUP), background, stage=MARKUP)

    assert mail.html.count(ESCAPED) >= 3
    assert "<script" not in mail.html
    assert "'x'" not in mail.html
    assert MARKUP in mail.text


@given(text=st.text(max_size=60), count=st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_any_text_gives_a_valid_mail(text: str, count: int) -> None:
    message = failed(state=text, reason=text, detail=text).changed(missing=(text,) * count)
    mail = compose(message, Background(unread=(text,) * count, latest=LATEST), stage="prod")

    assert Document(mail.html).faults == []
    assert len(mail.html.encode()) < 100_000
    assert not {unicodedata.category(letter) for letter in mail.subject} & {"Cc", "Cs", "Zl", "Zp"}
    assert mail.text.encode()


def test_control_characters_and_turned_text_are_removed() -> None:
    detail = "a\r\nBcc: b@example.com\x00\u202e$001\u2066\ud800"
    mail = compose(failed(reason=detail, detail=detail), NOTHING_KNOWN, stage="prod")

    for text in (mail.subject, mail.short, mail.html, mail.text):
        assert not {"\r", "\x00", "\u202e", "\u2066", "\ud800"} & set(text)
    assert "\n" not in mail.subject + mail.short
    assert "a Bcc: b@example.com $001?" in plain(mail.text)


def test_strategies_of_a_book_are_all_in_the_text() -> None:
    background = hostile_strategies(200, "calm").changed(answers=(CALM,))
    mail = compose(completed(), background, stage="prod")

    assert all(f"{number}calm" in mail.text for number in range(200))
    assert REFUSED.symbol not in mail.text
