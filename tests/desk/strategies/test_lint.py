"""Every lint rule finds a planted fault."""

import pytest

from desk.strategies.lint import Issue, lint
from tests.desk.strategies.files import SPY, TLT, symphony
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.tree import Place

RSI = '(rsi "QQQ" {:window 10})'


def lint_body(body: str) -> tuple[Issue, ...]:
    return lint(parse(symphony(body)))


@pytest.mark.parametrize(
    ("body", "rule", "problem"),
    [
        (f"(if (> 2 1) [{SPY}] [{TLT}])", "constant-condition", "(2 > 1) always holds; its else branch is dead"),
        (
            f"(if (> {RSI} 100) [{SPY}] [{TLT}])",
            "constant-condition",
            "(rsi QQQ 10 > 100) never holds, because rsi QQQ 10 is at least 0 and at most 100; its then branch is dead",
        ),
        (f"(if (> {RSI} 30) [{SPY}] [{SPY}])", "same-branches", "both branches of (rsi QQQ 10 > 30) are the same"),
        (
            f"(if (all (> {RSI} 80) (< {RSI} 20)) [{SPY}] [{TLT}])",
            "constant-condition",
            "(all of (rsi QQQ 10 > 80, rsi QQQ 10 < 20)) never holds; its then branch is dead",
        ),
        (f"(weight-equal [(empty) {SPY} (empty)])", "duplicate-part", "(empty) is in this block 2 times"),
        ('(group "G" [(empty)])', "only-cash", "the strategy has no asset: it always holds only cash"),
        (f"(weight-specified 1 {SPY} 0 {TLT})", "zero-weight", "child 2 of weight-specified has weight 0"),
        (
            f"(weight-specified 0.3333333 {SPY} 0.6666666 {TLT})",
            "inexact-weights",
            "weights sum to 0.9999999, not exactly 1",
        ),
        (f'(weight-equal [{SPY} (asset "SPY" "S&P")])', "duplicate-asset", "SPY is in this block 2 times"),
        (f"(filter (rsi {{:window 5}}) (select-top 1) [{SPY} {SPY}])", "duplicate-asset", "SPY is in this block 2"),
        (f"(weight-specified 0.5 {SPY} 0.5 {SPY})", "duplicate-asset", "SPY is in this block 2 times"),
        (
            f'(weight-equal [(group "G" [{SPY}]) (group "G" [{SPY}])])',
            "duplicate-part",
            'group "G" (line 2, column 18) is in this block 2 times',
        ),
        (
            f"(weight-equal [(weight-specified 1 {SPY}) (weight-specified 1 {SPY})])",
            "duplicate-part",
            "the weight-specified at line 2, column 18 is in this block 2 times",
        ),
        (
            f"(filter (rsi {{:window 5}}) (select-bottom 2) [{SPY} {TLT}])",
            "select-all",
            "select-bottom 2 of 2 candidates selects all and ranks nothing",
        ),
        (f"(filter (rsi {{:window 5}}) (select-top 1) [{SPY}])", "single-candidate", "has one candidate"),
        (f"(weight-inverse-volatility 5 [{SPY}])", "single-candidate", "has one child"),
    ],
)
def test_lint_planted_fault_is_found_at_its_place(body: str, rule: str, problem: str) -> None:
    (issue,) = lint_body(body)

    assert (issue.rule, issue.place, issue.is_error) == (rule, Place(2, 3), False)
    assert problem in issue.problem
    assert issue.fix


def test_lint_condition_contradicted_by_outer_one_names_both_places() -> None:
    (issue,) = lint_body(f"(if (> {RSI} 79)\n    [{SPY}]\n    [(if (> {RSI} 80)\n       [{TLT}]\n       [{SPY}])])")

    assert (issue.rule, issue.place) == ("dead-branch", Place(4, 6))
    assert issue.problem == (
        "(rsi QQQ 10 > 80) never holds here: rsi QQQ 10 is at least 0 and at most 79 "
        "by the condition at line 2, column 3; its then branch is dead"
    )
    assert issue.fix == "keep only the else branch, or correct the condition"


def test_lint_weights_that_sum_to_one_as_decimals_pass() -> None:
    parts = " ".join(f'0.1 (asset "S{number}" nil)' for number in range(10))

    assert lint_body(f"(weight-specified {parts})") == ()


def test_lint_issues_are_in_the_order_of_the_file() -> None:
    issues = lint_body(f"(weight-equal [\n (filter (rsi {{:window 5}}) (select-top 3) [{SPY} {TLT}])\n {SPY} {SPY}])")

    assert [issue.rule for issue in issues] == ["duplicate-asset", "select-all"]


@pytest.mark.parametrize("entry", load_book().entries, ids=lambda entry: entry.name)
def test_lint_shipped_strategies_have_no_issue(entry: object) -> None:
    assert lint(entry.symphony) == ()  # type: ignore[attr-defined]  # an entry of the book
