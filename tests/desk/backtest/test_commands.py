"""`inv backtest` as a person calls it, but for the words of the command line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.backtest.commands import run_backtest
from tests.the_alchemiser.strategy_v2.cases import asset
from tests.the_alchemiser.strategy_v2.symphonies import file_of, sessions

NAMES = ("all-weather", "dip-buyer")
START, END = "2022-03-16", "2022-04-12"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of two symbols and SPY, and a strategy of them."""
    for number, symbol in enumerate(("AAA", "BBB", "SPY"), start=1):
        rows = [f"{day},{10 * number + (at * number) % 7}" for at, day in enumerate(sessions(40))]
        (tmp_path / f"{symbol}.csv").write_text("\n".join(["date,close", *rows]))
    node = f'(if (> (moving-average-price "AAA" {{:window 5}}) 12) [{asset("AAA")}] [{asset("BBB")}])'
    (tmp_path / "mine.clj").write_text(file_of(node))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_backtest_prints_curves_statistics_months_trades_and_definitions(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(NAMES, start=START, end=END)

    printed = capsys.readouterr().out
    for words in (
        "all-weather 60.0%, dip-buyer 40.0%",
        "2022-03-16 to 2022-04-12, 20 sessions, $100,000.00, costs 1 bp a side, bundled prices",
        "Sharpe ratio",
        "Deepest drawdowns",
        "Monthly returns",
        "Turnover",
        "trades, costs $",
        "Calmar ratio: CAGR over the size of the maximum drawdown",
        "SPY",
    ):
        assert words in printed


def test_backtest_as_json_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(NAMES, start=START, end=END, json=True)

    found = told(capsys)
    growth = 1.0
    for row in found["equity"][1:]:
        growth *= 1 + row["return"]
    assert found["sessions"] == len(found["equity"]) - 1 == len(found["decisions"]) == 20
    assert growth - 1 == pytest.approx(found["statistics"]["strategy"]["total_return"], abs=1e-12)
    assert float(found["equity"][-1]["equity"]) == pytest.approx(100000 * growth)
    assert found["trade_count"] == len(found["trades"]) > 0
    assert set(found["definitions"]) == {*found["statistics"]["SPY"], "turnover"}


def test_backtest_of_the_whole_book_begins_when_all_of_it_is_decided(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest((), json=True)

    found = told(capsys)
    assert found["start"] <= "2021-01-05"
    assert found["end"] == "2022-12-28"
    assert sum(float(one["allocation"]) for one in found["strategies"]) == pytest.approx(1)


def test_backtest_of_a_file_on_own_bars_runs_over_all_of_them(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest([str(own / "mine.clj")], bars=str(own), json=True)

    found = told(capsys)
    assert (found["start"], found["end"]) == (str(sessions(6)[5]), str(sessions(40)[39]))
    assert found["equity"][0]["date"] == str(sessions(5)[4])


def test_backtest_without_the_benchmark_says_so(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "SPY.csv").unlink()

    run_backtest([str(own / "mine.clj")], bars=str(own))

    printed = capsys.readouterr().out
    assert "no comparison with SPY: it has no bar of 2021-01-11 and 34 more sessions" in printed


def test_backtest_with_a_benchmark_of_no_use_says_why(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "SPY.csv").write_text("date,close\n2021-01-04,-5\n")

    run_backtest([str(own / "mine.clj")], bars=str(own), json=True)

    found = told(capsys)
    assert found["statistics"]["SPY"] is None
    assert found["benchmark_note"].startswith("its bars are not usable: the close of 2021-01-04 is -5")


def spoil(folder: Path, symbol: str, day: str) -> None:
    """A bar that must not be used, in the middle of a file."""
    path = folder / f"{symbol}.csv"
    path.write_text(re.sub(rf"^({day}),.*$", r"\1,-1", path.read_text(), flags=re.M))


def test_backtest_over_a_bad_bar_is_refused_and_names_it(own: Path) -> None:
    spoil(own, "AAA", "2021-02-01")

    with pytest.raises(CheckFailedError, match=r"AAA: .*the close of 2021-02-01 is -1"):
        run_backtest([str(own / "mine.clj")], bars=str(own))


def test_backtest_before_a_bad_bar_is_as_without_it(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest([str(own / "mine.clj")], bars=str(own), end="2021-01-29", json=True)
    before = told(capsys)
    for symbol in ("AAA", "SPY"):
        spoil(own, symbol, "2021-02-01")

    run_backtest([str(own / "mine.clj")], bars=str(own), end="2021-01-29", json=True)

    assert told(capsys) == before


def test_backtest_with_costs_ends_with_less(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = []
    for costs_bps in ("0", "25", "100"):
        run_backtest([str(own / "mine.clj")], bars=str(own), costs_bps=costs_bps, json=True)
        ends.append(float(told(capsys)["equity"][-1]["equity"]))

    assert ends == sorted(ends, reverse=True)


def test_backtest_with_later_bars_is_the_same_before_them(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = sessions(30)[29]
    run_backtest([str(own / "mine.clj")], bars=str(own), json=True)
    whole = told(capsys)
    run_backtest([str(own / "mine.clj")], bars=str(own), end=str(last), json=True)

    part = told(capsys)
    assert whole["equity"][: len(part["equity"])] == part["equity"]
    assert whole["decisions"][: len(part["decisions"])] == part["decisions"]


def test_backtest_of_one_day_has_no_ratios(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = str(sessions(20)[19])

    run_backtest([str(own / "mine.clj")], bars=str(own), start=day, end=day)

    assert "not defined" in capsys.readouterr().out


def test_backtest_with_too_little_to_trade_with_has_no_trades(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(["all-weather"], start=START, end=START, capital="1")

    printed = capsys.readouterr().out
    assert "0 trades\n" in printed
    assert "The equity never fell" in printed


def test_backtest_with_a_page_says_where_it_is(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = own / "pages" / "mine.html"

    run_backtest([str(own / "mine.clj")], bars=str(own), html=str(page))

    assert str(page) in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")


def test_backtest_with_refused_trades_tells_the_last(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{day},{10 if at % 2 else 20}" for at, day in enumerate(sessions(40))]
    (own / "AAA.csv").write_text("\n".join(["date,close", *rows]))

    run_backtest([str(own / "mine.clj")], bars=str(own))

    assert "refused, the last on 2021-02-26: BUY AAA: limit price distance" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"start": "yesterday"}, "--start 'yesterday' is not a date; give one as 2021-01-04"),
        ({"end": "20220316"}, "--end '20220316' is not a date"),
        ({"end": "2022-02-30"}, "--end '2022-02-30' is not a date"),
        ({"start": "2022-04-12", "end": "2022-03-16"}, "--start 2022-04-12 is after --end 2022-03-16"),
        ({"start": "2022-03-19", "end": "2022-03-20"}, "there is no session from 2022-03-19 to 2022-03-20"),
        ({"end": "2030-01-02"}, "--end 2030-01-02 is after the last bar, of 2023-12-29"),
        ({"capital": "much"}, "--capital 'much' is not an amount"),
        ({"capital": "-5"}, "--capital '-5' is not an amount"),
        ({"capital": "nan"}, "--capital 'nan' is not an amount"),
        ({"capital": "100.001"}, "--capital '100.001' is not an amount"),
        ({"costs_bps": "-1"}, "--costs-bps '-1': give basis points a side, 0 to 1000"),
        ({"costs_bps": "1001"}, "--costs-bps '1001'"),
        ({"costs_bps": "x"}, "--costs-bps 'x'"),
        ({"html": "dip-buyer"}, "--html 'dip-buyer' is no page; give a path that ends in .html"),
        ({"bars": "nowhere"}, "nowhere"),
    ],
)
def test_backtest_of_what_cannot_be_is_refused(options: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError) as refused:
        run_backtest(["all-weather"], **options)  # type: ignore[arg-type]

    assert told in str(refused.value)


def test_backtest_of_an_unknown_strategy_lists_the_names() -> None:
    with pytest.raises(UsageError, match=r"'no-such-thing'; the strategies are: .*all-weather"):
        run_backtest(["no-such-thing"])


def test_backtest_start_that_cannot_be_decided_names_symbol_and_bars() -> None:
    with pytest.raises(
        CheckFailedError, match=r"SPY: 41 bars through 2020-03-02, 200 needed .*leave --start out"
    ) as failed:
        run_backtest(["trend-shield"], start="2020-03-03")

    assert failed.value.exit_code == 3


def test_backtest_end_without_bars_names_the_symbol() -> None:
    with pytest.raises(CheckFailedError, match=r"USMV: .*2022-12-28"):
        run_backtest(["all-weather"], end="2023-03-01")


def test_backtest_of_a_file_that_is_no_strategy_says_where(own: Path) -> None:
    (own / "mine.clj").write_text('(defsymphony "x" {:rebalance-frequency :daily} (asset')

    with pytest.raises(CheckFailedError, match=r"mine\.clj:1:"):
        run_backtest([str(own / "mine.clj")], bars=str(own))
