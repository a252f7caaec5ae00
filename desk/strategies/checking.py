"""Check that the book or some files can trade: they parse, make sense, and have enough bars."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from automation.system.files import display_path
from desk.strategies.arguments import read_bars, require_files
from desk.strategies.lint import Issue, lint
from desk.strategies.sufficiency import Coverage, find_shortages, measure_coverage
from the_alchemiser.shared.book import BOOK, BookError, load_book, read_symphony
from the_alchemiser.shared.symphony import Symphony, SymphonyError
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.errors import UnusableOptionError
from the_alchemiser.shared.symphony.options import StrategyOptions
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.tree import NOWHERE, Place


@dataclass(frozen=True, slots=True)
class StrategyFile:
    """A file to check; `inception` is None when the book does not name the file."""

    name: str
    path: Path
    options: StrategyOptions = field(default_factory=StrategyOptions)
    inception: date | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of checking one file.

    Attributes:
        symphony: None when the file does not parse.
        program: None when the file does not parse or compile.
        coverage: None when no bars were checked.
        excerpt: the line of a syntax error with a caret below it.
    """

    file: StrategyFile
    issues: tuple[Issue, ...]
    symphony: Symphony | None = None
    program: Program | None = None
    coverage: Coverage | None = None
    excerpt: str = ""

    @property
    def error_count(self) -> int:
        """Return the number of issues that forbid trading."""
        return sum(issue.is_error for issue in self.issues)

    @property
    def has_errors(self) -> bool:
        """Return whether the file must not trade."""
        return self.error_count > 0


def check_file(file: StrategyFile, *, bars: str | None) -> CheckResult:
    """Check one file.

    Args:
        bars: a folder of bars; empty for the bundled prices; None checks no bars.

    Raises:
        UsageError: the folder of bars does not exist or is empty.
    """
    try:
        symphony = read_symphony(file.path)
    except SymphonyError as error:
        fix = error.fix or "correct it there"
        issue = Issue(Place(error.line, error.column), "syntax", error.message, fix, is_error=True)
        return CheckResult(file, (issue,), excerpt=error.excerpt)
    except BookError as error:
        return CheckResult(file, (Issue(NOWHERE, "file", str(error), "pass a file that can be read", is_error=True),))

    warnings = lint(symphony)
    try:
        program = compile_symphony(symphony, file.options)
    except UnusableOptionError as error:
        issue = Issue(NOWHERE, "window", str(error), "use a longer window or other options", is_error=True)
        return CheckResult(file, (*warnings, issue), symphony)
    if bars is None:
        return CheckResult(file, warnings, symphony, program)

    loaded = read_bars(bars, program.symbols)
    coverage = measure_coverage(program, loaded.history, inception=file.inception)
    shortages = find_shortages(program, coverage, origin=loaded.origin, inception=file.inception)
    return CheckResult(file, (*warnings, *shortages), symphony, program, coverage)


def check_files(files: Sequence[str], *, bars: str, on_checked: Callable[[str], None]) -> tuple[CheckResult, ...]:
    """Check files; check their bars only when a folder is given.

    Args:
        bars: a folder of bars; empty checks no bars.
        on_checked: called with the name of each file after its check.

    Raises:
        UsageError: a file or the folder of bars does not exist.
    """
    strategy_files = [StrategyFile(Path(file).stem, Path(file)) for file in files]
    require_files([file.path for file in strategy_files], task="strategies.check")
    return _check_all(strategy_files, bars or None, on_checked)


def check_book(directory: Path, *, bars: str, on_checked: Callable[[str], None]) -> tuple[CheckResult, ...]:
    """Check the book, its files, and the files beside them that it does not name.

    Args:
        bars: a folder of bars; empty for the bundled prices.
        on_checked: called with the name of each strategy after its check.

    Raises:
        UsageError: the folder of bars does not exist.
    """
    paths = sorted(directory.glob("*.clj"))
    try:
        entries = load_book(directory).entries
    except BookError as error:
        return (_invalid_book(directory / BOOK, error), *_check_all(map(_unlisted_file, paths), None, on_checked))

    listed_names = {entry.path.name for entry in entries}
    listed = [StrategyFile(entry.name, _displayed(entry.path), entry.options, entry.inception) for entry in entries]
    unlisted = [_unlisted_file(path) for path in paths if path.name not in listed_names]
    results = _check_all(listed, bars, on_checked)
    return (*results, *map(_warn_not_in_book, _check_all(unlisted, None, on_checked)))


def _invalid_book(path: Path, error: BookError) -> CheckResult:
    problem = str(error).removeprefix(f"{path}: ")
    issue = Issue(NOWHERE, "book", problem, "correct it there", is_error=True)
    return CheckResult(StrategyFile("book", _displayed(path)), (issue,))


def _unlisted_file(path: Path) -> StrategyFile:
    return StrategyFile(path.stem, _displayed(path))


def _warn_not_in_book(result: CheckResult) -> CheckResult:
    problem = "the file is in the strategies folder, but the book does not name it"
    issue = Issue(NOWHERE, "not-in-book", problem, "add it with inv strategies.add, or remove it")
    return replace(result, issues=(*result.issues, issue))


def _check_all(
    strategy_files: Iterable[StrategyFile], bars: str | None, on_checked: Callable[[str], None]
) -> tuple[CheckResult, ...]:
    results = []
    for file in strategy_files:
        results.append(check_file(file, bars=bars))
        on_checked(file.name)
    return tuple(results)


def _displayed(path: Path) -> Path:
    return Path(display_path(path))
