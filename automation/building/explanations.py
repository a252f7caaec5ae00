"""Why an artifact of our builder differs from SAM's, file by file; what has no explanation is a fault."""

import csv
import importlib.util
import marshal
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import CodeType

from automation.system import files

_HEADER_BYTES = 16
_UNCHECKED_HASH = 1
_INSTALLERS_MARKS = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})
_REQUIREMENTS = ("requirements.txt", "requirements.in")
_TEST_FOLDERS = frozenset({"tests", "test"})
_TOOLS_FOLDERS = frozenset({".alchemiser", ".hypothesis", ".ruff_cache", ".sandbox", ".tools", "node_modules"})
_OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

type Row = tuple[str, str, str]


class Explanation(StrEnum):
    """Every difference that is meant."""

    BYTECODE = "bytecode, so that a cold start compiles nothing"
    TESTS = "tests of a distribution, which no import needs"
    STUBS = "type stubs, which no import needs"
    PROGRAMS = "programs of a distribution, which nothing starts on Lambda"
    REQUIREMENTS = "requirement files, which SAM copies along"
    INSTALLER = "the installer's own marks"
    RECORD = "a RECORD that lists the installer's marks, or what was pruned"
    MODE = "executable as its wheel says; SAM takes that away, and no import needs it"
    SHARED_OBJECT = "a shared object among the sources, which SAM leaves out"
    TOOLS = "a folder of a tool's, not of the code's"


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that only one side has, or that is not the same on both; without explanation what is wrong is told."""

    path: str
    explanation: Explanation | None
    size_bytes: int
    what: str = ""


@dataclass(frozen=True)
class Pair:
    """Both trees of one artifact.

    Attributes:
        source: its code folder in the project.
        mounted_at: what its tree is on Lambda.
        nested_in: the folder of the tree that modules are in.
        version: of Python, `3.12`; bytecode for another one than ours is judged by its header alone.
    """

    ours: Path
    sams: Path
    source: Path
    mounted_at: str
    nested_in: str
    version: str
    judged: dict[tuple[str, str, str], str] = field(default_factory=dict)

    @cached_property
    def installed(self) -> frozenset[str]:
        """What distributions brought, by the RECORDs of SAM's tree, relative to the tree."""
        base = self.sams / self.nested_in
        found = (PurePosixPath(self.nested_in, row[0]) for record in _records(base) for row in read_record(record))
        return frozenset(path.as_posix() for path in found)

    def differences(self) -> Iterator[Difference]:
        """Everything in which the trees differ, sorted by path."""
        ours, sams = (frozenset(path.as_posix() for path in files.walk(tree)) for tree in (self.ours, self.sams))
        for path in sorted(ours | sams):
            if path not in sams:
                yield self._ours_alone(path)
            elif path not in ours:
                yield self._sams_alone(path)
            else:
                yield from self._both(path)
        yield from self._without_bytecode(ours)

    def _ours_alone(self, path: str) -> Difference:
        pure, size = PurePosixPath(path), (self.ours / path).stat().st_size
        if pure.suffix == ".pyc":
            wrong = self._bytecode(path)
            return Difference(path, None if wrong else Explanation.BYTECODE, size, wrong)
        if pure.name in _INSTALLERS_MARKS and pure.parent.suffix == ".dist-info":
            return Difference(path, Explanation.INSTALLER, size)
        if pure.suffix == ".so" and self._is_source(path):
            return Difference(path, Explanation.SHARED_OBJECT, size)
        return Difference(path, None, size, "is in our artifact alone")

    def _sams_alone(self, path: str) -> Difference:
        pure, size = PurePosixPath(path), (self.sams / path).lstat().st_size
        inner = self._inner(pure)
        explanation = None
        if inner.as_posix() in _REQUIREMENTS:
            explanation = Explanation.REQUIREMENTS
        elif pure.name in _INSTALLERS_MARKS | {".lock"}:
            explanation = Explanation.INSTALLER
        elif _TOOLS_FOLDERS & set(inner.parts[:-1]):
            explanation = Explanation.TOOLS
        elif _is_program(inner):
            explanation = Explanation.PROGRAMS
        elif path in self.installed:
            explanation = _pruned(inner)
        return Difference(path, explanation, size, "" if explanation else "is in SAM's artifact alone")

    def _both(self, path: str) -> Iterator[Difference]:
        ours, sams = self.ours / path, self.sams / path
        size = ours.lstat().st_size
        if ours.is_symlink() or sams.is_symlink():
            if not ours.exists() or not sams.exists() or ours.read_bytes() != sams.read_bytes():
                yield Difference(path, None, size, "is a link to something else")
        elif ours.read_bytes() != sams.read_bytes():
            is_record = PurePosixPath(path).name == "RECORD" and self._is_explained_record(path)
            yield Difference(path, Explanation.RECORD if is_record else None, size, "" if is_record else "differs")
        elif _is_executable(ours) != _is_executable(sams):
            meant = _is_executable(ours) and path in self.installed
            what = "" if meant else "is executable in one of the artifacts alone"
            yield Difference(path, Explanation.MODE if meant else None, size, what)

    def _is_explained_record(self, path: str) -> bool:
        """Are all rows the same but for what was pruned, and for the installer's marks?"""
        ours, sams = ({row[0]: row for row in read_record(tree / path)} for tree in (self.ours, self.sams))
        differing = [name for name in {*ours, *sams} if ours.get(name) != sams.get(name)]
        return all(self._is_meant_row(name, ours.get(name), sams.get(name)) for name in differing)

    def _is_meant_row(self, name: str, ours: Row | None, sams: Row | None) -> bool:
        pure = PurePosixPath(name)
        if pure.name in _INSTALLERS_MARKS | {"RECORD"} or pure.suffix == ".pyc" or _is_program(pure):
            return True
        return ours is None and sams is not None and _pruned(pure) is not None

    def _bytecode(self, path: str) -> str:
        """What is wrong with a file of bytecode; empty when it is that of the source beside it."""
        pyc = PurePosixPath(path)
        source = pyc.parent.parent / f"{pyc.name.partition('.')[0]}.py"
        if pyc.parent.name != "__pycache__" or not (self.ours / source).is_file():
            return "is bytecode without its source"
        code, made = (self.ours / source).read_bytes(), (self.ours / path).read_bytes()
        named = f"{self.mounted_at}/{source}"
        key = (files.digest(code), files.digest(made), named)
        if key not in self.judged:
            self.judged[key] = judge_bytecode(made, code, named, is_ours=self.version == _OWN_VERSION)
        return self.judged[key]

    def _without_bytecode(self, ours: frozenset[str]) -> Iterator[Difference]:
        """Modules that compile and have none; an artifact without any was built where no such Python is."""
        if self.version != _OWN_VERSION:
            return
        tag = f"cpython-{self.version.replace('.', '')}"
        for path in sorted(ours):
            pure = PurePosixPath(path)
            made = pure.parent / "__pycache__" / f"{pure.stem}.{tag}.pyc"
            if pure.suffix == ".py" and made.as_posix() not in ours:
                source = (self.ours / path).read_bytes()
                if compiled(source, path) is not None:
                    yield Difference(path, None, len(source), "has no bytecode")

    def _inner(self, path: PurePosixPath) -> PurePosixPath:
        return path.relative_to(self.nested_in) if path.is_relative_to(self.nested_in) else path

    def _is_source(self, path: str) -> bool:
        found = self.source / self._inner(PurePosixPath(path))
        return found.is_file() and found.read_bytes() == (self.ours / path).read_bytes()


def judge_bytecode(made: bytes, source: bytes, named: str, *, is_ours: bool) -> str:
    """What is wrong with bytecode; empty when it is the source's.

    Args:
        named: the module's path on Lambda, which tracebacks show.
        is_ours: it is for the Python that runs this, and can be compared with what that compiles.
    """
    if int.from_bytes(made[4:8], "little") != _UNCHECKED_HASH:
        return "is bytecode that Lambda would find stale"
    if made[8:_HEADER_BYTES] != importlib.util.source_hash(source):
        return "is bytecode of another source"
    if not is_ours:
        return ""
    try:
        code = marshal.loads(made[_HEADER_BYTES:])  # noqa: S302 - it was made here, and is compared, never run
    except (ValueError, EOFError, TypeError):
        return "is damaged bytecode"
    expected = compiled(source, named)
    if expected is None or by_lines(code) != by_lines(expected):
        return "is bytecode of other code"
    return "" if code.co_filename == named else f"is bytecode of {code.co_filename}"


def by_lines(code: CodeType) -> CodeType:
    """The code with lines alone in the place of what it knows of lines and columns: ours is made without columns."""
    lines = [line for start, end, line in code.co_lines() for _ in range(start, end)]
    inner = tuple(by_lines(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_linetable=repr(lines).encode(), co_consts=inner)


def compiled(source: bytes, named: str) -> CodeType | None:
    """What this Python makes of a module; None when it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(source, named, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        return None


def read_record(path: Path) -> list[Row]:
    """The rows of a RECORD: path, digest, size."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [(row[0], row[1], row[2]) for row in csv.reader(lines) if len(row) == 3]


def by_explanation(found: Mapping[str, tuple[Difference, ...]]) -> dict[Explanation, list[tuple[str, Difference]]]:
    """What was explained, with the artifact's name."""
    made: dict[Explanation, list[tuple[str, Difference]]] = {}
    for name, differences in found.items():
        for one in differences:
            if one.explanation:
                made.setdefault(one.explanation, []).append((name, one))
    return made


def _records(base: Path) -> list[Path]:
    return sorted(base.glob("*.dist-info/RECORD"))


def _pruned(inner: PurePosixPath) -> Explanation | None:
    if inner.suffix == ".pyi":
        return Explanation.STUBS
    return Explanation.TESTS if _TEST_FOLDERS & set(inner.parts[1:-1]) else None


def _is_program(inner: PurePosixPath) -> bool:
    """What pip puts into `bin`, before it is put there in `<distribution>.data/scripts`, as a RECORD names it."""
    parts = [part for part in inner.parts if part != ".."]
    if len(parts) > 1 and parts[0] == "bin":
        return True
    return len(parts) > 2 and parts[0].endswith(".data") and parts[1] == "scripts"


def _is_executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o111)
