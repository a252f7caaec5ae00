"""The weights of a day and why, as the tasks print them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.strategies.evaluating import Question, plain, show_path, show_weights
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


def weights_of(question: Question, capsys: Out) -> Any:
    show_weights(question, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_show_weights_of_a_file_on_own_bars_as_json(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, f"(weight-specified 0.25 {SPY} 0.75 {TLT})")

    told = weights_of(Question([str(path)], DAY, bars), capsys)
    assert told["weights"] == {"SPY": "0.25", "TLT": "0.75"}
    assert (told["strategy"], told["as_of"], told["decided_on"]) == ("S", DAY, DAY)
    assert told["columns"] == {"SPY": "close", "TLT": "close"}
    assert len(told["bars_digest"]) == 64
    assert "inception" not in told


def test_show_weights_does_not_look_beyond_the_day(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, SWITCH)
    cut = bars_folder(tmp_path / "cut", {})
    for file in Path(bars).iterdir():
        lines = file.read_text().splitlines()
        (cut / file.name).write_text("\n".join(lines[: lines.index(next(line for line in lines if DAY in line)) + 1]))

    assert {**weights_of(Question([str(path)], DAY, bars), capsys)} == weights_of(
        Question([str(path)], DAY, str(cut)), capsys
    )


def test_show_weights_of_the_book_on_the_bundled_prices(capsys: Out) -> None:
    show_weights(Question(["trend-shield"], "2022-03-15"), as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "trend-shield at the close of 2022-03-15, on the bundled prices"
    assert lines[2].split() == ["GLD", "1", "178.88999939"]


def test_show_weights_between_decisions_says_since_when(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, f"(weight-equal [{SPY} {TLT}])", rebalance=":rebalance-frequency :monthly")

    show_weights(Question([str(path)], DAY, bars), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"S at the close of {DAY}, on {bars} (close)"
    assert lines[1] == "decided on 2022-03-01 (monthly), drifted since"


@pytest.mark.parametrize(("inception", "begins"), [("", "2022-01-13"), ("2022-02-01", "2022-02-01")])
def test_show_weights_of_a_threshold_tells_where_it_begins(
    tmp_path: Path, bars: str, capsys: Out, inception: str, begins: str
) -> None:
    path = str(strategy_file(tmp_path, f"(weight-equal [{RANKED} {TLT}])", rebalance=THRESHOLD))
    question = Question([path], DAY, bars, inception=inception)

    assert weights_of(question, capsys)["inception"] == begins
    show_weights(question, as_json=False)
    assert f"simulated from its inception, {begins}" in capsys.readouterr().out


def test_show_weights_options_change_the_conventions(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = str(strategy_file(tmp_path, f'(if (= (rsi "SPY" {{:window 2}}) 100) [{SPY}] [{TLT}])'))

    assert weights_of(Question([path], DAY, bars), capsys)["weights"] == {"TLT": "1"}
    assert weights_of(Question([path], DAY, bars, rsi="cutler", ddof="0"), capsys)["weights"] == {"SPY": "1"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": []}, "expected one strategy: inv strategies.evaluate NAME|FILE …; found 0"),
        ({"names": ["pulse", "dip-buyer"]}, "found 2"),
        ({"names": ["nope"]}, "no strategy 'nope' in the book; it has trend-shield, "),
        ({"names": ["gone.clj"]}, "there is no file gone.clj"),
        ({"date": ""}, "--date is missing; expected --date YYYY-MM-DD"),
        ({"date": "soon"}, "--date soon: no date"),
        ({"date": "2022-03-19"}, "--date 2022-03-19 is no session of these bars: the last before it is 2022-03-18"),
        ({"date": "1980-01-02"}, "there is none before it, the first after it 1990-01-02"),
        ({"date": "2030-01-02"}, "the last before it is 2023-12-29, none after it"),
        ({"bars": "gone"}, "gone: no such folder"),
        ({"rsi": "mine"}, "--rsi mine: expected wilder or cutler"),
        ({"ddof": "2"}, "--ddof 2: expected 0 or 1"),
        ({"inception": "then"}, "--inception then: no date"),
    ],
)
def test_show_weights_question_that_is_not_understood_is_a_usage_error(change: dict[str, Any], said: str) -> None:
    question = Question(**{"names": ["last-years-dogs"], "date": "2022-03-15", **change})

    with pytest.raises(UsageError) as caught:
        show_weights(question, as_json=False)
    assert said in str(caught.value)


@pytest.mark.parametrize("points", ["-1", "much", "nan", "inf"])
def test_show_path_fragile_that_is_no_distance_is_a_usage_error(points: str) -> None:
    with pytest.raises(UsageError, match=f"--fragile {points}: expected points"):
        show_path(Question(["pulse"], "2022-03-15", fragile=points), as_json=False)


def test_show_weights_file_that_does_not_parse_shows_the_place(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, "(weight-equal [])")

    with pytest.raises(CheckFailedError) as caught:
        show_weights(Question([str(path)], DAY), as_json=False)
    assert str(caught.value) == f"{path}:2:17: found an empty block, expected at least one node"
    assert capsys.readouterr().out.splitlines()[1] == "                  ^"


def test_show_weights_file_that_does_not_parse_is_told_to_programs(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, "(weight-equal [])")

    with pytest.raises(CheckFailedError):
        show_weights(Question([str(path)], DAY), as_json=True)
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["kind"], error["file"], error["line"], error["column"]) == ("SymphonyError", str(path), 2, 17)


def test_show_weights_too_little_history_names_symbol_bars_present_and_needed(
    tmp_path: Path, bars: str, capsys: Out
) -> None:
    path = strategy_file(tmp_path, SWITCH.replace("20", "200"))

    with pytest.raises(CheckFailedError, match=r"mine\.clj: SPY: 75 bars through 2022-03-18, 200 needed"):
        show_weights(Question([str(path)], DAY, bars), as_json=True)
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["symbol"], error["bars_present"], error["bars_needed"]) == ("SPY", 75, 200)


def test_show_weights_price_that_is_none_matters_when_it_is_needed(tmp_path: Path, bars: str, capsys: Out) -> None:
    broken = Path(bars) / "TLT.csv"
    broken.write_text(broken.read_text().replace("2022-02-01,", "2022-02-01,nan"))
    held = strategy_file(tmp_path, f"(weight-equal [{SPY} {TLT}])", name="held.clj")
    spared = strategy_file(tmp_path, f'(if (> (current-price "SPY") 1) [{SPY}] [{TLT}])', name="spared.clj")

    with pytest.raises(CheckFailedError, match=r"TLT: .*not usable \(the close of 2022-02-01 is nan\)"):
        show_weights(Question([str(held)], DAY, bars), as_json=False)
    assert weights_of(Question([str(spared)], DAY, bars), capsys)["weights"] == {"SPY": "1"}


def test_show_weights_symbol_without_a_file_is_named_when_it_is_needed(tmp_path: Path, bars: str) -> None:
    path = strategy_file(tmp_path, '(asset "NOPE" nil)')

    with pytest.raises(CheckFailedError, match="NOPE: 0 bars"):
        show_weights(Question([str(path)], DAY, bars), as_json=False)


def test_show_path_tells_each_decision_with_place_margin_and_weights(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, SWITCH)

    show_path(Question([str(path)], DAY, bars), as_json=False)
    told = capsys.readouterr().out
    assert "2:3" in told
    assert "current-price SPY is 107.4, which is above moving-average-price SPY 20 (106.15)." in told
    assert "1 decision, none fragile" in told
    assert told.splitlines()[-2].split()[:2] == ["SPY", "1"]


def test_show_path_margin_below_the_distance_is_marked(tmp_path: Path, bars: str, capsys: Out) -> None:
    path = strategy_file(tmp_path, SWITCH)

    show_path(Question([str(path)], DAY, bars, fragile="5"), as_json=False)
    told = capsys.readouterr().out
    assert "fragile" in next(line for line in told.splitlines() if line.startswith("2:3"))
    assert "1 decision, 1 of them fragile" in told


def test_show_path_of_fixed_weights_had_nothing_to_decide(tmp_path: Path, bars: str, capsys: Out) -> None:
    show_path(Question([str(strategy_file(tmp_path, SPY))], DAY, bars), as_json=False)

    assert "There was nothing to decide: its weights are fixed." in capsys.readouterr().out


def test_show_path_as_json_has_the_steps_with_both_values_margin_and_branch(
    tmp_path: Path, bars: str, capsys: Out
) -> None:
    show_path(Question([str(strategy_file(tmp_path, SWITCH))], DAY, bars), as_json=True)

    told = json.loads(capsys.readouterr().out)
    (step,) = told["path"]["steps"]
    assert step["left"] == {"of": "current-price SPY", "value": 107.4}
    assert step["right"]["of"] == "moving-average-price SPY 20"
    assert (step["branch"], step["line"], step["column"], step["fragile"]) == ("then", 2, 3, False)
    assert told["weights"] == {"SPY": "1"}


@pytest.mark.parametrize(
    ("number", "text"), [("0.500000000", "0.5"), ("1.000000000", "1"), ("0.000000001", "0.000000001")]
)
def test_plain_number_has_neither_zeros_nor_exponent(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
