"""The weights of a day and their explanation are printed as text or JSON."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.strategies.evaluating import EvaluationRequest, format_plain, show_path, show_weights
from tests.desk.strategies.files import SPY, TLT, bars_folder, rising, strategy_file

Out = pytest.CaptureFixture[str]
DAY = "2022-03-18"
SWITCH = f'(if (> (current-price "SPY") (moving-average-price "SPY" {{:window 20}})) [{SPY}] [{TLT}])'
RANKED = f"(filter (cumulative-return {{:window 10}}) (select-top 1) [{SPY} {TLT}])"
THRESHOLD = ":rebalance-threshold 0.05"


@pytest.fixture
def bars(tmp_path: Path) -> str:
    falling = list(reversed(rising()))
    return str(bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": falling}))


def weights_of(request: EvaluationRequest, capsys: Out) -> Any:
    show_weights(request, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_show_weights_of_file_as_json_prints_weights_and_bars(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, f"(weight-specified 0.25 {SPY} 0.75 {TLT})")

    document = weights_of(EvaluationRequest([str(path)], DAY, bars), capsys)
    assert document["weights"] == {"SPY": "0.25", "TLT": "0.75"}
    assert (document["strategy"], document["as_of"], document["decided_on"]) == ("S", DAY, DAY)
    assert document["columns"] == {"SPY": "close", "TLT": "close"}
    assert len(document["bars_digest"]) == 64
    assert "inception" not in document


def test_show_weights_ignores_bars_after_the_day(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, SWITCH)
    cut = bars_folder(tmp_path / "cut", {})
    for file in Path(bars).iterdir():
        lines = file.read_text().splitlines()
        (cut / file.name).write_text("\n".join(lines[: lines.index(next(line for line in lines if DAY in line)) + 1]))

    assert {**weights_of(EvaluationRequest([str(path)], DAY, bars), capsys)} == weights_of(
        EvaluationRequest([str(path)], DAY, str(cut)), capsys
    )


def test_show_weights_of_the_book_uses_the_bundled_prices(capsys: Out) -> None:
    show_weights(EvaluationRequest(["trend-shield"], "2022-03-15"), as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "trend-shield at the close of 2022-03-15, on the bundled prices"
    assert lines[2].split() == ["GLD", "1", "178.88999939"]


def test_show_weights_prints_what_stays_in_cash(tmp_path: Path, bars: str, capsys: Out) -> None:
    request = EvaluationRequest([str(strategy_file(tmp_path, f"(weight-equal [{SPY} (empty)])"))], DAY, bars)

    assert (weights_of(request, capsys)["weights"], weights_of(request, capsys)["cash"]) == ({"SPY": "0.5"}, "0.5")
    show_weights(request, as_json=False)
    assert "in cash 0.5" in capsys.readouterr().out.splitlines()


def test_show_weights_of_only_cash_prints_no_table(tmp_path: Path, bars: str, capsys: Out) -> None:
    request = EvaluationRequest([str(strategy_file(tmp_path, "(empty)"))], DAY, bars)

    assert (weights_of(request, capsys)["weights"], weights_of(request, capsys)["cash"]) == ({}, "1")
    show_weights(request, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "in cash 1"


def test_show_weights_without_cash_does_not_mention_it(tmp_path: Path, bars: str, capsys: Out) -> None:
    request = EvaluationRequest([str(strategy_file(tmp_path, SPY))], DAY, bars)

    assert weights_of(request, capsys)["cash"] == "0"
    show_weights(request, as_json=False)
    assert "in cash" not in capsys.readouterr().out


def test_show_path_of_a_compound_condition_lists_its_parts(tmp_path: Path, bars: str, capsys: Out) -> None:
    body = f'(if (any (> 1 (current-price "SPY")) (> (current-price "SPY") 1)) [{SPY}] [{TLT}])'
    request = EvaluationRequest([str(strategy_file(tmp_path, body))], DAY, bars)

    show_path(request, as_json=False)

    text = " ".join(capsys.readouterr().out.split())
    assert "At least one of these must hold: 1 is 1, which is not above current-price SPY (107.4) [false" in text


def test_show_weights_between_decisions_prints_the_decision_date(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, f"(weight-equal [{SPY} {TLT}])", rebalance=":rebalance-frequency :monthly")

    show_weights(EvaluationRequest([str(path)], DAY, bars), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"S at the close of {DAY}, on {bars} (close)"
    assert lines[1] == "decided on 2022-03-01 (monthly), drifted since"


@pytest.mark.parametrize(("inception", "begins"), [("", "2022-01-13"), ("2022-02-01", "2022-02-01")])
def test_show_weights_of_threshold_prints_its_inception(
    tmp_path: Path, bars: str, capsys: Out, inception: str, begins: str
) -> None:
    path = str(strategy_file(tmp_path, f"(weight-equal [{RANKED} {TLT}])", rebalance=THRESHOLD))
    request = EvaluationRequest([path], DAY, bars, inception=inception)

    assert weights_of(request, capsys)["inception"] == begins
    show_weights(request, as_json=False)
    assert f"simulated from its inception, {begins}" in capsys.readouterr().out


def test_show_weights_options_change_the_result(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = str(strategy_file(tmp_path, f'(if (= (rsi "SPY" {{:window 2}}) 100) [{SPY}] [{TLT}])'))

    assert weights_of(EvaluationRequest([path], DAY, bars), capsys)["weights"] == {"TLT": "1"}
    assert weights_of(EvaluationRequest([path], DAY, bars, rsi="cutler", ddof="0"), capsys)["weights"] == {"SPY": "1"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": []}, "expected one strategy, got 0; run inv strategies.evaluate NAME|FILE …"),
        ({"names": ["pulse", "dip-buyer"]}, "expected one strategy, got 2"),
        ({"names": ["nope"]}, "no strategy 'nope' in the book; known strategies: trend-shield, "),
        ({"names": ["missing.clj"]}, "no such file: missing.clj"),
        ({"date": ""}, "--date is missing; pass --date YYYY-MM-DD"),
        ({"date": "soon"}, "--date soon is not a date; pass --date YYYY-MM-DD"),
        (
            {"date": "2022-03-19"},
            "got 2022-03-19; the previous one is 2022-03-18, the next one is 2022-03-21",
        ),
        ({"date": "1980-01-02"}, "got 1980-01-02; the next one is 1990-01-02"),
        ({"date": "2030-01-02"}, "got 2030-01-02; the previous one is 2023-12-29"),
        ({"bars": "missing"}, "missing: no such folder"),
        ({"rsi": "mine"}, "--rsi must be wilder or cutler, got mine"),
        ({"ddof": "2"}, "--ddof must be 0 or 1, got 2"),
        ({"inception": "then"}, "--inception then is not a date"),
    ],
)
def test_show_weights_invalid_option_is_a_usage_error(change: dict[str, Any], message: str) -> None:
    request = EvaluationRequest(**{"names": ["last-years-dogs"], "date": "2022-03-15", **change})

    with pytest.raises(UsageError) as caught:
        show_weights(request, as_json=False)
    assert message in str(caught.value)


@pytest.mark.parametrize("points", ["-1", "much", "nan", "inf"])
def test_show_path_invalid_fragile_is_a_usage_error(points: str) -> None:
    with pytest.raises(UsageError, match=f"--fragile must be 0 or more points, got {points}"):
        show_path(EvaluationRequest(["pulse"], "2022-03-15", fragile=points), as_json=False)


def test_show_weights_syntax_error_prints_the_excerpt(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, "(weight-equal [])")

    with pytest.raises(CheckFailedError) as caught:
        show_weights(EvaluationRequest([str(path)], DAY), as_json=False)
    assert str(caught.value) == f"{path}:2:17: found an empty block, expected at least one node"
    assert capsys.readouterr().out.splitlines()[1] == "                  ^"


def test_show_weights_syntax_error_as_json_has_its_place(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, "(weight-equal [])")

    with pytest.raises(CheckFailedError):
        show_weights(EvaluationRequest([str(path)], DAY), as_json=True)
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["kind"], error["file"], error["line"], error["column"]) == ("SymphonyError", str(path), 2, 17)
    assert "next" not in error


def test_show_weights_of_json_names_the_command_that_converts_it(tmp_path: Path, capsys: Out) -> None:
    path = tmp_path / "export.json"
    path.write_text('{"step": "root"}')
    command = f"if it is an export of Composer, run inv strategies.import {path}"

    with pytest.raises(CheckFailedError) as caught:
        show_weights(EvaluationRequest([str(path)], DAY), as_json=True)
    assert str(caught.value) == f"{path}:1:1: found JSON, expected (defsymphony …); {command}"
    assert json.loads(capsys.readouterr().out)["error"]["next"] == command


def test_show_weights_short_history_names_symbol_and_bar_counts(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, SWITCH.replace("20", "200"))

    with pytest.raises(CheckFailedError, match=r"mine\.clj: SPY: 75 bars through 2022-03-18, 200 needed"):
        show_weights(EvaluationRequest([str(path)], DAY, bars), as_json=True)
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["symbol"], error["bars_present"], error["bars_needed"]) == ("SPY", 75, 200)


def test_show_weights_unusable_bars_fail_only_if_needed(tmp_path: Path, bars: str, capsys: Out) -> None:
    broken = Path(bars) / "TLT.csv"
    broken.write_text(broken.read_text().replace("2022-02-01,", "2022-02-01,nan"))
    held = strategy_file(tmp_path, f"(weight-equal [{SPY} {TLT}])", name="held.clj")
    spared = strategy_file(tmp_path, f'(if (> (current-price "SPY") 1) [{SPY}] [{TLT}])', name="spared.clj")

    with pytest.raises(CheckFailedError, match=r"TLT: .*not usable \(the close of 2022-02-01 is nan\)"):
        show_weights(EvaluationRequest([str(held)], DAY, bars), as_json=False)
    assert weights_of(EvaluationRequest([str(spared)], DAY, bars), capsys)["weights"] == {"SPY": "1"}


def test_show_weights_symbol_without_bars_is_named(tmp_path: Path, bars: str) -> None:
    path = strategy_file(tmp_path, '(asset "NOPE" nil)')

    with pytest.raises(CheckFailedError, match="NOPE: 0 bars"):
        show_weights(EvaluationRequest([str(path)], DAY, bars), as_json=False)


def test_show_path_prints_each_decision_with_place_and_weights(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, SWITCH)

    show_path(EvaluationRequest([str(path)], DAY, bars), as_json=False)
    printed = capsys.readouterr().out
    assert "2:3" in printed
    assert "current-price SPY is 107.4, which is above moving-average-price SPY 20 (106.15)." in printed
    assert "1 decision, none fragile" in printed
    assert printed.splitlines()[-2].split()[:2] == ["SPY", "1"]


def test_show_path_margin_below_fragile_is_marked(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, SWITCH)

    show_path(EvaluationRequest([str(path)], DAY, bars, fragile="5"), as_json=False)
    printed = capsys.readouterr().out
    assert "fragile" in next(line for line in printed.splitlines() if line.startswith("2:3"))
    assert "1 decision, 1 of them fragile" in printed


def test_show_path_of_fixed_weights_prints_no_decisions(tmp_path: Path, bars: str, capsys: Out) -> None:
    show_path(EvaluationRequest([str(strategy_file(tmp_path, SPY))], DAY, bars), as_json=False)

    assert "No decisions: the weights are fixed." in capsys.readouterr().out


def test_show_path_as_json_has_values_and_branch_of_each_step(tmp_path: Path, bars: str, capsys: Out) -> None:
    show_path(EvaluationRequest([str(strategy_file(tmp_path, SWITCH))], DAY, bars), as_json=True)

    document = json.loads(capsys.readouterr().out)
    (step,) = document["path"]["steps"]
    assert step["left"] == {"of": "current-price SPY", "value": 107.4}
    assert step["right"]["of"] == "moving-average-price SPY 20"
    assert (step["branch"], step["line"], step["column"], step["fragile"]) == ("then", 2, 3, False)
    assert document["weights"] == {"SPY": "1"}


@pytest.mark.parametrize(
    ("number", "text"), [("0.500000000", "0.5"), ("1.000000000", "1"), ("0.000000001", "0.000000001")]
)
def test_format_plain_has_neither_zeros_nor_exponent(number: str, text: str) -> None:
    assert format_plain(Decimal(number)) == text
