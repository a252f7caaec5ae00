"""How long each function's code takes to import, on what Lambda mounts, in fresh interpreters that write nothing.

A budget is held against the fastest of the measurements: whatever else the machine does only adds to an import, so the
fastest is the nearest to what the code itself costs, and a dearer import raises it, too. The median is for people.
"""

import json
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation.building import built
from automation.lambda_runtime import coldstart_probe, importtime, runtime
from automation.lambda_runtime.importtime import Importer
from automation.lambda_runtime.mounts import Mount
from automation.project import model
from automation.project.model import Project
from automation.sizing import lines
from automation.system import console
from automation.system.errors import CheckFailedError, ConfigurationError, Finding, ToolError, UsageError

RUNS = 5
TIMEOUT_S = 60.0
_TOP = 5
_KEY = "ColdStartMs"
_DEFAULT = "cold_start_ms"
_PROBE = Path(coldstart_probe.__file__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds, one a fresh process."""

    samples_ms: tuple[float, ...]

    @property
    def min_ms(self) -> float:
        return min(self.samples_ms)

    @property
    def median_ms(self) -> float:
        return statistics.median(self.samples_ms)

    @property
    def max_ms(self) -> float:
        return max(self.samples_ms)


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One function's.

    Attributes:
        without_bytecode: None when it was not asked for.
        importers: the packages that it imports, by their own time; tracing makes that a little longer than it is.
        budget_ms: None when it has none.
        line: where the budget is written, or where it could be.
    """

    stack: str
    name: str
    timing: Timing
    without_bytecode: Timing | None
    importers: tuple[Importer, ...]
    budget_ms: float | None
    line: str

    @property
    def is_over(self) -> bool:
        return self.budget_ms is not None and self.timing.min_ms > self.budget_ms


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, and by function why the others were not."""

    functions: tuple[ColdStart, ...]
    skipped: Mapping[str, str]
    runs: int


@dataclass(frozen=True, slots=True)
class _Bench:
    """A function ready to be started again and again."""

    mount: Mount
    opt: Path
    root: Path
    timeout_s: float

    def start(self, *, bytecode: bool = True, flags: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
        """One start: what the probe wrote, and what was said on stderr.

        Raises:
            ToolError: it took too long, or there is no interpreter.
        """
        with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
            result = Path(folder) / "result.json"
            words: list[str | Path] = [str(self.mount.function.handler), result, "with" if bytecode else "without"]
            words += [self.mount.task, self.opt]
            finished = runtime.run(
                self.mount, _PROBE, words, root=self.root, timeout_s=self.timeout_s, opt=self.opt, flags=flags
            )
            if not result.is_file():
                return {"error": f"its process ended with exit code {finished.exit_code}"}, finished.stderr
            return json.loads(result.read_text(encoding="utf-8")), finished.stderr


def measure(
    loaded: Project,
    *,
    names: Iterable[str] = (),
    runs: int = RUNS,
    without_bytecode: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Measured:
    """Import the handlers of the built functions, each `runs` times in turn.

    Args:
        names: logical ids of functions; none means all.
        without_bytecode: measure also what it would be without the artifacts' bytecode.
        timeout_s: what one import may take.

    Raises:
        UsageError: there is no such function, or nothing to be done so many times.
        ConfigurationError: a stack was not built, or a budget is no number.
        CheckFailedError: a handler does not import.
        ToolError: there is no interpreter to import with.
    """
    if runs < 1:
        raise UsageError(f"{runs} is no number of runs; take 1 or more", where="--runs")
    as_built = built.as_built(loaded)
    chosen = [mount for mount in built.mounts_of_project(as_built) if _is_named(mount, tuple(names), loaded)]
    skipped = {mount.function.logical_id: why for mount in chosen if (why := runtime.can_import(mount))}
    budgets = {mount.where: budget(mount, loaded.root) for mount in chosen}
    with ExitStack() as stack:
        benches = [
            _Bench(mount, stack.enter_context(runtime.mounted(mount)), loaded.root, timeout_s)
            for mount in chosen
            if mount.function.logical_id not in skipped
        ]
        kinds = (True, False) if without_bytecode else (True,)
        with console.steps("starting", len(benches) * (1 + runs * len(kinds))) as advance:
            importers = _traced(benches, advance)
            samples = _rounds(benches, runs, kinds, advance)
    found = [_cold_start(one, samples, importers, budgets[one.mount.where]) for one in benches]
    return Measured(tuple(found), skipped, runs)


def budget(mount: Mount, root: Path) -> tuple[float | None, str]:
    """A function's budget in milliseconds, if it has one, and the line that it stands in or belongs to.

    It is `Metadata: {Alchemiser: {ColdStartMs: n}}`, else `cold_start_ms` of `[tool.alchemiser.budgets]`.

    Raises:
        ConfigurationError: it is no positive number.
    """
    function, template = mount.function, mount.stack.template.path
    ours = function.metadata.get("Alchemiser")
    place = lines.of_resource(root, template, function.logical_id)
    if isinstance(ours, Mapping) and _KEY in ours:
        where = f"{place}: {function.logical_id}: Metadata: Alchemiser: {_KEY}"
        return _milliseconds(ours[_KEY], where), where
    default = model.read_settings(root).get("budgets", {}).get(_DEFAULT)
    if default is None:
        return None, f"{place}: {function.logical_id}"
    where = f"{lines.of_default(root, _DEFAULT) or lines.PYPROJECT}: [tool.alchemiser.budgets] {_DEFAULT}"
    return _milliseconds(default, where), f"{where}, or {place}: Metadata: {{Alchemiser: {{{_KEY}: n}}}}"


def require_within(measured: Measured) -> None:
    """Raises CheckFailedError when a function is over its budget, with its dearest imports and the line to edit."""
    over = [one for one in measured.functions if one.is_over]
    if over:
        message = f"{len(over)} function(s) take longer to import than their budget"
        raise CheckFailedError(message, findings=[_finding(one) for one in over])


def show(measured: Measured) -> None:
    """Print the times in milliseconds, then what they go to."""
    both = any(one.without_bytecode for one in measured.functions)
    columns = ("function", "median", "min", "max", "budget", *(("without bytecode", "ratio") if both else ()))
    console.table(columns, [_row(one, both=both) for one in measured.functions], right=columns[1:])
    console.result()
    rows = [row for one in measured.functions for row in _importer_rows(one)]
    console.table(("function", "imports", "own", "with its own imports", "modules", "first imported by"), rows)
    for name, why in measured.skipped.items():
        console.warning(f"{name} was not started: {why}")
    console.result(f"milliseconds; {measured.runs} fresh process(es) each; a budget is held against min")


def show_json(measured: Measured) -> None:
    console.result_json(as_json(measured))


def as_json(measured: Measured) -> dict[str, Any]:
    """For programs; times in milliseconds."""
    return {
        "format": 1,
        "runs": measured.runs,
        "skipped": dict(measured.skipped),
        "functions": [_record(one) for one in measured.functions],
    }


def _is_named(mount: Mount, names: tuple[str, ...], loaded: Project) -> bool:
    known = {one.logical_id for one in loaded.functions}
    for name in names:
        if name not in known:
            listed = ", ".join(sorted(known))
            raise UsageError(f"there is no function {name!r}; the functions are: {listed}", where="coldstart")
    return not names or mount.function.logical_id in names


def _traced(benches: Sequence[_Bench], advance: Callable[[str], None]) -> dict[str, tuple[Importer, ...]]:
    """One start of each with tracing, which also brings the files into the machine's memory for the others.

    Raises:
        CheckFailedError: one does not import; all that do not are told.
    """
    found: dict[str, tuple[Importer, ...]] = {}
    failures: list[Finding] = []
    for bench in benches:
        where, name = bench.mount.where, bench.mount.function.logical_id
        try:
            result, said = bench.start(flags=("-X", "importtime"))
            error = result.get("error", "")
        except ToolError as cause:
            error, said = cause.message, ""
        if error:
            failures.append(Finding(where, f"its handler does not import: {error}", f"run inv prove {name}"))
        found[where] = importtime.parse(said.rpartition(coldstart_probe.MARK)[2])
        advance(name)
    if failures:
        raise CheckFailedError(f"{len(failures)} function(s) do not import; inv prove tells why", findings=failures)
    return found


def _rounds(
    benches: Sequence[_Bench], runs: int, kinds: tuple[bool, ...], advance: Callable[[str], None]
) -> dict[tuple[str, bool], list[float]]:
    """All functions in turn, again and again, so that a busy minute of the machine is shared by all."""
    samples: dict[tuple[str, bool], list[float]] = {}
    for _ in range(runs):
        for bench in benches:
            for bytecode in kinds:
                result, _ = bench.start(bytecode=bytecode)
                if "seconds" not in result:
                    message = f"does not import each time: {result['error']}; run inv prove"
                    raise CheckFailedError(message, where=bench.mount.where)
                samples.setdefault((bench.mount.where, bytecode), []).append(result["seconds"] * 1000)
                advance(bench.mount.function.logical_id)
    return samples


def _cold_start(
    bench: _Bench,
    samples: Mapping[tuple[str, bool], Sequence[float]],
    importers: Mapping[str, tuple[Importer, ...]],
    limit: tuple[float | None, str],
) -> ColdStart:
    where, function = bench.mount.where, bench.mount.function
    without = samples.get((where, False))
    return ColdStart(
        function.stack,
        function.logical_id,
        Timing(tuple(samples[where, True])),
        Timing(tuple(without)) if without else None,
        importers[where],
        *limit,
    )


def _milliseconds(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigurationError(f"{value!r} is not a positive number of milliseconds", where=where)
    return float(value)


def _finding(one: ColdStart) -> Finding:
    limit = one.budget_ms or 0.0
    top = ", ".join(_told(importer) for importer in one.importers[:_TOP])
    what = (
        f"{one.name} imports in {one.timing.min_ms:.0f} ms at best, {one.timing.min_ms - limit:.0f} over its {limit:g}"
    )
    return Finding(one.line, f"{what}; most goes to {top}", "import less at the top, or raise it there")


def _told(importer: Importer) -> str:
    return f"{importer.package} {importer.own_ms:.0f} ms (imported by {importer.imported_by or 'the handler'})"


def _row(one: ColdStart, *, both: bool) -> list[str]:
    limit = "" if one.budget_ms is None else f"{one.budget_ms:g}"
    found = [one.name, *(f"{ms:.0f}" for ms in (one.timing.median_ms, one.timing.min_ms, one.timing.max_ms)), limit]
    if not both or one.without_bytecode is None:
        return found
    ratio = one.without_bytecode.median_ms / one.timing.median_ms
    return [*found, f"{one.without_bytecode.median_ms:.0f}", f"{ratio:.1f}"]


def _importer_rows(one: ColdStart) -> Iterator[tuple[str, ...]]:
    for number, found in enumerate(one.importers[:_TOP]):
        times = (f"{found.own_ms:.0f}", f"{found.cumulative_ms:.0f}", str(found.modules))
        yield ("" if number else one.name, found.package, *times, found.imported_by or "the handler")


def _record(one: ColdStart) -> dict[str, Any]:
    return {
        "stack": one.stack,
        "name": one.name,
        "with_bytecode": _times(one.timing),
        "without_bytecode": _times(one.without_bytecode) if one.without_bytecode else None,
        "budget_ms": one.budget_ms,
        "over": one.is_over,
        "importers": [
            {
                "package": found.package,
                "own_ms": found.own_ms,
                "cumulative_ms": found.cumulative_ms,
                "imported_by": found.imported_by,
                "modules": found.modules,
            }
            for found in one.importers
        ],
    }


def _times(timing: Timing) -> dict[str, Any]:
    return {
        "median_ms": timing.median_ms,
        "min_ms": timing.min_ms,
        "max_ms": timing.max_ms,
        "samples_ms": list(timing.samples_ms),
    }
