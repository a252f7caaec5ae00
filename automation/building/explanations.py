"""Explain why an artifact of our builder differs from SAM's, file by file; an unexplained difference is a fault."""

import csv
import importlib.util
import marshal
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import CodeType

from automation.building import bytecode, sources
from automation.building.requirements import LOCKS, REQUIREMENTS, REQUIREMENTS_IN
from automation.system import files, tools

_HEADER_BYTES = 16
_UNCHECKED_HASH = 1
_INSTALLER_FILES = frozenset({"INSTALLER", "REQUESTED", "direct_url.json"})
_REQUIREMENTS = (REQUIREMENTS, REQUIREMENTS_IN, *LOCKS)
_TEST_FOLDERS = frozenset({"tests", "test"})

type RecordRow = tuple[str, str, str]


class Explanation(StrEnum):
    """The reason of an intended difference."""

    BYTECODE = "bytecode, so that a cold start compiles nothing"
    TESTS = "tests of a distribution, which no import needs"
    STUBS = "type stubs, which no import needs"
    PROGRAMS = "programs of a distribution, which the code does not run"
    SCRIPT = "a program that the code runs; ours names Lambda's Python, SAM's the builder's"
    REQUIREMENTS = "requirement files, which SAM copies along"
    INSTALLER = "files that the installer writes for itself"
    RECORD = "a RECORD that lists the installer's files, or files that we prune"
    MODE = "executable as its wheel says; SAM removes the bit, and no import needs it"
    SHARED_OBJECT = "a shared object among the sources, which SAM leaves out"
    TOOLS = "a file or folder that belongs to a tool, not to the code"


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is missing on one side or differs between both.

    Attributes:
        path: relative to the artifact.
        explanation: None when the difference is a fault.
        size_bytes: of our file; of SAM's when we have none.
        what: what is wrong; empty when the difference is explained.
    """

    path: str
    explanation: Explanation | None
    size_bytes: int
    what: str = ""


@dataclass(frozen=True)
class TreePair:
    """Our tree and SAM's tree of one artifact.

    Attributes:
        source: the artifact's code folder in the project.
        mounted_at: where Lambda mounts the tree.
        nested_in: the folder of the tree that contains the modules; empty when they are at its root.
        version: of Python, `3.12`; the bytecode of another Python than ours is checked by its header only.
        bytecode_faults: a cache that the pairs of one comparison share, because several artifacts contain the same
            module: what is wrong, by the digests of source and bytecode and the path in tracebacks.
    """

    own_tree: Path
    sam_tree: Path
    source: Path
    mounted_at: str
    nested_in: str
    version: str
    bytecode_faults: dict[tuple[str, str, str], str] = field(default_factory=dict)

    @cached_property
    def shipped(self) -> frozenset[str]:
        """The files of the source that belong to the artifact."""
        return frozenset(file.name for file in sources.list_files(self.source, display_name=self.source.name))

    @cached_property
    def installed(self) -> frozenset[str]:
        """Return the files that distributions installed, by the RECORDs of SAM's tree, relative to the tree."""
        paths: set[str] = set()
        for record in sorted((self.sam_tree / self.nested_in).glob("*.dist-info/RECORD")):
            paths |= {PurePosixPath(self.nested_in, path).as_posix() for path, _, _ in read_record(record)}
        return frozenset(paths)

    def differences(self) -> Iterator[Difference]:
        """Yield every difference between the trees, sorted by path, then the modules without bytecode."""
        own = frozenset(path.as_posix() for path in files.walk(self.own_tree))
        sams = frozenset(path.as_posix() for path in files.walk(self.sam_tree))
        for path in sorted(own | sams):
            if path not in sams:
                yield self._only_in_own(path)
            elif path not in own:
                yield self._only_in_sams(path)
            else:
                yield from self._in_both(path)
        yield from self._without_bytecode(own)

    def _only_in_own(self, path: str) -> Difference:
        pure, size_bytes = PurePosixPath(path), (self.own_tree / path).stat().st_size
        if pure.suffix == ".pyc":
            fault = self._bytecode_fault(path)
            return Difference(path, None if fault else Explanation.BYTECODE, size_bytes, fault)
        if pure.name in _INSTALLER_FILES and pure.parent.suffix == ".dist-info":
            return Difference(path, Explanation.INSTALLER, size_bytes)
        if pure.suffix == ".so" and self._is_source(path):
            return Difference(path, Explanation.SHARED_OBJECT, size_bytes)
        return Difference(path, None, size_bytes, "is only in our artifact")

    def _only_in_sams(self, path: str) -> Difference:
        pure, size_bytes = PurePosixPath(path), (self.sam_tree / path).lstat().st_size
        inner = self._inner(pure)

        explanation = None
        if inner.as_posix() in _REQUIREMENTS:
            explanation = Explanation.REQUIREMENTS
        elif pure.name in _INSTALLER_FILES | {".lock"}:
            explanation = Explanation.INSTALLER
        elif (self.source / inner).is_file() and inner.as_posix() not in self.shipped:
            explanation = Explanation.TOOLS
        elif _is_program(inner):
            explanation = Explanation.PROGRAMS
        elif path in self.installed:
            explanation = _why_pruned(inner)
        return Difference(path, explanation, size_bytes, "" if explanation else "is only in SAM's artifact")

    def _in_both(self, path: str) -> Iterator[Difference]:
        own, sams = self.own_tree / path, self.sam_tree / path
        size_bytes = own.lstat().st_size

        if own.is_symlink() or sams.is_symlink():
            if not own.exists() or not sams.exists() or own.read_bytes() != sams.read_bytes():
                yield Difference(path, None, size_bytes, "is a link that is broken or leads to a different file")
        elif own.read_bytes() != sams.read_bytes():
            explanation = self._why_different(PurePosixPath(path))
            yield Difference(path, explanation, size_bytes, "" if explanation else "differs")
        elif _is_executable(own) != _is_executable(sams):
            is_intended = _is_executable(own) and path in self.installed
            what = "" if is_intended else "is executable in only one of the artifacts"
            yield Difference(path, Explanation.MODE if is_intended else None, size_bytes, what)

    def _why_different(self, path: PurePosixPath) -> Explanation | None:
        if path.name == "RECORD" and self._is_explained_record(str(path)):
            return Explanation.RECORD
        return Explanation.SCRIPT if _is_program(self._inner(path)) else None

    def _is_explained_record(self, path: str) -> bool:
        """Return whether the rows differ only for pruned files and for the installer's files."""
        own = {row[0]: row for row in read_record(self.own_tree / path)}
        sams = {row[0]: row for row in read_record(self.sam_tree / path)}
        differing = [name for name in {*own, *sams} if own.get(name) != sams.get(name)]
        return all(self._is_intended_row(name, own.get(name), sams.get(name)) for name in differing)

    def _is_intended_row(self, name: str, own: RecordRow | None, sams: RecordRow | None) -> bool:
        pure = PurePosixPath(name)
        if pure.name in _INSTALLER_FILES | {"RECORD"} or pure.suffix == ".pyc" or _is_program(pure):
            return True
        return own is None and sams is not None and _why_pruned(pure) is not None

    def _bytecode_fault(self, path: str) -> str:
        """Return what is wrong with a file of bytecode; empty when it is the bytecode of the source beside it."""
        pyc = PurePosixPath(path)
        source = pyc.parent.parent / f"{pyc.name.partition('.')[0]}.py"
        if pyc.parent.name != "__pycache__" or not (self.own_tree / source).is_file():
            return "is bytecode without its source"

        code, compiled = (self.own_tree / source).read_bytes(), (self.own_tree / path).read_bytes()
        traceback_path = f"{self.mounted_at}/{source}"
        key = (files.digest(code), files.digest(compiled), traceback_path)
        if key not in self.bytecode_faults:
            is_own_version = self.version == tools.own_python_version()
            fault = find_bytecode_fault(compiled, code, traceback_path, is_own_version=is_own_version)
            self.bytecode_faults[key] = fault
        return self.bytecode_faults[key]

    def _without_bytecode(self, own: frozenset[str]) -> Iterator[Difference]:
        """Yield the modules that compile and have no bytecode.

        An artifact for another Python yields none: the machine that built it may not have had that Python. One without
        any bytecode would be over Lambda's limit with it.
        """
        has_bytecode = any(path.endswith(".pyc") for path in own)
        if self.version != tools.own_python_version() or not has_bytecode:
            return
        for path in sorted(own):
            pure = PurePosixPath(path)
            compiled = pure.parent / bytecode.pyc_name(pure.stem, self.version)
            if pure.suffix == ".py" and compiled.as_posix() not in own:
                source = (self.own_tree / path).read_bytes()
                if compile_source(source, path) is not None:
                    yield Difference(path, None, len(source), "has no bytecode")

    def _inner(self, path: PurePosixPath) -> PurePosixPath:
        return path.relative_to(self.nested_in) if path.is_relative_to(self.nested_in) else path

    def _is_source(self, path: str) -> bool:
        source = self.source / self._inner(PurePosixPath(path))
        return source.is_file() and source.read_bytes() == (self.own_tree / path).read_bytes()


def find_bytecode_fault(compiled: bytes, source: bytes, traceback_path: str, *, is_own_version: bool) -> str:
    """Return what is wrong with the bytecode of a module; empty when it is the bytecode of the source.

    Args:
        traceback_path: the module's path on Lambda, which tracebacks show.
        is_own_version: the bytecode is for the running Python, so it can be compared with what that compiles.
    """
    if int.from_bytes(compiled[4:8], "little") != _UNCHECKED_HASH:
        return "is bytecode that Lambda would find stale"
    if compiled[8:_HEADER_BYTES] != importlib.util.source_hash(source):
        return "is bytecode of another source"
    if not is_own_version:
        return ""

    try:
        code = marshal.loads(compiled[_HEADER_BYTES:])  # noqa: S302 - our builder made it; it is compared, never run
    except (ValueError, EOFError, TypeError):
        return "is damaged bytecode"
    expected = compile_source(source, traceback_path)
    if expected is None or strip_columns(code) != strip_columns(expected):
        return "is bytecode that its source does not compile to"
    return "" if code.co_filename == traceback_path else f"is bytecode compiled for {code.co_filename}"


def strip_columns(code: CodeType) -> CodeType:
    """Return the code with line numbers only, so that it can be compared: our bytecode has no columns."""
    lines: list[int | None] = []
    for start, end, line in code.co_lines():
        lines += [line] * (end - start)
    constants = tuple(
        strip_columns(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts
    )
    return code.replace(co_linetable=repr(lines).encode(), co_consts=constants)


def compile_source(source: bytes, traceback_path: str) -> CodeType | None:
    """Compile a module with the running Python; return None when it does not compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(source, traceback_path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        return None


def read_record(path: Path) -> list[RecordRow]:
    """Return the rows of a RECORD: path, digest, size."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [(row[0], row[1], row[2]) for row in csv.reader(lines) if len(row) == 3]


def group_by_explanation(
    differences: Mapping[str, tuple[Difference, ...]],
) -> dict[Explanation, list[tuple[str, Difference]]]:
    """Group the explained differences; each has the name of its artifact.

    Args:
        differences: by the name of the artifact.
    """
    groups: dict[Explanation, list[tuple[str, Difference]]] = {}
    for name, of_artifact in differences.items():
        for difference in of_artifact:
            if difference.explanation:
                groups.setdefault(difference.explanation, []).append((name, difference))
    return groups


def _why_pruned(inner: PurePosixPath) -> Explanation | None:
    """Return why we prune a file of a distribution; None when we keep it."""
    if inner.suffix == ".pyi":
        return Explanation.STUBS
    return Explanation.TESTS if _TEST_FOLDERS & set(inner.parts[1:-1]) else None


def _is_program(inner: PurePosixPath) -> bool:
    """Return whether pip installs the file into `bin`; a wheel contains it as `<distribution>.data/scripts/...`."""
    parts = [part for part in inner.parts if part != ".."]
    if len(parts) > 1 and parts[0] == "bin":
        return True
    return len(parts) > 2 and parts[0].endswith(".data") and parts[1] == "scripts"


def _is_executable(path: Path) -> bool:
    return files.is_program(path)
