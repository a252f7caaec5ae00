import json
import re
import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from desk.backtest.output import figures, page
from desk.backtest.report import Report
from desk.backtest.result import Result, benchmark_curve
from desk.backtest.simulate import RefusedTrade
from tests.desk.backtest.worlds import candidate, traded
from tests.the_alchemiser.strategy_v2.cases import asset, market
from the_alchemiser.shared.values import Side

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
COUNT = 300


def result(*, symbols: int = 3, benchmark: bool = True, name: str = "one") -> Result:
    """Return a backtest of more than a year in which the portfolio changes every twenty sessions."""
    paths = {f"S{number:02d}": closes_of(number) for number in range(symbols)}
    weights = [weights_on(at, symbols) for at in range(COUNT - 1)]
    days = traded(market(**paths), *weights, costs_bps="5")
    strategy = candidate(asset("S00"), name=name)
    plain = Result((strategy,), "invented", Decimal(10000), Decimal(5), days, None, "no bars")
    if not benchmark:
        return plain
    closes = np.linspace(100, 120, COUNT - 1)
    return replace(plain, benchmark=benchmark_curve(plain.curve.dates, closes, Decimal(10000)), benchmark_note="")


def closes_of(number: int) -> list[float]:
    return [round(50 + at * 0.05 + 8 * float(np.sin(at / (9 + 2 * number))), 2) for at in range(COUNT)]


def weights_on(at: int, symbols: int) -> dict[str, str]:
    held = {at // 20 % symbols, (at // 20 + 1) % symbols}
    return {f"S{number:02d}": "0.5" if number in held else "0" for number in range(symbols)}


WHOLE = result()


def rendered(whole: Result) -> str:
    return page.render(Report(whole))


def data_of(html: str) -> Any:
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert data is not None
    return json.loads(data[1])


def markup_of(html: str) -> str:
    """Return the page without its scripts."""
    return re.sub(r"<script.*?</script>", "", html, flags=re.S)


def with_colours(value: Any) -> Any:
    """Replace the colour variables of the style sheet by a colour that plotly accepts."""
    if isinstance(value, dict):
        return {key: with_colours(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_colours(item) for item in value]
    return "#123456" if isinstance(value, str) and value.startswith("--") else value


@pytest.mark.parametrize("name", ["equity", "weights", "years"])
def test_figures_are_accepted_by_plotly(name: str) -> None:
    figure = with_colours(figures.figures(WHOLE)[name])

    assert len(go.Figure(data=figure["traces"], layout=figure["layout"]).data) == len(figure["traces"]) > 0


def test_plotly_rejects_unknown_property() -> None:
    with pytest.raises(ValueError, match="Invalid property"):
        go.Figure(data=[{"type": "scatter", "colour": "--c0"}])


def test_figures_use_only_colours_of_style_sheets() -> None:
    html = rendered(WHOLE)
    used = set(re.findall(r'"(--\w+)', json.dumps(figures.figures(WHOLE))))

    assert used
    assert all(f"{name}: #" in html for name in used)


def test_weights_figure_weights_and_cash_sum_to_one() -> None:
    traces = figures.weights_figure(WHOLE)["traces"]

    assert np.sum([trace["y"] for trace in traces], axis=0) == pytest.approx(np.ones(COUNT - 1), abs=1e-4)


def test_weights_figure_many_symbols_groups_smallest() -> None:
    traces = figures.weights_figure(result(symbols=15))["traces"]

    assert [trace["name"] for trace in traces][-2:] == ["4 others", "cash"]
    assert len(traces) == figures.MAX_SYMBOLS + 2


def test_equity_figure_without_benchmark_has_one_curve() -> None:
    assert len(figures.equity_figure(result(benchmark=False))["traces"]) == 2


def test_equity_figure_few_days_has_daily_ticks() -> None:
    few = replace(WHOLE, days=WHOLE.days[:3], benchmark=None)

    assert figures.equity_figure(few)["layout"]["xaxis"]["dtick"] == 24 * 60 * 60 * 1000
    assert "dtick" not in figures.equity_figure(WHOLE)["layout"]["xaxis"]


def test_weights_figure_without_positions_is_all_cash() -> None:
    idle = replace(WHOLE, days=tuple(replace(day, values={}) for day in WHOLE.days))

    assert [trace["name"] for trace in figures.weights_figure(idle)["traces"]] == ["cash"]


def test_render_loads_nothing_from_network() -> None:
    html = rendered(WHOLE)

    assert not re.search(r"<(link|img|iframe|object)\b|@import|url\(|\bsrc=|https?://", markup_of(html))


def test_render_lists_trades_newest_first() -> None:
    rows = data_of(rendered(WHOLE))["trades"]

    assert len(rows) == len(WHOLE.trades)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_render_lists_refused_trades_with_reason() -> None:
    first, *rest = WHOLE.days
    refused = RefusedTrade(first.date, "ZZZ", Side.BUY, Decimal(1), "limit_price_distance", "13 is 30.0% from 10")
    rows = data_of(rendered(replace(WHOLE, days=(replace(first, refused=(refused,)), *rest))))["trades"]

    assert [str(first.date), "ZZZ", "BUY", "1", "", "refused", "limit price distance: 13 is 30.0% from 10"] in rows


def test_render_escapes_names() -> None:
    html = rendered(result(name="</script><b>odd</b>"))

    assert "<b>odd" not in html
    assert "&lt;b&gt;odd" in html


def test_render_without_benchmark_says_why() -> None:
    assert "No comparison with SPY: no bars." in rendered(result(benchmark=False))


def test_render_same_result_twice_gives_same_page() -> None:
    assert rendered(WHOLE) == rendered(WHOLE)


@pytest.mark.parametrize(
    ("value", "style"),
    [(None, ""), (0.0, "--heat: var(--good); --strength: 0%"), (-0.5, "--heat: var(--bad); --strength: 60%")],
)
def test_heat_style_grows_with_return_up_to_limit(value: float | None, style: str) -> None:
    assert page.heat_style(value) == style


def title_in_browser(path: Path, script: str, tmp_path: Path) -> str:
    """Open the page offline in Chromium, run a script at its end, and return the title that the script set.

    The script can read the page's errors from `faults`.
    """
    watch = (
        "<script>const faults=[];onerror=(m)=>{faults.push(m)};console.error=(...a)=>{faults.push(a.join())};</script>"
    )
    probe = tmp_path / "probe.html"
    html = path.read_text().replace("<head>", f"<head>{watch}")
    probe.write_text(html.replace("</body>", f"<script>{{{script}}}</script></body>"))

    argv = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000"]
    argv += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
    argv += ["--window-size=1300,1000", "--dump-dom", probe.as_uri()]
    dom = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=90).stdout
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title is not None
    return title[1]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write_page(Report(WHOLE), tmp_path_factory.mktemp("page") / "backtest.html")


needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine; install chromium")


@needs_chromium
def test_page_in_browser_draws_every_trace_without_errors(written: Path, tmp_path: Path) -> None:
    script = """
    const drawn = (id) => document.querySelectorAll(`#${id} .scatterlayer .js-line, #${id} .barlayer .bars`).length;
    const areas = document.querySelectorAll("#weights .scatterlayer .js-fill").length;
    const wide = document.querySelector("#equity .main-svg").getBoundingClientRect().width > 900;
    document.title = JSON.stringify([drawn("equity"), areas, drawn("years"), wide, faults]);
    """

    assert json.loads(title_in_browser(written, script, tmp_path)) == [4, 4, 2, True, []]


@needs_chromium
def test_page_in_browser_fills_its_tables(written: Path, tmp_path: Path) -> None:
    script = """
    const rows = (id) => document.querySelectorAll(`${id} tbody tr`).length;
    const empty = [...document.querySelectorAll("#statistics td.n")].filter((cell) => !cell.textContent.trim());
    const filled = ["#statistics", "table.heat", "#drawdowns", "#trades"].map(rows);
    document.title = JSON.stringify([...filled, empty.length]);
    """

    # The only empty cell: the benchmark has no turnover.
    assert json.loads(title_in_browser(written, script, tmp_path)) == [8, 4, 8, 50, 1]


@needs_chromium
def test_page_in_browser_pages_and_filters_trades(written: Path, tmp_path: Path) -> None:
    script = """
    const count = document.getElementById("count");
    document.getElementById("older").click();
    const second = count.textContent;
    const filter = document.getElementById("filter");
    filter.value = "s01";
    filter.dispatchEvent(new Event("input"));
    const symbols = new Set([...document.querySelectorAll("#trades tbody tr")].map((row) => row.cells[1].textContent));
    filter.value = "nothing";
    filter.dispatchEvent(new Event("input"));
    document.title = JSON.stringify([second, [...symbols], count.textContent]);
    """

    second, symbols, none = json.loads(title_in_browser(written, script, tmp_path))
    assert second == f"51 to 100 of {len(WHOLE.trades)}"
    assert (symbols, none) == (["S01"], "none")


@needs_chromium
def test_page_in_browser_broken_chart_is_detected(written: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(written.read_text().replace('id="weights"', 'id="elsewhere"'))

    title = title_in_browser(broken, "document.title = JSON.stringify(faults.length);", tmp_path)

    assert json.loads(title) > 0
