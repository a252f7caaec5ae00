"""What `strategies.check` says of what it found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from automation.system import console
from automation.system.errors import CheckFailedError
from desk.strategies.checking import Checked, check_book, check_files
from desk.strategies.lint import Issue
from the_alchemiser.shared import formats
from the_alchemiser.shared.book import STRATEGIES
from the_alchemiser.shared.symphony.tree import NOWHERE

_COLUMNS = ("strategy", "nodes", "symbols", "bars needed", "decided from", "to", "errors", "warnings")


def check_strategies(files: Sequence[str], *, bars: str, strict: bool, as_json: bool) -> None:
    """Print all that is wrong with the book, or with files.

    Args:
        files: none means the book, against the bundled prices when no folder of bars is given.

    Raises:
        UsageError: there is no such file or folder.
        CheckFailedError: there is an error, or with strict a warning.
    """
    total = len(files) or len(list(STRATEGIES.glob("*.clj")))
    with console.steps("checking", total) as done:
        checked = check_files(files, bars=bars, done=done) if files else check_book(STRATEGIES, bars=bars, done=done)
    if as_json:
        console.result_json(_as_json(checked))
    else:
        show(checked)
    require(checked, strict=strict)


def require(checked: Sequence[Checked], *, strict: bool) -> None:
    """Fail when something may not trade.

    Raises:
        CheckFailedError: there is an error, or with strict a warning.
    """
    issues = [issue for one in checked for issue in one.issues]
    errors = sum(issue.is_error for issue in issues)
    warnings = len(issues) - errors
    if errors or (strict and warnings):
        found = f"{formats.plural(errors, 'error')} and {formats.plural(warnings, 'warning')}"
        raise CheckFailedError(f"{found} in {formats.plural(len(checked), 'file')}; correct them, then check again")


def show(checked: Sequence[Checked]) -> None:
    """Print each finding in a line, then a table of the files."""
    for one in checked:
        for issue in one.issues:
            console.results(_lines(one, issue))
    console.table(_COLUMNS, map(_row, checked), right=("nodes", "symbols", "bars needed", "errors", "warnings"))


def _lines(checked: Checked, issue: Issue) -> Iterable[str]:
    """`file:line:column: error syntax: what; next`, and below a syntax error its place."""
    severity = "error" if issue.is_error else "warning"
    yield f"{_where(checked, issue)}: {severity} {issue.rule}: {issue.what}; {issue.mend}"
    if issue.place != NOWHERE and issue.is_error:
        yield from checked.excerpt.splitlines()


def _where(checked: Checked, issue: Issue) -> str:
    place = issue.place
    return f"{checked.subject.path}" if place == NOWHERE else f"{checked.subject.path}:{place.line}:{place.column}"


def _row(checked: Checked) -> tuple[object, ...]:
    errors = sum(issue.is_error for issue in checked.issues)
    symphony, program, coverage = checked.symphony, checked.program, checked.coverage
    return (
        checked.subject.name,
        "" if symphony is None else len(symphony.nodes),
        "" if program is None else len(program.symbols),
        "" if program is None else max(program.bars_needed.values()),
        "" if coverage is None else coverage.first or "never",
        "" if coverage is None else coverage.last or "",
        errors,
        len(checked.issues) - errors,
    )


def _as_json(checked: Sequence[Checked]) -> Mapping[str, Any]:
    findings = [_finding(one, issue) for one in checked for issue in one.issues]
    errors = sum(finding["severity"] == "error" for finding in findings)
    return {
        "files": list(map(_file, checked)),
        "findings": findings,
        "errors": errors,
        "warnings": len(findings) - errors,
    }


def _file(checked: Checked) -> Mapping[str, Any]:
    symphony, program, coverage = checked.symphony, checked.program, checked.coverage
    return {
        "name": checked.subject.name,
        "file": str(checked.subject.path),
        "nodes": symphony and len(symphony.nodes),
        "bars_needed": program and dict(program.bars_needed),
        "bars_present": coverage and {need.symbol: need.present for need in coverage.needs},
        "decided_from": coverage and coverage.first,
        "decided_to": coverage and coverage.last,
    }


def _finding(checked: Checked, issue: Issue) -> Mapping[str, Any]:
    place = issue.place
    return {
        "file": str(checked.subject.path),
        "line": place.line or None,
        "column": place.column or None,
        "severity": "error" if issue.is_error else "warning",
        "rule": issue.rule,
        "what": issue.what,
        "next": issue.mend,
    }
