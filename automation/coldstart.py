"""`inv coldstart`: measure how long each function's code takes to import from what Lambda mounts.

Each import runs in a fresh interpreter that writes nothing. The time in which other processes had the processor does
not count. A budget is compared with the fastest of the measurements: other load still makes an import a little slower,
so the fastest is closest to what the code itself needs, and slower code raises it. The median is printed for people.
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
from automation.lambda_runtime import coldstart_probe, importtime, local_coldstarts, places, runtime
from automation.lambda_runtime.importtime import PackageImport
from automation.lambda_runtime.limits import StallWatch
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import temporary_folder
from automation.lambda_runtime.places import Place
from automation.project import function_names, settings
from automation.project.model import Project
from automation.sizing import lines
from automation.system import console
from automation.system.errors import CheckFailedError, Finding, ToolError, UsageError

RUNS = 5
TIMEOUT_S = 600.0
_MAX_PACKAGES = 5
_KEY = "ColdStartMs"
_DEFAULT = "cold_start_ms"
_PROBE = Path(coldstart_probe.__file__)

type _Samples = Mapping[tuple[str, bool], Sequence[float]]  # milliseconds, by `Mount.where` and "with bytecode?"


@dataclass(frozen=True, slots=True)
class Timing:
    """Import times in milliseconds, one per fresh process."""

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
    """Cold-start timing of one function.

    Attributes:
        without_bytecode: None when it was not measured.
        packages: what it imports, slowest first; tracing makes these times a little longer than they are.
        budget_ms: None when it has no budget.
        line: where the budget is written, or where it could be.
    """

    stack: str
    name: str
    timing: Timing
    without_bytecode: Timing | None
    packages: tuple[PackageImport, ...]
    budget_ms: float | None
    line: str

    @property
    def is_over(self) -> bool:
        return self.budget_ms is not None and self.timing.min_ms > self.budget_ms


@dataclass(frozen=True, slots=True)
class Measurement:
    """The cold starts of the measured functions.

    Attributes:
        skipped: why a function was not measured, by its logical id.
        runs: the number of samples per function.
    """

    functions: tuple[ColdStart, ...]
    skipped: Mapping[str, str]
    runs: int


@dataclass(frozen=True, slots=True)
class _Starter:
    """Starts one function as often as needed, in a place that is made only once."""

    place: Place
    root: Path
    timeout_s: float

    @property
    def mount(self) -> Mount:
        return self.place.built

    def start(self, *, bytecode: bool = True, flags: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
        """Import the handler in a fresh process; return the probe's result and stderr.

        Raises:
            ToolError: it took longer than the timeout, or the interpreter could not be installed.
        """
        with tempfile.TemporaryDirectory(prefix="coldstart-", dir=temporary_folder(self.root)) as folder:
            result = Path(folder) / "result.json"
            arguments: list[str | Path] = [str(self.mount.function.handler), result]
            arguments += ["with" if bytecode else "without", self.place.mount.task, self.place.opt]
            finished = runtime.run(
                self.place,
                _PROBE,
                arguments,
                root=self.root,
                timeout_s=self.timeout_s,
                flags=flags,
                on_wait=StallWatch(),
            )
            if not result.is_file():
                return {"error": f"its process ended with exit code {finished.exit_code}"}, finished.stderr
            return json.loads(result.read_text(encoding="utf-8")), finished.stderr


def measure(
    project: Project,
    *,
    names: Iterable[str] = (),
    runs: int = RUNS,
    without_bytecode: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Measurement:
    """Import the handlers of the built functions, each `runs` times in turn.

    Args:
        names: of functions; none means all.
        without_bytecode: also measure imports that do not use the artifacts' bytecode.
        timeout_s: the longest time that one import may take.

    Raises:
        UsageError: a function does not exist, or `runs` is below 1.
        ConfigurationError: a stack was not built, or a budget is not a positive number.
        CheckFailedError: the import of a handler fails.
        ToolError: an import took longer than `timeout_s`, although the first one of that handler did not.
    """
    if runs < 1:
        raise UsageError(f"--runs must be at least 1, got {runs}")
    selected = _select(built.mounts_of_project(built.as_built(project)), names, project)
    budgets = {mount.where: find_budget(mount, project) for mount in selected}
    reasons = {mount.function.logical_id: runtime.why_not_importable(mount, project.root) for mount in selected}
    skipped = {name: reason for name, reason in reasons.items() if reason}

    with places.opened(project.root) as new_places, ExitStack() as opened:
        starters = [
            _Starter(opened.enter_context(new_places.of(mount)), project.root, timeout_s)
            for mount in selected
            if mount.function.logical_id not in skipped
        ]
        variants = (True, False) if without_bytecode else (True,)
        with console.steps("starting", len(starters) * (1 + runs * len(variants))) as advance:
            packages = _trace(starters, advance)
            samples = _sample(starters, runs, variants, advance)

    cold_starts = [
        _cold_start(starter, samples, packages[starter.mount.where], budgets[starter.mount.where])
        for starter in starters
    ]
    return Measurement(tuple(cold_starts), skipped, runs)


def find_budget(mount: Mount, project: Project) -> tuple[float | None, str]:
    """Return a function's budget in milliseconds, None when it has none, and the line where it is or could be set.

    It is `Metadata: {Alchemiser: {ColdStartMs: n}}`, otherwise `cold_start_ms` of `[tool.alchemiser.budgets]`.

    Raises:
        ConfigurationError: the budget in Metadata is not a positive number.
    """
    function, template = mount.function, mount.stack.template.path
    own = function.metadata.get("Alchemiser")
    line = lines.find_resource(project.root, template, function.logical_id)
    if isinstance(own, Mapping) and _KEY in own:
        where = f"{line}: {function.logical_id}: Metadata: Alchemiser: {_KEY}"
        return settings.milliseconds(own[_KEY], where=where), where

    default = project.settings.budgets.cold_start_ms
    if default is None:
        return None, f"{line}: {function.logical_id}"
    where = f"{lines.find_default(project.root, _DEFAULT) or settings.PYPROJECT}: [tool.alchemiser.budgets] {_DEFAULT}"
    return default, f"{where}, or {line}: Metadata: {{Alchemiser: {{{_KEY}: n}}}}"


def remember(measurement: Measurement, root: Path) -> None:
    """Store the medians, which `inv coldstart --env` shows beside the cold starts on AWS."""
    medians_ms = {(function.stack, function.name): function.timing.median_ms for function in measurement.functions}
    local_coldstarts.write(root, medians_ms)


def require_within_budgets(measurement: Measurement) -> None:
    """Check that every function imports within its budget.

    Raises:
        CheckFailedError: a function does not; the findings name its slowest imports and the line to edit.
    """
    over_budget = [function for function in measurement.functions if function.is_over]
    if over_budget:
        message = f"{len(over_budget)} function(s) take longer to import than their budget"
        raise CheckFailedError(message, findings=[_finding(function) for function in over_budget])


def show(measurement: Measurement) -> None:
    """Print the times in milliseconds, then the slowest imports of each function."""
    has_both = any(function.without_bytecode for function in measurement.functions)
    columns = ("function", "median", "min", "max", "budget", *(("without bytecode", "ratio") if has_both else ()))
    console.table(columns, [_row(function, has_both) for function in measurement.functions], right=columns[1:])

    console.result()
    rows: list[tuple[str, ...]] = []
    for function in measurement.functions:
        rows += _package_rows(function)
    console.table(("function", "imports", "own", "with its own imports", "modules", "first imported by"), rows)

    for name, reason in measurement.skipped.items():
        console.warning(f"skipped {name}: {reason}")
    console.result(f"milliseconds; {measurement.runs} fresh process(es) per function; a budget is compared with min")


def show_json(measurement: Measurement) -> None:
    console.result_json(as_json(measurement))


def as_json(measurement: Measurement) -> dict[str, Any]:
    """Return the measurement for programs; times are in milliseconds."""
    return {
        "format": 1,
        "runs": measurement.runs,
        "skipped": dict(measurement.skipped),
        "functions": [_record(function) for function in measurement.functions],
    }


def _select(mounts: Iterable[Mount], names: Iterable[str], project: Project) -> list[Mount]:
    chosen = function_names.logical_ids(names, project.functions, where="coldstart")
    return [mount for mount in mounts if not chosen or mount.function.logical_id in chosen]


def _trace(starters: Sequence[_Starter], advance: Callable[[str], None]) -> dict[str, tuple[PackageImport, ...]]:
    """Start each function once with tracing; this also brings its files into the page cache for the timed starts.

    Raises:
        CheckFailedError: the import of a handler fails; there is one finding per such handler.
    """
    packages: dict[str, tuple[PackageImport, ...]] = {}
    failures: list[Finding] = []
    for starter in starters:
        where, name = starter.mount.where, starter.mount.function.logical_id
        try:
            result, stderr = starter.start(flags=("-X", "importtime"))
            error = result.get("error", "")
        except ToolError as cause:
            error, stderr = cause.message, ""
        if error:
            failures.append(Finding(where, f"its handler cannot be imported: {error}", f"run inv prove {name}"))
        packages[where] = importtime.parse(stderr.rpartition(coldstart_probe.MARK)[2])
        advance(name)

    if failures:
        message = f"{len(failures)} function(s) cannot be imported; run inv prove to see why"
        raise CheckFailedError(message, findings=failures)
    return packages


def _sample(
    starters: Sequence[_Starter], runs: int, variants: tuple[bool, ...], advance: Callable[[str], None]
) -> _Samples:
    """Start all functions in turn, `runs` times, so that a busy minute of the machine slows all of them alike.

    Raises:
        CheckFailedError: the import of a handler fails, although the first one did not.
    """
    samples: dict[tuple[str, bool], list[float]] = {}
    for _ in range(runs):
        for starter in starters:
            for bytecode in variants:
                result, _ = starter.start(bytecode=bytecode)
                if "seconds" not in result:
                    message = f"its handler cannot be imported every time: {result['error']}; run inv prove"
                    raise CheckFailedError(message, where=starter.mount.where)
                samples.setdefault((starter.mount.where, bytecode), []).append(result["seconds"] * 1000)
                advance(starter.mount.function.logical_id)
    return samples


def _cold_start(
    starter: _Starter,
    samples: _Samples,
    packages: tuple[PackageImport, ...],
    budget: tuple[float | None, str],
) -> ColdStart:
    where, function = starter.mount.where, starter.mount.function
    without = samples.get((where, False))
    budget_ms, line = budget
    return ColdStart(
        stack=function.stack,
        name=function.logical_id,
        timing=Timing(tuple(samples[where, True])),
        without_bytecode=Timing(tuple(without)) if without else None,
        packages=packages,
        budget_ms=budget_ms,
        line=line,
    )


def _finding(function: ColdStart) -> Finding:
    budget_ms, min_ms = function.budget_ms or 0.0, function.timing.min_ms
    excess = f"{min_ms - budget_ms:.0f} ms over its budget of {budget_ms:g} ms"
    slowest = ", ".join(_describe(package) for package in function.packages[:_MAX_PACKAGES])
    what = f"{function.name} imports in {min_ms:.0f} ms at best, {excess}; the slowest imports: {slowest}"
    return Finding(function.line, what, "import less at module level, or raise the budget there")


def _describe(package: PackageImport) -> str:
    return f"{package.package} {package.own_ms:.0f} ms (imported by {package.imported_by or 'the handler'})"


def _row(function: ColdStart, has_both: bool) -> list[str]:
    budget = "" if function.budget_ms is None else f"{function.budget_ms:g}"
    timing = function.timing
    row = [function.name, f"{timing.median_ms:.0f}", f"{timing.min_ms:.0f}", f"{timing.max_ms:.0f}", budget]
    if not has_both or function.without_bytecode is None:
        return row
    ratio = function.without_bytecode.median_ms / timing.median_ms
    return [*row, f"{function.without_bytecode.median_ms:.0f}", f"{ratio:.1f}"]


def _package_rows(function: ColdStart) -> Iterator[tuple[str, ...]]:
    for number, package in enumerate(function.packages[:_MAX_PACKAGES]):
        cells = (f"{package.own_ms:.0f}", f"{package.cumulative_ms:.0f}", str(package.modules))
        yield ("" if number else function.name, package.package, *cells, package.imported_by or "the handler")


def _record(function: ColdStart) -> dict[str, Any]:
    return {
        "stack": function.stack,
        "name": function.name,
        "with_bytecode": _times(function.timing),
        "without_bytecode": _times(function.without_bytecode) if function.without_bytecode else None,
        "budget_ms": function.budget_ms,
        "over": function.is_over,
        "importers": [_package_record(package) for package in function.packages],
    }


def _package_record(package: PackageImport) -> dict[str, Any]:
    return {
        "package": package.package,
        "own_ms": package.own_ms,
        "cumulative_ms": package.cumulative_ms,
        "imported_by": package.imported_by,
        "modules": package.modules,
    }


def _times(timing: Timing) -> dict[str, Any]:
    return {
        "median_ms": timing.median_ms,
        "min_ms": timing.min_ms,
        "max_ms": timing.max_ms,
        "samples_ms": list(timing.samples_ms),
    }
