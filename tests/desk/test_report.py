import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from desk.report import render, write_report
from desk.report_model import MODULES
from sandbox.evidence import DayEvidence
from sandbox.function_logs import FailureKind, LogFailure
from tests.desk.decisions import DECISIONS, STEPS_OF
from tests.desk.evidence import DAY, failed_day, item, odd_day, whole_day
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY


def cash_day() -> DayEvidence:
    """Return a day whose strategies keep everything in cash."""
    day = whole_day()
    assert day.signal is not None
    answer = day.answers["calm_balance"].changed(weights={}, cash=Decimal("0.75"))
    signal = day.signal.changed(weights={}, contributions={}, cash=Decimal("0.125"))
    items = {
        **day.run.items,
        f"{STRATEGY}#calm_balance": item(f"{STRATEGY}#calm_balance", answer),
        SIGNAL: item(SIGNAL, signal),
    }
    return replace(day, run=day.run.changed(items=items))


VOID = {"meta", "link", "br", "img", "rect", "circle", "line", "path"}
PAGES = {
    "whole": (whole_day(),),
    "missed": (whole_day(missed="UNH"),),
    "failed": (failed_day(),),
    "odd": (odd_day(),),
    "cash": (cash_day(),),
    "several": tuple(whole_day(DAY + timedelta(days=day)) for day in range(3)),
}


class _Page(HTMLParser):
    """The text of a page, and its tags, which must be balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Ignore self-closing SVG elements."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


@pytest.fixture(params=PAGES)
def evidences(request: pytest.FixtureRequest) -> tuple[DayEvidence, ...]:
    return PAGES[str(request.param)]


def test_render_gives_balanced_html_with_unique_ids(evidences: tuple[DayEvidence, ...]) -> None:
    page = _Page(render(evidences))

    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_render_links_and_labels_refer_to_existing_ids(evidences: tuple[DayEvidence, ...]) -> None:
    page = _Page(render(evidences))

    targets = [value.removeprefix("#") for _, name, value in page.attributes if name in ("href", "aria-labelledby")]
    assert set(targets) <= set(page.ids)


def test_render_loads_and_runs_nothing(evidences: tuple[DayEvidence, ...]) -> None:
    html = render(evidences)

    assert not re.search(r"<(script|link|img|iframe|object)\b|@import|url\(|\bsrc=|https?://", html)


def test_render_same_evidence_twice_gives_same_page(evidences: tuple[DayEvidence, ...]) -> None:
    assert render(evidences) == render(evidences)


def test_render_whole_day_shows_decisions_trades_and_positions() -> None:
    page_text = _Page(render(PAGES["whole"])).text

    for text in (
        "Wednesday, 16 March 2022", "local-2022-03-16", "COMPLETED", "$100,000.00", "$99,988.63",
        "rsi SPY 10 is 41.2, which is not above 79.", "no strategy wants it any more: full exit",
        "below the minimum of $100.00", "local-2022-03-16-BUY-SPY-1", "[local] 2022-03-16 completed, 6 trades",
        f"10 of {len(MODULES)} functions ran", "All queues are empty.", *MODULES,
    ):  # fmt: skip
        assert text in page_text


def test_render_day_in_cash_shows_how_much_stays_there() -> None:
    text = _Page(render(PAGES["cash"])).text

    assert "75.00% stays in cash." in text
    assert "12.50% stays in cash." in text
    assert "stays in cash" not in _Page(render(PAGES["whole"])).text


def test_render_failed_day_shows_reason_errors_and_queues() -> None:
    page_text = _Page(render(PAGES["failed"])).text

    for text in ("The run failed while EVALUATING: strategy failed.", "XOM has 120 bars", "strategy-dead-letters"):
        assert text in page_text
    assert "failed: <KeyError> & more" in page_text
    assert "No mail was sent." in page_text
    assert "All queues are empty." not in page_text


def test_render_degraded_day_shows_it_with_the_state() -> None:
    text = _Page(render(PAGES["missed"])).text

    assert "COMPLETED, degraded" in text
    assert "BUY UNH: 0 of 29.998788 shares" in text


def test_render_odd_day_names_what_the_run_left_out() -> None:
    text = _Page(render(PAGES["odd"])).text

    assert "COMPLETED, degraded" in text
    assert "The run left 2 holdings alone. They are neither counted nor sold." in text
    assert "628ESC012: its symbol is not that of a listed stock or fund BTCUSD: it is not a US stock or fund" in text
    assert "1 target could not be traded. Its share of the account stayed in cash. AAA: the broker does not" in text
    assert "1 order settled after the run had ended. SELL 628ESC012: canceled, 0 shares filled" in text
    assert "628ESC012 5 $0.00 none unknown" in text


def test_render_one_holding_is_not_they() -> None:
    text = _Page(render([odd_day({"BTCUSD": "not_an_equity"})])).text

    assert "The run left 1 holding alone. It is neither counted nor sold." in text


def test_render_whole_day_has_no_sections_about_omissions() -> None:
    text = _Page(render(PAGES["whole"])).text

    assert "degraded" not in text
    assert "settled after" not in text
    assert "could not be traded" not in text


def test_render_fragile_decision_is_counted_and_marked() -> None:
    steps = ({**STEPS_OF["trend_following"][0], "fragile": True}, STEPS_OF["trend_following"][1])
    decisions = {**DECISIONS, "trend_following": {**DECISIONS["trend_following"], "steps": steps}}
    html = render((replace(whole_day(), decisions=decisions),))

    assert html.count('<li class="fragile">') == 1
    assert "2 decisions, 1 of them fragile" in html


def test_render_several_days_shows_each_day_and_equity_curve() -> None:
    html = render(PAGES["several"])

    assert html.count('<details class="day"') == 3
    assert html.count("<circle") == 4
    assert "3 trading days, 16 March 2022 to 18 March 2022" in html


def test_render_without_days_raises() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        render(())


def test_write_report_writes_one_file_per_call(tmp_path: Path) -> None:
    of_one_day = write_report(whole_day(), tmp_path / "reports" / "day.html")
    of_several = write_report(PAGES["several"], tmp_path / "reports" / "days.html")

    assert of_one_day.is_absolute()
    assert "Wednesday, 16 March 2022" in of_one_day.read_text()
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["day.html", of_several.name]


def test_render_shows_what_the_day_survived() -> None:
    day = whole_day()
    crash = LogFailure("Worker process died", kind=FailureKind.CRASH, is_survived=True)
    functions = {**day.functions, "data_v2": replace(day.functions["data_v2"], failures=(crash,))}

    text = _Page(render((replace(day, functions=functions),))).text

    assert "All queues are empty. The day survived: 1 crash of data_v2." in text
    assert "survived: Worker process died" in text
    assert "survived" not in _Page(render((day,))).text
