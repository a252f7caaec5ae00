"""`inv backtest` with all its options, called as a function."""

import gc
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.backtest import commands
from desk.backtest.options import Texts
from tests.the_alchemiser.strategy_v2.cases import asset
from tests.the_alchemiser.strategy_v2.symphonies import file_of, sessions

NAMES = ("all-weather", "dip-buyer")
START, END = "2022-03-16", "2022-04-12"


def run_backtest(
    names: Sequence[str], *, bars: str = "", robustness: bool = False, json: bool = False, **typed: str
) -> None:
    """Run the command with the options as typed."""
    commands.run_backtest(names, Texts(**typed), bars=bars, robustness=robustness, json=json)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a folder with bars of two symbols and SPY, and a strategy that trades the two symbols."""
    for number, symbol in enumerate(("AAA", "BBB", "SPY"), start=1):
        rows = [f"{day},{10 * number + (at * number) % 7}" for at, day in enumerate(sessions(40))]
        (tmp_path / f"{symbol}.csv").write_text("\n".join(["date,close", *rows]))
    node = f'(if (> (moving-average-price "AAA" {{:window 5}}) 12) [{asset("AAA")}] [{asset("BBB")}])'
    (tmp_path / "mine.clj").write_text(file_of(node))
    return tmp_path


def printed_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_run_backtest_prints_every_section(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(NAMES, start=START, end=END)

    printed = capsys.readouterr().out
    for text in (
        "all-weather 60.0%, dip-buyer 40.0%",
        "2022-03-16 to 2022-04-12, 20 sessions, $100,000.00, costs 1 bp per side, bundled prices",
        "Sharpe ratio",
        "Deepest drawdowns",
        "Monthly returns",
        "Turnover",
        "trades, costs $",
        "Rolling figures need at least 126 sessions; this backtest has 20.",
        "Calmar ratio: CAGR divided by the size of the maximum drawdown",
        "SPY",
    ):
        assert text in printed


def test_run_backtest_json_is_consistent(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(NAMES, start=START, end=END, json=True)

    document = printed_json(capsys)
    growth = 1.0
    for row in document["equity"][1:]:
        growth *= 1 + row["return"]
    assert document["sessions"] == len(document["equity"]) - 1 == len(document["decisions"]) == 20
    assert growth - 1 == pytest.approx(document["statistics"]["strategy"]["total_return"], abs=1e-12)
    assert float(document["equity"][-1]["equity"]) == pytest.approx(100000 * growth)
    assert document["trade_count"] == len(document["trades"]) > 0
    explained = [document["statistics"]["SPY"], document["relative"], document["distribution"]["SPY"]]
    assert set(document["definitions"]) == {name for figures in explained for name in figures} | {"turnover"}


def test_run_backtest_json_is_indented_and_sorted(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(["all-weather"], start=START, end=END, json=True)

    printed = capsys.readouterr().out
    assert printed == json.dumps(json.loads(printed), indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize("was_enabled", [True, False])
def test_run_backtest_leaves_collector_as_it_was(was_enabled: bool) -> None:
    (gc.enable if was_enabled else gc.disable)()
    try:
        run_backtest(["all-weather"], start=START, end=END)
        after_success = gc.isenabled()
        with pytest.raises(UsageError):
            run_backtest(["no-such-thing"])
        after_failure = gc.isenabled()
    finally:
        gc.enable()

    assert (after_success, after_failure) == (was_enabled, was_enabled)


def test_run_backtest_whole_book_covers_all_decidable_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest((), json=True)

    document = printed_json(capsys)
    assert document["start"] <= "2021-01-05"
    assert document["end"] == "2022-12-28"
    assert sum(float(strategy["allocation"]) for strategy in document["strategies"]) == pytest.approx(1)


def test_run_backtest_file_on_own_bars_covers_all_sessions(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest([str(own / "mine.clj")], bars=str(own), json=True)

    document = printed_json(capsys)
    assert (document["start"], document["end"]) == (str(sessions(6)[5]), str(sessions(40)[39]))
    assert document["equity"][0]["date"] == str(sessions(5)[4])


def test_run_backtest_without_benchmark_says_so(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "SPY.csv").unlink()

    run_backtest([str(own / "mine.clj")], bars=str(own))

    printed = capsys.readouterr().out
    assert "no comparison with SPY: it has no bar for 2021-01-11 and 34 more sessions" in printed


def test_run_backtest_unusable_benchmark_says_why(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "SPY.csv").write_text("date,close\n2021-01-04,-5\n")

    run_backtest([str(own / "mine.clj")], bars=str(own), json=True)

    document = printed_json(capsys)
    assert document["statistics"]["SPY"] is None
    assert document["benchmark_note"].startswith("its bars are not usable: the close of 2021-01-04 is -5")


def spoil(folder: Path, symbol: str, day: str) -> None:
    """Make one bar in the middle of a file unusable."""
    path = folder / f"{symbol}.csv"
    path.write_text(re.sub(rf"^({day}),.*$", r"\1,-1", path.read_text(), flags=re.M))


def test_run_backtest_over_unusable_bar_fails_and_names_it(own: Path) -> None:
    spoil(own, "AAA", "2021-02-01")

    with pytest.raises(CheckFailedError, match=r"AAA: .*the close of 2021-02-01 is -1"):
        run_backtest([str(own / "mine.clj")], bars=str(own))


def test_run_backtest_before_unusable_bar_is_unaffected(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest([str(own / "mine.clj")], bars=str(own), end="2021-01-29", json=True)
    before = printed_json(capsys)
    for symbol in ("AAA", "SPY"):
        spoil(own, symbol, "2021-02-01")

    run_backtest([str(own / "mine.clj")], bars=str(own), end="2021-01-29", json=True)

    assert printed_json(capsys) == before


def test_run_backtest_higher_costs_give_lower_equity(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = []
    for costs_bps in ("0", "25", "100"):
        run_backtest([str(own / "mine.clj")], bars=str(own), costs_bps=costs_bps, json=True)
        ends.append(float(printed_json(capsys)["equity"][-1]["equity"]))

    assert ends == sorted(ends, reverse=True)


def test_run_backtest_later_bars_do_not_change_earlier_days(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    last = sessions(30)[29]
    run_backtest([str(own / "mine.clj")], bars=str(own), json=True)
    whole = printed_json(capsys)
    run_backtest([str(own / "mine.clj")], bars=str(own), end=str(last), json=True)

    part = printed_json(capsys)
    assert whole["equity"][: len(part["equity"])] == part["equity"]
    assert whole["decisions"][: len(part["decisions"])] == part["decisions"]


def test_run_backtest_one_day_has_undefined_ratios(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = str(sessions(20)[19])

    run_backtest([str(own / "mine.clj")], bars=str(own), start=day, end=day)

    assert "not defined" in capsys.readouterr().out


def test_run_backtest_tiny_capital_makes_no_trades(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(["all-weather"], start=START, end=START, capital="1")

    printed = capsys.readouterr().out
    assert "0 trades\n" in printed
    assert "There were no drawdowns." in printed


def test_run_backtest_with_page_prints_its_path(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = own / "pages" / "mine.html"

    run_backtest([str(own / "mine.clj")], bars=str(own), html=str(page))

    assert str(page) in capsys.readouterr().out
    assert page.read_text().startswith("<!doctype html>")


def test_run_backtest_with_refused_trades_prints_the_last(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{day},{10 if at % 2 else 20}" for at, day in enumerate(sessions(40))]
    (own / "AAA.csv").write_text("\n".join(["date,close", *rows]))

    run_backtest([str(own / "mine.clj")], bars=str(own))

    assert "refused, the last on 2021-02-26: BUY AAA: limit price distance" in capsys.readouterr().out


def test_run_backtest_compared_with_its_own_json_has_no_difference(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strategy, old = str(own / "mine.clj"), own / "old.json"
    run_backtest([strategy], bars=str(own), json=True)
    old.write_text(capsys.readouterr().out)

    run_backtest([strategy], bars=str(own), json=True, compare=str(old))

    compared = printed_json(capsys)["comparison"]
    assert compared["with"] == "old.json"
    assert compared["statistics"]["this"] == compared["statistics"]["other"]
    assert (compared["same_sessions"], compared["sessions_with_different_weights"]) == (True, 0)


def test_run_backtest_compared_with_other_strategies(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (own / "other.clj").write_text(file_of(asset("BBB")))

    run_backtest([str(own / "mine.clj")], bars=str(own), json=True, compare=f"{own / 'other.clj'}")

    compared = printed_json(capsys)["comparison"]
    run_backtest([str(own / "other.clj")], bars=str(own), json=True, start=compared["start"], end=compared["end"])
    assert compared["statistics"]["other"] == pytest.approx(printed_json(capsys)["statistics"]["strategy"])
    assert compared["with"] == str(own / "other.clj")


def test_run_backtest_with_every_option_prints_every_section(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trades = own / "trades.csv"

    run_backtest(
        [str(own / "mine.clj")],
        bars=str(own),
        split="2021-02-01",
        compare=str(own / "mine.clj"),
        csv=str(trades),
        robustness=True,
    )

    printed = capsys.readouterr().out
    for text in (
        "Split: in sample 15 sessions, out of sample 20 sessions from 2021-02-01 on",
        f"Comparison: with {own / 'mine.clj'} over 35 sessions from 2021-01-11 to 2021-02-26",
        "The target weights are the same on every session.",
        "Robustness: ",
        "Start: ",
        "Costs: ",
        "Later starts",
        "20 bp",
        "Profit per symbol",
        "Yearly returns",
        "Expected shortfall",
        f"trades  {trades}",
    ):
        assert text in printed
    assert "Profit per strategy" not in printed
    assert trades.read_text().startswith("date,symbol,side,")


def test_run_backtest_json_holds_every_analysis(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest([str(own / "mine.clj")], bars=str(own), json=True, split="2021-02-01", robustness=True)

    document = printed_json(capsys)
    profit = float(document["equity"][-1]["equity"]) - 100000
    for kind in ("symbols", "strategies"):
        total = sum(float(row["profit"]) for row in document["contributions"][kind])
        assert total == pytest.approx(profit, abs=1e-6)
    assert [variant["costs_bps"] for variant in document["robustness"]["costs"]["variants"]] == [0, 1, 2, 5, 10, 15, 20]
    assert [variant["sessions_later"] for variant in document["robustness"]["starts"]["variants"]] == [*range(6)]
    assert document["split"]["sessions"] == {"in_sample": 15, "out_of_sample": 20}
    assert document["rolling"] == {"window": 126, "dates": [], "sharpe": [], "volatility": [], "beta": []}
    assert document["yearly"]["strategy"][0]["total_return"] == pytest.approx(profit / 100000)
    assert len(document["drawdowns"]) > 0
    assert document["comparison"] is None


def test_run_backtest_long_period_has_rolling_figures(capsys: pytest.CaptureFixture[str]) -> None:
    run_backtest(["all-weather"], start="2021-01-04", end="2021-12-31", json=True)

    rolling = printed_json(capsys)["rolling"]
    assert {len(rolling[name]) for name in ("dates", "sharpe", "volatility", "beta")} == {252 - 126 + 1}
    assert (rolling["dates"][0], rolling["dates"][-1]) == ("2021-07-02", "2021-12-31")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "2022-03-16"}, "--split 2022-03-16 leaves no session on one side"),
        ({"split": "soon"}, "--split 'soon' is not a date"),
        ({"csv": "trades.txt"}, "--csv 'trades.txt' does not end in .csv"),
        ({"compare": "no-such-thing"}, "no strategy or file 'no-such-thing'"),
        ({"compare": "nowhere.json"}, "nowhere.json"),
        ({"robustness": True}, "--robustness needs at least 30 sessions, the backtest has 20"),
        ({"start": "yesterday"}, "--start 'yesterday' is not a date; write it like 2021-01-04"),
        ({"end": "20220316"}, "--end '20220316' is not a date"),
        ({"end": "2022-02-30"}, "--end '2022-02-30' is not a date"),
        ({"start": "2022-04-12", "end": "2022-03-16"}, "--start 2022-04-12 is after --end 2022-03-16"),
        ({"start": "2022-03-19", "end": "2022-03-20"}, "there is no session from 2022-03-19 to 2022-03-20"),
        ({"end": "2030-01-02"}, "--end 2030-01-02 is after the last bar, 2023-12-29"),
        ({"capital": "much"}, "--capital 'much' is not a valid amount"),
        ({"capital": "-5"}, "--capital '-5' is not a valid amount"),
        ({"capital": "nan"}, "--capital 'nan' is not a valid amount"),
        ({"capital": "100.001"}, "--capital '100.001' is not a valid amount"),
        ({"costs_bps": "-1"}, "--costs-bps must be a number from 0 to 1000 (basis points per side), got '-1'"),
        ({"costs_bps": "1001"}, "got '1001'"),
        ({"costs_bps": "x"}, "got 'x'"),
        ({"html": "dip-buyer"}, "--html 'dip-buyer' does not end in .html; give the path of a page"),
        ({"bars": "nowhere"}, "nowhere"),
    ],
)
def test_run_backtest_invalid_option_raises(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        run_backtest(["all-weather"], **{"start": START, "end": END, **options})

    assert message in str(refused.value)


def test_run_backtest_unknown_strategy_lists_names() -> None:
    with pytest.raises(UsageError, match=r"'no-such-thing'; the strategies of the book are: .*all-weather"):
        run_backtest(["no-such-thing"])


def test_run_backtest_undecidable_start_names_symbol_and_bars() -> None:
    with pytest.raises(CheckFailedError, match=r"SPY: 41 bars through 2020-03-02, 200 needed .*omit --start") as failed:
        run_backtest(["trend-shield"], start="2020-03-03")

    assert failed.value.exit_code == 3


def test_run_backtest_end_without_bars_names_symbol() -> None:
    with pytest.raises(CheckFailedError, match=r"USMV: .*2022-12-28"):
        run_backtest(["all-weather"], end="2023-03-01")


def test_run_backtest_unparsable_file_shows_position(own: Path) -> None:
    (own / "mine.clj").write_text('(defsymphony "x" {:rebalance-frequency :daily} (asset')

    with pytest.raises(CheckFailedError, match=r"mine\.clj:1:"):
        run_backtest([str(own / "mine.clj")], bars=str(own))
