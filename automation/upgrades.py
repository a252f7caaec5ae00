"""`inv lock --upgrade`: take newer versions, and show what moves: versions, bytes, proof, import times, tests.

Everything is measured before and after: the artifacts are built twice. The locks keep the new versions, whatever is
found; git restores the old ones.
"""

import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation import coldstart, locks, prove, sizes
from automation.building import builder, built, source_copies
from automation.building.requirements import REQUIREMENTS_IN
from automation.coldstart import Measurement
from automation.project.model import Project
from automation.project.settings import PYPROJECT, TABLE
from automation.proof.model import Severity
from automation.sizing import units
from automation.sizing.changes import SizeComparison, compare
from automation.sizing.model import Sizes
from automation.system import console, processes
from automation.system.errors import AutomationError, CheckFailedError, Finding, UsageError

_WHERE = "lock --upgrade"
_BEFORE = "the locks as they were"
_PIN = re.compile(r"\b([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==[^\s;,\"']+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOVES = ("lock", "distribution", "before", "after")
_SIZES = ("artifact", "zipped", "change", "unzipped", "change")
_TIMES = ("function", "import before", "after", "change")


@dataclass(frozen=True, slots=True)
class Move:
    """The change of one distribution in one lock; a version is empty where the lock does not have it."""

    lock: str
    name: str
    before: str
    after: str


def upgrade(project: Project, names: Sequence[str] = (), *, is_tested: bool = True) -> None:
    """Lock anew with newer versions, and print what moves.

    Args:
        names: distributions; none means all.
        is_tested: whether the command `tests` of the settings runs at the end, if there is one.

    Raises:
        UsageError: a name is not in any lock.
        ToolError: uv found no solution, or the index did not answer; the locks stay as they were.
        CheckFailedError: what the new versions build does not pass the proof or the tests, or is over a limit.
        AutomationError: the present build, or the new one, fails.
    """
    before = versions(project)
    _require_locked(names, before)
    sizes_before, imports_before = _measure(project), coldstart.measure(project)
    with console.progress("locking"):
        locks.lock(project, upgrade=True, packages=names)
    moved = moves(before, versions(project))
    if not moved:
        console.result("every lock has the newest versions that pyproject.toml and requirements.in allow")
        console.results(
            f"{place} pins {text}; write another version there to move it" for place, text in pins(project, names)
        )
        return

    console.table(_MOVES, [(move.lock, move.name, move.before or "-", move.after or "-") for move in moved])
    undo = f"to go back: git checkout -- {' '.join(sorted({move.lock for move in moved}))}"
    try:
        _compare_builds(project, sizes_before)
        _compare_imports(imports_before, coldstart.measure(project))
        if is_tested:
            _run_tests(project)
    except AutomationError:
        console.result(undo)
        raise
    console.result(undo)


def versions(project: Project) -> Mapping[str, Mapping[str, str]]:
    """Return the version of each distribution in each lock that exists, by the lock's path."""
    targets = [lock.target for lock in locks.plan(project, locks.locked_groups(project))]
    return {target: pinned(project.root / target) for target in targets if (project.root / target).is_file()}


def pinned(lock: Path) -> Mapping[str, str]:
    """Return the version of each distribution in a lock."""
    return dict(locks.PINNED.findall(lock.read_text(encoding="utf-8")))


def moves(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> tuple[Move, ...]:
    """Return what differs, by lock and name."""
    changes: list[Move] = []
    for target in sorted({*before, *after}):
        old, new = before.get(target, {}), after.get(target, {})
        names = (name for name in sorted({*old, *new}) if old.get(name) != new.get(name))
        changes += [Move(target, name, old.get(name, ""), new.get(name, "")) for name in names]
    return tuple(changes)


def pins(project: Project, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return where distributions are pinned to one version, as file and line, and the text that does it."""
    wanted = {_canonical(name) for name in names}
    sources = sorted({lock.source[0] for lock in locks.plan(project, ()) if lock.source[0].endswith(REQUIREMENTS_IN)})
    places: list[tuple[str, str]] = []
    for source in (PYPROJECT, *sources):
        path = project.root / source
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for number, line in enumerate(lines, 1):
            pinned_here = (match for match in _PIN.finditer(line) if _canonical(match[1]) in wanted)
            places += [(f"{source}:{number}", match[0]) for match in pinned_here]
    return tuple(places)


def _require_locked(names: Iterable[str], locked: Mapping[str, Mapping[str, str]]) -> None:
    known: set[str] = set()
    for lock in locked.values():
        known.update(lock)
    for name in names:
        if not _NAME.fullmatch(name) or _canonical(name) not in known:
            raise UsageError(f"no lock has the distribution {name!r}; name one that a lock has", where=_WHERE)


def _canonical(name: str) -> str:
    """Return the name as a lock has it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _measure(project: Project) -> Sizes:
    source_copies.sync(project)
    builder.build(project)
    return sizes.measure(project)


def _compare_builds(project: Project, before: Sizes) -> None:
    """Build with the new locks, and print which artifacts change and what the proof says.

    Raises:
        CheckFailedError: the proof fails, or a limit is exceeded.
    """
    after = _measure(project)
    comparison = compare(before, after, label=_BEFORE)
    _show_changed(_SIZES, _size_rows(comparison), "no artifact changes")
    proof = prove.prove(built.as_built(project))
    warnings = sum(broken.fault.severity is Severity.WARNING for broken in proof.broken)
    console.result(f"proof: {len(proof.errors)} error(s), {warnings} warning(s)")

    faults = [Finding(broken.fault.where, broken.fault.what, broken.fault.fix) for broken in proof.errors]
    exceeded = sizes.find_exceeded(after, comparison)
    if faults or exceeded:
        message = f"the new versions do not pass: {len(faults)} error(s) of the proof, {len(exceeded)} size budget(s)"
        raise CheckFailedError(message, where=_WHERE, findings=[*faults, *exceeded])


def _compare_imports(before: Measurement, after: Measurement) -> None:
    _show_changed(_TIMES, _time_rows(before, after), "no handler is imported here")


def _run_tests(project: Project) -> None:
    """Run the project's tests, and print what they say; without a command, say where to write one.

    Raises:
        ToolError: the program cannot be started.
        CheckFailedError: the tests fail.
    """
    command = project.settings.tests
    if not command:
        console.result(f'tests: not run; write the command into {TABLE}, such as tests = "nox -s tests"')
        return

    # `inv` also works when its environment is not activated; what the command names lies beside it.
    folders = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    with console.progress(f"running {command}"):
        finished = processes.run(
            shlex.split(command), cwd=project.root, env={**os.environ, "PATH": folders}, check=False
        )
    if finished.exit_code:
        message = f"the tests fail with the new versions: {command} ended with {finished.exit_code}\n{finished.tail()}"
        raise CheckFailedError(message, where=_WHERE)
    console.result(f"tests: {command} passed in {finished.seconds:.0f} s")


def _show_changed(columns: Sequence[str], rows: Sequence[Sequence[str]], otherwise: str) -> None:
    if rows:
        console.result()
        console.table(columns, rows, right=columns[1:])
    else:
        console.result(otherwise)


def _size_rows(comparison: SizeComparison) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for change in (*comparison.layers, *comparison.functions):
        if change.parts and change.after:
            zipped, unzipped = change.after.zipped_bytes, change.after.effective_bytes
            zipped_cells = units.format_bytes(zipped), units.format_change(change.zipped_bytes)
            unzipped_cells = units.format_bytes(unzipped), units.format_change(change.effective_bytes)
            rows.append((change.logical_id, *zipped_cells, *unzipped_cells))
    return rows


def _time_rows(before: Measurement, after: Measurement) -> list[tuple[str, ...]]:
    """Return the import time of each function; the fastest start is the least disturbed one."""
    fastest_ms = {(function.stack, function.name): function.timing.min_ms for function in before.functions}
    rows: list[tuple[str, ...]] = []
    for function in after.functions:
        now_ms, then_ms = function.timing.min_ms, fastest_ms.get((function.stack, function.name))
        change = "-" if then_ms is None else f"{now_ms - then_ms:+.0f} ms"
        rows.append((function.name, "-" if then_ms is None else f"{then_ms:.0f} ms", f"{now_ms:.0f} ms", change))
    return rows
