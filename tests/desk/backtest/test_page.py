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

from desk.backtest import figures, page
from desk.backtest.result import Result, benchmark_curve
from desk.backtest.simulate import Refused
from tests.desk.backtest.worlds import candidate, traded
from tests.the_alchemiser.strategy_v2.cases import asset, market
from the_alchemiser.shared.messaging.messages import Side

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
COUNT = 300


def result(*, symbols: int = 3, benchmark: bool = True, name: str = "one") -> Result:
    """More than a year in which the portfolio changes every twenty sessions."""
    names = [f"S{number:02d}" for number in range(symbols)]
    paths = {
        symbol: [round(50 + at * 0.05 + 8 * float(np.sin(at / (9 + 2 * number))), 2) for at in range(COUNT)]
        for number, symbol in enumerate(names)
    }
    weights = [
        {
            symbol: ("0.5" if number in {at // 20 % symbols, (at // 20 + 1) % symbols} else "0")
            for number, symbol in enumerate(names)
        }
        for at in range(COUNT - 1)
    ]
    days = traded(market(**paths), *weights, costs_bps="5")
    made = Result((candidate(asset("S00"), name=name),), "made up", Decimal(10000), Decimal(5), days, None, "no bars")
    if not benchmark:
        return made
    closes = np.linspace(100, 120, COUNT - 1)
    return replace(made, benchmark=benchmark_curve(made.curve.dates, closes, Decimal(10000)), benchmark_note="")


WHOLE = result()


def data_of(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found is not None
    return json.loads(found[1])


def markup_of(html: str) -> str:
    """The page without its scripts."""
    return re.sub(r"<script.*?</script>", "", html, flags=re.S)


def resolved(value: Any) -> Any:
    """Colours of the style sheet as colours plotly knows."""
    if isinstance(value, dict):
        return {key: resolved(one) for key, one in value.items()}
    if isinstance(value, list):
        return [resolved(one) for one in value]
    return "#123456" if isinstance(value, str) and value.startswith("--") else value


@pytest.mark.parametrize("name", ["equity", "weights", "years"])
def test_figures_are_what_plotly_accepts(name: str) -> None:
    figure = resolved(figures.figures(WHOLE)[name])

    assert len(go.Figure(data=figure["traces"], layout=figure["layout"]).data) == len(figure["traces"]) > 0


def test_figures_plotly_refuses_a_trace_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="Invalid property"):
        go.Figure(data=[{"type": "scatter", "colour": "--c0"}])


def test_figures_use_only_colours_of_the_style_sheets() -> None:
    html = page.render(WHOLE)
    used = set(re.findall(r'"(--\w+)', json.dumps(figures.figures(WHOLE))))

    assert used
    assert all(f"{name}: #" in html for name in used)


def test_figures_weights_and_cash_sum_to_one() -> None:
    traces = figures.weights_figure(WHOLE)["traces"]

    assert np.sum([trace["y"] for trace in traces], axis=0) == pytest.approx(np.ones(COUNT - 1), abs=1e-4)


def test_figures_of_many_symbols_gather_the_smallest() -> None:
    traces = figures.weights_figure(result(symbols=15))["traces"]

    assert [trace["name"] for trace in traces][-2:] == ["4 others", "cash"]
    assert len(traces) == figures.MOST_SYMBOLS + 2


def test_figures_without_benchmark_have_one_curve() -> None:
    assert len(figures.equity_figure(result(benchmark=False))["traces"]) == 2


def test_figures_of_few_days_have_a_tick_a_day() -> None:
    few = replace(WHOLE, days=WHOLE.days[:3], benchmark=None)

    assert figures.equity_figure(few)["layout"]["xaxis"]["dtick"] == 24 * 60 * 60 * 1000
    assert "dtick" not in figures.equity_figure(WHOLE)["layout"]["xaxis"]


def test_figures_without_a_holding_are_all_cash() -> None:
    idle = replace(WHOLE, days=tuple(replace(day, values={}) for day in WHOLE.days))

    assert [trace["name"] for trace in figures.weights_figure(idle)["traces"]] == ["cash"]


def test_render_fetches_nothing() -> None:
    html = page.render(WHOLE)

    assert not re.search(r"<(link|img|iframe|object)\b|@import|url\(|\bsrc=|https?://", markup_of(html))


def test_render_has_all_trades_newest_first() -> None:
    rows = data_of(page.render(WHOLE))["trades"]

    assert len(rows) == len(WHOLE.trades)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_render_has_refused_trades_with_the_reason() -> None:
    first, *rest = WHOLE.days
    refused = Refused(first.date, "ZZZ", Side.BUY, Decimal(1), "limit_price_distance", "13 is 30.0% from 10")
    rows = data_of(page.render(replace(WHOLE, days=(replace(first, refused=(refused,)), *rest))))["trades"]

    assert [str(first.date), "ZZZ", "BUY", "1", "", "refused", "limit price distance: 13 is 30.0% from 10"] in rows


def test_render_names_are_no_markup() -> None:
    html = page.render(result(name="</script><b>odd</b>"))

    assert "<b>odd" not in html
    assert "&lt;b&gt;odd" in html


def test_render_without_benchmark_says_why() -> None:
    assert "There is no comparison with SPY: no bars." in page.render(result(benchmark=False))


def test_render_same_result_twice_gives_the_same_page() -> None:
    assert page.render(WHOLE) == page.render(WHOLE)


@pytest.mark.parametrize(
    ("value", "style"),
    [(None, ""), (0.0, "--heat: var(--good); --strength: 0%"), (-0.5, "--heat: var(--bad); --strength: 60%")],
)
def test_heat_grows_with_the_return_up_to_the_strongest(value: float | None, style: str) -> None:
    assert page.heat(value) == style


def dumped(path: Path, script: str, tmp_path: Path) -> str:
    """What Chromium, off line, makes of the page's title by a script of ours at its end; errors are collected."""
    watch = (
        "<script>const faults=[];onerror=(m)=>{faults.push(m)};console.error=(...a)=>{faults.push(a.join())};</script>"
    )
    probe = tmp_path / "probe.html"
    html = path.read_text().replace("<head>", f"<head>{watch}")
    probe.write_text(html.replace("</body>", f"<script>{{{script}}}</script></body>"))
    argv = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000"]
    argv += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
    argv += ["--window-size=1300,1000", "--dump-dom", probe.as_uri()]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=90).stdout
    found = re.search(r"<title>(.*?)</title>", done)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write_page(WHOLE, tmp_path_factory.mktemp("page") / "backtest.html")


needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine; install chromium")


@needs_chromium
def test_page_in_a_browser_draws_every_trace_without_an_error(written: Path, tmp_path: Path) -> None:
    script = """
    const drawn = (id) => document.querySelectorAll(`#${id} .scatterlayer .js-line, #${id} .barlayer .bars`).length;
    const areas = document.querySelectorAll("#weights .scatterlayer .js-fill").length;
    const wide = document.querySelector("#equity .main-svg").getBoundingClientRect().width > 900;
    document.title = JSON.stringify([drawn("equity"), areas, drawn("years"), wide, faults]);
    """

    assert json.loads(dumped(written, script, tmp_path)) == [4, 4, 2, True, []]


@needs_chromium
def test_page_in_a_browser_has_its_tables_filled(written: Path, tmp_path: Path) -> None:
    script = """
    const rows = (id) => document.querySelectorAll(`${id} tbody tr`).length;
    const empty = [...document.querySelectorAll("#statistics td.n")].filter((one) => !one.textContent.trim());
    const filled = ["#statistics", "table.heat", "#drawdowns", "#trades"].map(rows);
    document.title = JSON.stringify([...filled, empty.length]);
    """

    # Turnover has nothing to compare with.
    assert json.loads(dumped(written, script, tmp_path)) == [8, 4, 5, 50, 1]


@needs_chromium
def test_page_in_a_browser_pages_and_filters_the_trades(written: Path, tmp_path: Path) -> None:
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

    second, symbols, none = json.loads(dumped(written, script, tmp_path))
    assert second == f"51 to 100 of {len(WHOLE.trades)}"
    assert (symbols, none) == (["S01"], "none")


@needs_chromium
def test_page_in_a_browser_with_a_broken_chart_is_found(written: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(written.read_text().replace('id="weights"', 'id="elsewhere"'))

    title = dumped(broken, "document.title = JSON.stringify(faults.length);", tmp_path)

    assert json.loads(title) > 0
