"""The check of books and files, and what it says."""

import json
from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.strategies.check_report import check_strategies, require, show
from desk.strategies.checking import Checked, Subject, check_book, check_file, check_files
from tests.desk.strategies.files import BOOK, SPY, TLT, bars_folder, book_folder, rising, strategy_file
from the_alchemiser.shared.book import StrategyOptions

Out = pytest.CaptureFixture[str]


def quiet(_name: str) -> None:
    """Nobody watches."""


def rules(checked: Checked) -> list[str]:
    return [issue.rule for issue in checked.issues]


@pytest.mark.parametrize(
    ("body", "line", "column", "what"),
    [
        ('(weight-equal [(asset "SPY" nil))', 2, 35, "found ), expected ]"),
        (f"(weight-evenly [{SPY}])", 2, 4, "found weight-evenly"),
        (f'(if (> (rsi "SPY" {{:window 0}}) 30) [{SPY}] [{TLT}])', 2, 30, "found :window 0"),
        (f'(if (> (rsi "SPY" {{:window -3}}) 30) [{SPY}] [{TLT}])', 2, 30, "found :window -3"),
        (f'(if (> (rsi "SPY") 30) [{SPY}] [{TLT}])', 2, 10, "found 1 arguments"),
        (f"(weight-specified 0.5 {SPY} 0.4 {TLT})", 2, 3, "found weights that sum to 0.9"),
        (f"(filter (rsi {{:window 5}}) (select-top 0) [{SPY} {TLT}])", 2, 41, "found 0"),
        ("(weight-equal [])", 2, 17, "found an empty block"),
        ('(asset "not a symbol" nil)', 2, 10, "not a symbol"),
    ],
)
def test_check_file_that_does_not_parse_names_line_and_column(
    tmp_path: Path, body: str, line: int, column: int, what: str
) -> None:
    checked = check_file(Subject("mine", strategy_file(tmp_path, body)), bars=None)

    (issue,) = checked.issues
    assert (issue.rule, issue.is_error, issue.place) == ("syntax", True, (line, column))
    assert what.lower() in issue.what.lower()
    assert checked.excerpt.endswith("^")


def test_check_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (issue,) = check_file(Subject("mine", tmp_path), bars=None).issues

    assert (issue.rule, issue.is_error) == ("file", True)
    assert "cannot be read" in issue.what


def test_check_file_window_without_meaning_under_the_options_is_an_error(tmp_path: Path) -> None:
    path = strategy_file(tmp_path, f"(weight-inverse-volatility 1 [{SPY} {TLT}])")

    assert rules(check_file(Subject("mine", path), bars=None)) == ["window"]
    assert rules(check_file(Subject("mine", path, StrategyOptions(ddof=0)), bars=None)) == []


def test_check_file_with_bars_tells_what_is_short(tmp_path: Path) -> None:
    path = strategy_file(tmp_path, f"(weight-inverse-volatility 50 [{SPY} {TLT}])")
    bars = bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": rising()[:40]})

    checked = check_file(Subject("mine", path), bars=str(bars))
    assert [issue.what for issue in checked.issues] == ["TLT: 40 bars present, 51 needed"]
    assert checked.has_errors


def test_check_files_without_bars_looks_at_none(tmp_path: Path) -> None:
    (checked,) = check_files([str(strategy_file(tmp_path, '(asset "NOPE" nil)'))], bars="", done=quiet)

    assert checked.coverage is None
    assert not checked.has_errors


def test_check_files_that_are_not_there_are_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file .*gone\.clj"):
        check_files([str(tmp_path / "gone.clj")], bars="", done=quiet)


def test_check_book_of_good_strategies_finds_nothing_and_tells_each_as_done(tmp_path: Path) -> None:
    done: list[str] = []

    checked = check_book(book_folder(tmp_path), bars="", done=done.append)
    assert [(one.subject.name, one.issues) for one in checked] == [("calm", ()), ("bold", ())]
    assert done == ["calm", "bold"]


@pytest.mark.parametrize(
    ("book", "what"),
    [
        (BOOK.replace("0.6", "0.5"), "allocations sum to 0.9, expected exactly 1"),
        (BOOK.replace("0.6", "0.6000001"), "allocations sum to 1.0000001, expected exactly 1"),
        (BOOK.replace("bold.clj", "gone.clj"), "strategy 2 (bold): file 'gone.clj' is not in"),
        (BOOK.replace('"calm"', '"bold"'), "name 'bold' is used twice"),
        ("[[strategy", "Expected ']]'"),
    ],
)
def test_check_book_that_cannot_be_traded_is_an_error_and_its_files_are_checked_still(
    tmp_path: Path, book: str, what: str
) -> None:
    folder = book_folder(tmp_path, book, bold="(weight-equal [])")

    of_book, bold, calm = check_book(folder, bars="", done=quiet)
    assert of_book.has_errors
    assert what in of_book.issues[0].what
    assert rules(bold) == ["syntax"]
    assert rules(calm) == []


def test_check_book_file_beside_it_is_a_warning(tmp_path: Path) -> None:
    folder = book_folder(tmp_path)
    strategy_file(folder, SPY, name="stray.clj")

    *_, stray = check_book(folder, bars="", done=quiet)
    assert rules(stray) == ["not-in-book"]
    assert not stray.has_errors


def test_check_book_without_a_book_is_an_error(tmp_path: Path) -> None:
    (of_book,) = check_book(tmp_path, bars="", done=quiet)

    assert of_book.issues[0].what == "cannot be read: No such file or directory"


def test_check_book_symbol_that_is_not_bundled_is_an_error(tmp_path: Path) -> None:
    calm, _ = check_book(book_folder(tmp_path, calm='(asset "NOPE" nil)'), bars="", done=quiet)

    assert calm.issues[0].what == "NOPE: 0 bars present, 1 needed; the bundled prices has none of it"


def test_check_strategies_of_the_book_that_ships_passes(capsys: Out) -> None:
    check_strategies((), bars="", strict=True, as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["strategy", "nodes", "symbols"]
    assert lines[1].split()[0] == "trend-shield"


def test_check_strategies_prints_each_finding_with_its_place_and_fails(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, "(weight-equal [])")

    with pytest.raises(CheckFailedError, match="1 error and 0 warnings in 1 file; correct them"):
        check_strategies([str(path)], bars="", strict=False, as_json=False)
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"{path}:2:17: error syntax: found an empty block, expected at least one node; correct it there",
        "    (weight-equal []))",
        "                  ^",
    ]


def test_check_strategies_warnings_fail_only_when_strict(tmp_path: Path, capsys: Out) -> None:
    path = str(strategy_file(tmp_path, f"(weight-equal [{SPY} {SPY}])"))

    check_strategies([path], bars="", strict=False, as_json=False)
    assert "warning duplicate-asset: SPY is in this block 2 times" in capsys.readouterr().out
    with pytest.raises(CheckFailedError, match="0 errors and 1 warning"):
        check_strategies([path], bars="", strict=True, as_json=False)


def test_check_strategies_as_json_has_files_and_findings(tmp_path: Path, capsys: Out) -> None:
    good = strategy_file(tmp_path, SPY, name="good.clj")
    bad = strategy_file(tmp_path, "(weight-equal [])", name="bad.clj")
    bars = bars_folder(tmp_path / "bars", {"SPY": rising()})

    with pytest.raises(CheckFailedError):
        check_strategies([str(good), str(bad)], bars=str(bars), strict=False, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["errors"], told["warnings"]) == (1, 0)
    assert told["files"][0] == {
        "name": "good", "file": str(good), "nodes": 1, "bars_needed": {"SPY": 1}, "bars_present": {"SPY": 82},
        "decided_from": "2022-01-03", "decided_to": "2022-03-25",
    }  # fmt: skip
    assert told["findings"] == [
        {
            "file": str(bad), "line": 2, "column": 17, "severity": "error", "rule": "syntax",
            "what": "found an empty block, expected at least one node", "next": "correct it there",
        }
    ]  # fmt: skip


def test_show_strategy_that_is_never_decided_says_so(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, f"(weight-inverse-volatility 50 [{SPY} {TLT}])")
    bars = bars_folder(tmp_path / "bars", {"SPY": rising()[:40], "TLT": rising()[:40]})

    show([check_file(Subject("mine", path), bars=str(bars))])
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        "mine", "3", "2", "51", "never", "2022-03-25", "2", "0",
    ]  # fmt: skip


def test_require_of_nothing_wrong_passes() -> None:
    require((), strict=True)
