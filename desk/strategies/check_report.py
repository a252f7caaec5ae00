"""Print what `strategies.check` found."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from automation.system import console
from automation.system.errors import CheckFailedError
from desk.strategies.checking import CheckResult, check_book, check_files
from desk.strategies.lint import Issue
from the_alchemiser.shared import formats
from the_alchemiser.shared.book import STRATEGIES
from the_alchemiser.shared.symphony.tree import NOWHERE

_COLUMNS = ("strategy", "nodes", "symbols", "bars needed", "decided from", "to", "errors", "warnings")


def check_strategies(files: Sequence[str], *, bars: str, strict: bool, as_json: bool) -> None:
    """Check the book or some files, and print every issue.

    Args:
        files: strategy files; empty checks the book.
        bars: a folder of bars. When it is empty, the book is checked against the bundled prices and files without bars.

    Raises:
        UsageError: a file or the folder of bars does not exist.
        CheckFailedError: there is an error, or with strict a warning.
    """
    total = len(files) or len(list(STRATEGIES.glob("*.clj")))
    with console.steps("checking", total) as on_checked:
        if files:
            results = check_files(files, bars=bars, on_checked=on_checked)
        else:
            results = check_book(STRATEGIES, bars=bars, on_checked=on_checked)

    if as_json:
        console.result_json(_report_json(results))
    else:
        print_report(results)
    require_no_issues(results, strict=strict)


def require_no_issues(results: Sequence[CheckResult], *, strict: bool) -> None:
    """Fail when a strategy must not trade.

    Raises:
        CheckFailedError: there is an error, or with strict a warning.
    """
    errors = sum(result.error_count for result in results)
    warnings = sum(len(result.issues) for result in results) - errors
    if errors or (strict and warnings):
        counts = f"{formats.plural(errors, 'error')} and {formats.plural(warnings, 'warning')}"
        raise CheckFailedError(f"{counts} in {formats.plural(len(results), 'file')}; fix them, then check again")


def print_report(results: Sequence[CheckResult]) -> None:
    """Print one line per issue, then a table of the files."""
    for result in results:
        for issue in result.issues:
            console.results(_issue_lines(result, issue))
    console.table(_COLUMNS, map(_row, results), right=("nodes", "symbols", "bars needed", "errors", "warnings"))


def _issue_lines(result: CheckResult, issue: Issue) -> Iterable[str]:
    """Yield `file:line:column: error syntax: problem; fix`, then the excerpt of a syntax error."""
    yield f"{_location(result, issue)}: {_severity(issue)} {issue.rule}: {issue.problem}; {issue.fix}"
    if issue.place != NOWHERE and issue.is_error:
        yield from result.excerpt.splitlines()


def _location(result: CheckResult, issue: Issue) -> str:
    path, place = result.file.path, issue.place
    return f"{path}" if place == NOWHERE else f"{path}:{place.line}:{place.column}"


def _severity(issue: Issue) -> str:
    return "error" if issue.is_error else "warning"


def _row(result: CheckResult) -> tuple[object, ...]:
    symphony, program, coverage = result.symphony, result.program, result.coverage
    return (
        result.file.name,
        "" if symphony is None else len(symphony.nodes),
        "" if program is None else len(program.symbols),
        "" if program is None else max(program.bars_needed.values(), default=0),
        "" if coverage is None else coverage.first or "never",
        "" if coverage is None else coverage.last or "",
        result.error_count,
        len(result.issues) - result.error_count,
    )


def _report_json(results: Sequence[CheckResult]) -> Mapping[str, Any]:
    findings: list[Mapping[str, Any]] = []
    for result in results:
        findings.extend(_issue_json(result, issue) for issue in result.issues)
    errors = sum(result.error_count for result in results)
    return {
        "files": list(map(_file_json, results)),
        "findings": findings,
        "errors": errors,
        "warnings": len(findings) - errors,
    }


def _file_json(result: CheckResult) -> Mapping[str, Any]:
    symphony, program, coverage = result.symphony, result.program, result.coverage
    return {
        "name": result.file.name,
        "file": str(result.file.path),
        "nodes": symphony and len(symphony.nodes),
        "bars_needed": program and dict(program.bars_needed),
        "bars_present": coverage and {need.symbol: need.present for need in coverage.needs},
        "decided_from": coverage and coverage.first,
        "decided_to": coverage and coverage.last,
    }


def _issue_json(result: CheckResult, issue: Issue) -> Mapping[str, Any]:
    place = issue.place
    return {
        "file": str(result.file.path),
        "line": place.line or None,
        "column": place.column or None,
        "severity": _severity(issue),
        "rule": issue.rule,
        "what": issue.problem,
        "next": issue.fix,
    }
