import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from desk.backtest.output import page
from desk.backtest.output.trades_csv import COLUMNS, trade_rows
from desk.backtest.report import Report
from desk.backtest.simulate import RefusedTrade
from tests.desk.backtest.output.reports import HOSTILE, idle_report, result_of, whole_report
from the_alchemiser.shared.values import Side

WHOLE = whole_report()
PLOTLY_BYTES = 5_000_000


def data_of(html: str) -> Any:
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert data is not None
    return json.loads(data[1])


def markup_of(html: str) -> str:
    """Return the page without its scripts."""
    return re.sub(r"<script.*?</script>", "", html, flags=re.S)


class Outline(HTMLParser):
    """Records what is needed to use a page without seeing it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headers: list[bool] = []
        self.images: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        if "id" in found:
            self.ids.append(found["id"] or "")
        if tag == "a":
            self.links.append(found.get("href") or "")
        if tag == "th":
            self.headers.append("scope" in found)
        if found.get("role") == "img":
            self.images.append(found.get("aria-label") or "")


REPORTS = {"whole": WHOLE, "plain": Report(result_of(benchmark=False)), "idle": idle_report()}


@pytest.mark.parametrize("name", REPORTS)
def test_render_loads_nothing_from_network(name: str) -> None:
    html = page.render(REPORTS[name])

    assert not re.search(r"<(link|img|iframe|object)\b|@import|url\(|\bsrc=|https?://", markup_of(html))


@pytest.mark.parametrize("name", REPORTS)
def test_render_is_accessible_without_sight(name: str) -> None:
    outline = Outline(markup_of(page.render(REPORTS[name])))

    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert outline.headers
    assert all(outline.headers)
    assert outline.images
    assert all(len(label) > 20 for label in outline.images)


def test_render_data_holds_every_trade_as_the_csv_file() -> None:
    data = data_of(page.render(WHOLE))

    assert data["columns"] == list(COLUMNS)
    assert data["trades"] == [list(row) for row in trade_rows(WHOLE.result)]


def test_render_data_stores_each_list_of_dates_once() -> None:
    data = data_of(page.render(WHOLE))

    assert len({json.dumps(axis) for axis in data["axes"]}) == len(data["axes"])
    equity = data["figures"]["equity"]["traces"]
    assert len({trace["x"] for trace in equity}) == 1
    assert data["axes"][equity[0]["x"]] == [str(day) for day in WHOLE.result.curve.dates]


def test_render_lists_refused_trades_with_reason() -> None:
    first, *rest = WHOLE.result.days
    refused = RefusedTrade(first.date, "ZZZ", Side.BUY, Decimal(1), "limit_price_distance", "13 is 30.0% from 10")
    result = replace(WHOLE.result, days=(replace(first, refused=(refused,)), *rest))

    rows = data_of(page.render(Report(result)))["trades"]

    detail = "limit_price_distance: 13 is 30.0% from 10"
    assert [str(first.date), "ZZZ", "BUY", "1", "", "", "refused", detail, ""] in rows


def test_render_escapes_hostile_names_everywhere() -> None:
    html = page.render(whole_report(HOSTILE))

    assert "<b>odd" not in html
    assert 'onerror="fail' not in html
    assert html.count("&lt;b&gt;odd") > 4
    assert Outline(markup_of(html)).tags == Outline(markup_of(page.render(WHOLE))).tags


def test_render_tables_sum_to_the_profit() -> None:
    html = markup_of(page.render(WHOLE))
    profit = WHOLE.result.days[-1].equity - WHOLE.result.capital

    totals = re.findall(r'<tr class="total"><th scope="row">Total</th><td class="n">(.*?)</td>', html)
    assert totals == [f"\N{MINUS SIGN}${-profit:,.2f}" if profit < 0 else f"${profit:,.2f}"] * 2


def test_render_without_benchmark_says_why() -> None:
    assert "No comparison with SPY: no bars." in page.render(Report(result_of(benchmark=False)))


def test_render_without_trades_says_so() -> None:
    html = markup_of(page.render(idle_report()))

    assert "Nothing was traded, so there is no profit and no loss." in html
    assert "There were no drawdowns." in html
    assert "0 trades, costs $0.00" in html


def test_render_few_sessions_says_that_rolling_figures_are_missing() -> None:
    few = replace(WHOLE.result, days=WHOLE.result.days[:9], benchmark=None)

    assert "Rolling figures need at least 126 sessions; this backtest has 9." in page.render(Report(few))


def test_render_shows_sections_of_options_only_when_asked() -> None:
    for heading in ("comparison-h", "split-h", "robustness-h"):
        assert f'id="{heading}"' in page.render(WHOLE)
        assert f'id="{heading}"' not in page.render(Report(WHOLE.result))


def test_render_three_thousand_trades_stays_small() -> None:
    busy = result_of(symbols=12, sessions_per_change=1, count=1300)

    assert len(busy.trades) > 3000
    assert len(page.render(Report(busy)).encode()) < PLOTLY_BYTES + 1_500_000


def test_render_same_report_twice_gives_same_page() -> None:
    assert page.render(WHOLE) == page.render(WHOLE)


def test_write_page_returns_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    path = page.write_page(WHOLE, Path("new/backtest.html"))

    assert path == tmp_path / "new/backtest.html"
    assert path.read_text() == page.render(WHOLE)


@pytest.mark.parametrize(
    ("value", "style"),
    [(None, ""), (0.0, "--heat: var(--good); --strength: 0%"), (-0.5, "--heat: var(--bad); --strength: 60%")],
)
def test_heat_style_grows_with_return_up_to_limit(value: float | None, style: str) -> None:
    assert page.heat_style(value) == style
