"""The page in Chromium, without a network: its script draws every chart, fills the tables and saves the trades."""

import base64
import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from desk.backtest.output import figures, page
from desk.backtest.output.trades_csv import write_trades
from desk.backtest.report import Report
from desk.backtest.simulate import RefusedTrade
from tests.desk.backtest.output.reports import HOSTILE, idle_report, whole_report
from the_alchemiser.shared import formats
from the_alchemiser.shared.values import Side

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
WHOLE = whole_report()

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine; install chromium")


def in_browser(path: Path, script: str, tmp_path: Path, *, width: int = 1300) -> Any:
    """Open the page offline in Chromium, run a script at its end, and return what it gives to `answer`.

    The script can read the page's errors from `faults`.
    """
    watch = """<script>
    const faults = []; onerror = (message) => { faults.push(message); };
    console.error = (...words) => { faults.push(words.join()); };
    const fail = (message) => { faults.push(message); };
    const answer = (value) => { document.title = btoa(encodeURIComponent(JSON.stringify(value))); };
    </script>"""
    probe = tmp_path / "probe.html"
    html = path.read_text().replace("<head>", f"<head>{watch}")
    probe.write_text(html.replace("</body>", f"<script>(async () => {{{script}}})();</script></body>"))

    argv = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000"]
    argv += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
    argv += [f"--window-size={width},1000", "--dump-dom", probe.as_uri()]
    dom = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=90).stdout
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title is not None
    return json.loads(_decoded(title[1]))


def _decoded(title: str) -> str:
    return unquote(base64.b64decode(title).decode())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write_page(WHOLE, tmp_path_factory.mktemp("page") / "backtest.html")


def test_page_in_browser_draws_every_trace_without_errors(written: Path, tmp_path: Path) -> None:
    script = """
    const marks = ".scatterlayer .js-line, .scatterlayer .js-fill, .barlayer .bars";
    const drawn = Object.fromEntries([...document.querySelectorAll(".chart")].map(
      (chart) => [chart.id, chart.querySelectorAll(marks).length]));
    const wide = document.querySelector("#equity .main-svg").getBoundingClientRect().width > 900;
    answer([drawn, wide, faults]);
    """

    drawn, wide, faults = in_browser(written, script, tmp_path)

    expected = {name: len(figure["traces"]) for name, figure in figures.figures(WHOLE).items()}
    # The first curve's drawdown and each area of the weights are lines with a filled shape.
    assert drawn == {**expected, "equity": expected["equity"] + 1, "weights": drawn["weights"]}
    assert drawn["weights"] >= expected["weights"]
    assert (wide, faults) == (True, [])


def test_page_in_browser_fills_its_tables(written: Path, tmp_path: Path) -> None:
    script = """
    const rows = (id) => document.querySelectorAll(`${id} tbody tr`).length;
    const empty = [...document.querySelectorAll("#statistics td.n")].filter((cell) => !cell.textContent.trim());
    const ids = ["#statistics", "#distributions", "#yearly", "#drawdowns", "#by-strategy", "#by-symbol", "#trades"];
    answer([...ids.map(rows), empty.length]);
    """

    # The benchmark has no beta, alpha, correlation and turnover.
    assert in_browser(written, script, tmp_path) == [11, 7, 2, 8, 2, 4, 50, 4]


def test_page_in_browser_shows_trades_as_the_terminal_does(tmp_path: Path) -> None:
    *days, last = WHOLE.result.days[:22]
    refused = RefusedTrade(last.date, "ZZZ", Side.SELL, Decimal("1234.5"), "limit_price_distance", "13 is far")
    result = replace(WHOLE.result, days=(*days, replace(last, refused=(refused,))), benchmark=None)
    path = page.write_page(Report(result), tmp_path / "backtest.html")
    script = """
    answer([...document.querySelectorAll("#trades tbody tr")].map(
      (row) => [...row.cells].map((cell) => cell.textContent)));
    """

    shown = in_browser(path, script, tmp_path)

    newest_first = sorted(result.trades, key=lambda trade: trade.day, reverse=True)
    filled = [
        [
            *(str(trade.day), trade.symbol, str(trade.side), formats.shares(trade.quantity)),
            *(formats.price(trade.price), formats.money(trade.cash), trade.reason),
        ]
        for trade in newest_first
    ]
    assert [row for row in shown if row[5] != "refused"] == filled
    assert [str(last.date), "ZZZ", "SELL", "1,234.5", "", "refused", "limit price distance: 13 is far"] in shown


def test_page_in_browser_saves_the_trades_that_csv_writes(tmp_path: Path) -> None:
    report = whole_report(HOSTILE)
    path = page.write_page(report, tmp_path / "backtest.html")
    script = """
    const blobs = [];
    URL.createObjectURL = (blob) => { blobs.push(blob); return "#"; };
    URL.revokeObjectURL = () => {};
    document.getElementById("save").click();
    answer([await blobs[0].text(), faults]);
    """

    text, faults = in_browser(path, script, tmp_path)

    assert text == write_trades(report.result, tmp_path / "trades.csv").read_text()
    assert len(list(csv.reader(io.StringIO(text)))) == len(report.result.trades) + 1
    assert faults == []


def test_page_in_browser_pages_and_filters_trades(written: Path, tmp_path: Path) -> None:
    script = """
    const count = document.getElementById("count");
    const dates = () => [...document.querySelectorAll("#trades tbody tr")].map((row) => row.cells[0].textContent);
    const newest = dates()[0];
    document.getElementById("older").click();
    const second = count.textContent;
    const filter = document.getElementById("filter");
    filter.value = "s01";
    filter.dispatchEvent(new Event("input"));
    const symbols = new Set([...document.querySelectorAll("#trades tbody tr")].map((row) => row.cells[1].textContent));
    filter.value = "nothing";
    filter.dispatchEvent(new Event("input"));
    answer([newest, second, [...symbols], count.textContent]);
    """

    newest, second, symbols, none = in_browser(written, script, tmp_path)
    assert newest == str(WHOLE.result.trades[-1].day)
    assert second == f"51 to 100 of {len(WHOLE.result.trades)}"
    assert (symbols, none) == (["S01"], "none")


@pytest.mark.parametrize("kind", ["hostile", "idle"])
def test_page_in_browser_of_odd_report_has_no_errors(kind: str, tmp_path: Path) -> None:
    report = whole_report(HOSTILE) if kind == "hostile" else idle_report()
    path = page.write_page(report, tmp_path / "backtest.html")
    script = """
    const named = document.querySelector("#strategies text a, #comparison text a");
    answer([document.querySelectorAll("img").length, named === null, faults]);
    """

    assert in_browser(path, script, tmp_path) == [0, True, []]


@pytest.mark.parametrize("width", [500, 1300])
def test_page_in_browser_is_not_wider_than_its_window(width: int, written: Path, tmp_path: Path) -> None:
    script = "answer(document.documentElement.scrollWidth <= innerWidth);"

    assert in_browser(written, script, tmp_path, width=width) is True


def test_page_in_browser_broken_chart_is_detected(written: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(written.read_text().replace('id="weights"', 'id="elsewhere"'))

    assert in_browser(broken, "answer(faults.length);", tmp_path) > 0
