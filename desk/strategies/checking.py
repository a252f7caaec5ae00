"""Whether the book, or files, can trade: they parse, say what can be meant, and have the bars that they need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from automation.system.errors import UsageError
from desk.strategies.lint import Issue, lint
from desk.strategies.sources import read_bars
from desk.strategies.sufficiency import Coverage, coverage_of, shortages
from the_alchemiser.shared.book import BOOK, BookError, StrategyOptions, load_book, read_symphony
from the_alchemiser.shared.symphony import Symphony, SymphonyError
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.errors import UnusableOptionError
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.tree import NOWHERE, Place


@dataclass(frozen=True, slots=True)
class Subject:
    """A file to check; inception is None when it is not in the book."""

    name: str
    path: Path
    options: StrategyOptions = field(default_factory=StrategyOptions)
    inception: date | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found out about one file.

    Attributes:
        symphony: None when it does not parse, program when it does not compile.
        coverage: None when no bars were looked at.
        excerpt: the place of a syntax error, drawn.
    """

    subject: Subject
    issues: tuple[Issue, ...]
    symphony: Symphony | None = None
    program: Program | None = None
    coverage: Coverage | None = None
    excerpt: str = ""

    @property
    def has_errors(self) -> bool:
        """Whether it must not trade."""
        return any(issue.is_error for issue in self.issues)


def check_file(subject: Subject, *, bars: str | None) -> Checked:
    """Check one file.

    Args:
        bars: a folder, or empty for the bundled prices; None to look at none.
    """
    try:
        symphony = read_symphony(subject.path)
    except SymphonyError as error:
        issue = Issue(Place(error.line, error.column), "syntax", error.message, "correct it there", is_error=True)
        return Checked(subject, (issue,), excerpt=error.excerpt)
    except BookError as error:
        return Checked(subject, (Issue(NOWHERE, "file", str(error), "name a file that can be read", is_error=True),))
    found = lint(symphony)
    try:
        program = compile_symphony(symphony, subject.options)
    except UnusableOptionError as error:
        issue = Issue(NOWHERE, "window", str(error), "take a longer window, or other options", is_error=True)
        return Checked(subject, (*found, issue), symphony)
    if bars is None:
        return Checked(subject, found, symphony, program)
    known = read_bars(bars, program.symbols)
    coverage = coverage_of(program, known.history, inception=subject.inception)
    short = shortages(program, coverage, origin=known.origin, inception=subject.inception)
    return Checked(subject, (*found, *short), symphony, program, coverage)


def check_files(files: Sequence[str], *, bars: str, done: Callable[[str], None]) -> tuple[Checked, ...]:
    """Check files; their bars only when a folder is given.

    Raises:
        UsageError: there is no such file or folder.
    """
    subjects = [Subject(Path(file).stem, Path(file)) for file in files]
    if gone := [str(subject.path) for subject in subjects if not subject.path.is_file()]:
        raise UsageError(f"there is no file {', '.join(gone)}", where="strategies.check")
    return _check_all(subjects, bars or None, done)


def check_book(directory: Path, *, bars: str, done: Callable[[str], None]) -> tuple[Checked, ...]:
    """Check the book, its files, and files beside them that it does not name.

    Args:
        bars: a folder; empty for the bundled prices.

    Raises:
        UsageError: there is no such folder of bars.
    """
    try:
        entries = load_book(directory).entries
    except BookError as error:
        subjects = [Subject(path.stem, shown(path)) for path in sorted(directory.glob("*.clj"))]
        return (_bad_book(directory / BOOK, error), *_check_all(subjects, None, done))
    subjects = [Subject(entry.name, shown(entry.path), entry.options, entry.inception) for entry in entries]
    known = {entry.path.name for entry in entries}
    others = [Subject(path.stem, shown(path)) for path in sorted(directory.glob("*.clj")) if path.name not in known]
    return (*_check_all(subjects, bars, done), *map(_outside, _check_all(others, None, done)))


def _bad_book(path: Path, error: BookError) -> Checked:
    what = str(error).removeprefix(f"{path}: ")
    issue = Issue(NOWHERE, "book", what, "correct it there", is_error=True)
    return Checked(Subject("book", shown(path)), (issue,))


def _outside(checked: Checked) -> Checked:
    what = "the file lies among the strategies, and the book does not name it"
    issue = Issue(NOWHERE, "not-in-book", what, "add it with inv strategies.add, or remove it")
    return replace(checked, issues=(*checked.issues, issue))


def _check_all(subjects: Sequence[Subject], bars: str | None, done: Callable[[str], None]) -> tuple[Checked, ...]:
    checked = []
    for subject in subjects:
        checked.append(check_file(subject, bars=bars))
        done(subject.name)
    return tuple(checked)


def shown(path: Path) -> Path:
    """Relative to the working directory, where it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
