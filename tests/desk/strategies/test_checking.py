"""Books and files are checked, and the report prints every issue."""

import json
from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, UsageError
from desk.strategies.check_report import check_strategies, print_report, require_no_issues
from desk.strategies.checking import CheckResult, StrategyFile, check_book, check_file, check_files
from tests.desk.strategies.files import BOOK, SPY, TLT, bars_folder, book_folder, rising, strategy_file
from the_alchemiser.shared.symphony.options import StrategyOptions

Out = pytest.CaptureFixture[str]


def quiet(_name: str) -> None:
    """Ignore progress."""


def rules(result: CheckResult) -> list[str]:
    return [issue.rule for issue in result.issues]


@pytest.mark.parametrize(
    ("body", "line", "column", "problem"),
    [
        ('(weight-equal [(asset "SPY" nil))', 2, 35, "found ), expected ]"),
        (f"(weight-evenly [{SPY}])", 2, 4, "found weight-evenly"),
        (f'(if (> (rsi "SPY" {{:window 0}}) 30) [{SPY}] [{TLT}])', 2, 30, "found :window 0"),
        (f'(if (> (rsi "SPY" {{:window -3}}) 30) [{SPY}] [{TLT}])', 2, 30, "found :window -3"),
        (f'(if (> (rsi "SPY") 30) [{SPY}] [{TLT}])', 2, 10, "found 1 argument"),
        (f"(weight-specified 0.5 {SPY} 0.4 {TLT})", 2, 3, "found weights that sum to 0.9"),
        (f"(filter (rsi {{:window 5}}) (select-top 0) [{SPY} {TLT}])", 2, 41, "found 0"),
        ("(weight-equal [])", 2, 17, "found an empty block"),
        ('(asset "not a symbol" nil)', 2, 10, "not a symbol"),
    ],
)
def test_check_file_syntax_error_has_line_and_column(
    tmp_path: Path, body: str, line: int, column: int, problem: str
) -> None:
    result = check_file(StrategyFile("mine", strategy_file(tmp_path, body)), bars=None)

    (issue,) = result.issues
    assert (issue.rule, issue.is_error, issue.place) == ("syntax", True, (line, column))
    assert problem.lower() in issue.problem.lower()
    assert result.excerpt.endswith("^")


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        (
            "{}",
            "found JSON, expected (defsymphony …)",
            "if it is an export of Composer, run inv strategies.import FILE",
        ),
        ("(asset)", "found 0 arguments, expected 2: (asset SYMBOL NAME|nil)", "correct it there"),
    ],
)
def test_check_file_syntax_error_says_what_to_do(tmp_path: Path, text: str, problem: str, fix: str) -> None:
    path = tmp_path / "mine.clj"
    path.write_text(text)

    (issue,) = check_file(StrategyFile("mine", path), bars=None).issues
    assert (issue.problem, issue.fix) == (problem, fix.replace("FILE", str(path)))


def test_check_file_unreadable_is_an_error(tmp_path: Path) -> None:
    (issue,) = check_file(StrategyFile("mine", tmp_path), bars=None).issues

    assert (issue.rule, issue.is_error) == ("file", True)
    assert "cannot be read" in issue.problem


def test_check_file_window_too_short_for_the_options_is_an_error(tmp_path: Path) -> None:
    path = strategy_file(tmp_path, f"(weight-inverse-volatility 1 [{SPY} {TLT}])")

    assert rules(check_file(StrategyFile("mine", path), bars=None)) == ["window"]
    assert rules(check_file(StrategyFile("mine", path, StrategyOptions(ddof=0)), bars=None)) == []


def test_check_file_with_bars_reports_short_histories(tmp_path: Path) -> None:
    path = strategy_file(tmp_path, f"(weight-inverse-volatility 50 [{SPY} {TLT}])")
    bars = bars_folder(tmp_path / "bars", {"SPY": rising(), "TLT": rising()[:40]})

    result = check_file(StrategyFile("mine", path), bars=str(bars))
    assert [issue.problem for issue in result.issues] == ["TLT: 40 bars present, 51 needed"]
    assert result.has_errors


def test_check_files_without_bars_has_no_coverage(tmp_path: Path) -> None:
    (result,) = check_files([str(strategy_file(tmp_path, '(asset "NOPE" nil)'))], bars="", on_checked=quiet)

    assert result.coverage is None
    assert not result.has_errors


def test_check_files_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such file: .*missing\.clj"):
        check_files([str(tmp_path / "missing.clj")], bars="", on_checked=quiet)


def test_check_book_valid_has_no_issues_and_reports_progress(tmp_path: Path) -> None:
    checked: list[str] = []

    results = check_book(book_folder(tmp_path), bars="", on_checked=checked.append)
    assert [(result.file.name, result.issues) for result in results] == [("calm", ()), ("bold", ())]
    assert checked == ["calm", "bold"]


@pytest.mark.parametrize(
    ("book", "problem"),
    [
        (BOOK.replace("0.6", "0.5"), "allocations sum to 0.9, expected exactly 1"),
        (BOOK.replace("0.6", "0.6000001"), "allocations sum to 1.0000001, expected exactly 1"),
        (BOOK.replace("bold.clj", "missing.clj"), "strategy 2 (bold): file 'missing.clj' is not in"),
        (BOOK.replace('"calm"', '"bold"'), "name 'bold' is used twice"),
        ("[[strategy", "Expected ']]'"),
    ],
)
def test_check_book_invalid_is_an_error_and_still_checks_its_files(tmp_path: Path, book: str, problem: str) -> None:
    folder = book_folder(tmp_path, book, bold="(weight-equal [])")

    of_book, bold, calm = check_book(folder, bars="", on_checked=quiet)
    assert of_book.has_errors
    assert problem in of_book.issues[0].problem
    assert rules(bold) == ["syntax"]
    assert rules(calm) == []


def test_check_book_unlisted_file_is_a_warning(tmp_path: Path) -> None:
    folder = book_folder(tmp_path)
    strategy_file(folder, SPY, name="stray.clj")

    *_, stray = check_book(folder, bars="", on_checked=quiet)
    assert rules(stray) == ["not-in-book"]
    assert not stray.has_errors


def test_check_book_missing_book_is_an_error(tmp_path: Path) -> None:
    (of_book,) = check_book(tmp_path, bars="", on_checked=quiet)

    assert of_book.issues[0].problem == "cannot be read: No such file or directory"


def test_check_book_symbol_without_bundled_prices_is_an_error(tmp_path: Path) -> None:
    calm, _ = check_book(book_folder(tmp_path, calm='(asset "NOPE" nil)'), bars="", on_checked=quiet)

    assert calm.issues[0].problem == "NOPE: 0 bars present, 1 needed; none found in the bundled prices"


def test_check_strategies_shipped_book_passes(capsys: Out) -> None:
    check_strategies((), bars="", strict=True, as_json=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["strategy", "nodes", "symbols"]
    assert lines[1].split()[0] == "trend-shield"


def test_check_strategies_prints_each_issue_with_its_place_and_fails(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, "(weight-equal [])")

    with pytest.raises(CheckFailedError, match="1 error and 0 warnings in 1 file; fix them, then check again"):
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
    report = json.loads(capsys.readouterr().out)
    assert (report["errors"], report["warnings"]) == (1, 0)
    assert report["files"][0] == {
        "name": "good", "file": str(good), "nodes": 1, "bars_needed": {"SPY": 1}, "bars_present": {"SPY": 82},
        "decided_from": "2022-01-03", "decided_to": "2022-03-25",
    }  # fmt: skip
    assert report["findings"] == [
        {
            "file": str(bad), "line": 2, "column": 17, "severity": "error", "rule": "syntax",
            "what": "found an empty block, expected at least one node", "next": "correct it there",
        }
    ]  # fmt: skip


def test_print_report_undecidable_strategy_prints_never(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, f"(weight-inverse-volatility 50 [{SPY} {TLT}])")
    bars = bars_folder(tmp_path / "bars", {"SPY": rising()[:40], "TLT": rising()[:40]})

    print_report([check_file(StrategyFile("mine", path), bars=str(bars))])
    assert capsys.readouterr().out.splitlines()[-1].split() == [
        "mine", "3", "2", "51", "never", "2022-03-25", "2", "0",
    ]  # fmt: skip


def test_print_report_of_nothing_but_cash_needs_no_bars(tmp_path: Path, capsys: Out) -> None:
    path = strategy_file(tmp_path, "(empty)")

    print_report([check_file(StrategyFile("mine", path), bars=None)])

    assert capsys.readouterr().out.splitlines()[-1].split() == ["mine", "1", "0", "0", "0", "1"]


def test_require_no_issues_without_results_passes() -> None:
    require_no_issues((), strict=True)
