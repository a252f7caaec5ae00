"""`inv coldstart --env`: the cold starts of deployed functions, from what Lambda reported in their logs.

No figure is shown that was not measured: a function without a cold start says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from automation.deploying import scope as scopes
from automation.deploying.releases import cold_starts, release_windows
from automation.deploying.releases import records as releases
from automation.deploying.releases.cold_starts import Durations, FunctionStarts, ReleaseStarts
from automation.deploying.scope import Scope
from automation.lambda_runtime import local_coldstarts, start_reports
from automation.project import function_names
from automation.system import aws, console
from automation.system.errors import UsageError
from automation.system.function_logs import FunctionLogs
from automation.system.log_lines import LogLine
from automation.system.release_table import ReleaseTable
from automation.system.stacks import NoSuchStackError

DEFAULT_DAYS = 14
_COLUMNS = ("function", "release", "start", "cold starts", "p50", "p95", "max", "change of p50", "local import")
_WHERE = "coldstart"
_EMULATOR = "the reports of an emulator have no Init Duration; measure in an environment on AWS"
_PERCENTILES = (
    f"milliseconds; percentiles by {cold_starts.PERCENTILE_METHOD}; p95 of {cold_starts.LEAST_FOR_P95} or more"
)
_LOCAL = "local import: the median of the import alone on this machine; inv coldstart measures it"


class Functions(Protocol):
    """The call to CloudFormation; aws.Cloud is the real one."""

    def functions(self, stack_name: str) -> Mapping[str, str]:
        """Return the physical name of each function of a stack, by logical id."""
        ...


class Logs(Protocol):
    """The calls for logs; function_logs.FunctionLogs is the real one."""

    def log_group(self, function: str) -> str:
        """Return the log group that a function writes to."""
        ...

    def reports(self, group: str, function: str, *, since: datetime, until: datetime) -> tuple[LogLine, ...]:
        """Return Lambda's reports of a function, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the cold starts come from."""

    functions: Functions
    logs: Logs
    table: releases.Table


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        names: logical ids of functions; empty means all.
        days: how many days of logs to read; 0 means `DEFAULT_DAYS`.
        snapstart: a function to measure with SnapStart and without; empty for none.
        yes: the copy that this needs is confirmed.
        without_bytecode: only for a measurement on this machine.
    """

    names: tuple[str, ...] = ()
    days: int = 0
    snapstart: str = ""
    yes: bool = False
    without_bytecode: bool = False


_DEFAULTS = Options()


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed function."""

    stack: str
    name: str
    physical_name: str


@dataclass(frozen=True, slots=True)
class ColdStartReport:
    """The cold starts of an environment in the last days.

    Attributes:
        since: aware UTC.
        is_emulated: whether the environment is an emulator on this machine.
    """

    environment: str
    since: datetime
    days: int
    functions: tuple[FunctionStarts, ...]
    is_emulated: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know about the figures."""
        figures = (_PERCENTILES, _LOCAL) if any(function.releases for function in self.functions) else ()
        return (*figures, _EMULATOR) if self.is_emulated else figures


def connect(scope: Scope) -> Sources:
    """Open the connections to an environment; no call is made yet."""
    table = ReleaseTable(scope.target, releases.table_name(scope.stack_names))
    return Sources(aws.Cloud(scope.target), FunctionLogs(scope.target), table)


def require_consistent(env: str, options: Options) -> None:
    """Refuse options of `inv coldstart` that exclude each other.

    Raises:
        UsageError: two of them do.
    """
    choices = {"--days": options.days, "--snapstart": options.snapstart, "--yes": options.yes}
    chosen = [name for name, value in choices.items() if value]
    if chosen and not env:
        raise UsageError(f"{chosen[0]} is for functions on AWS; add --env ENV", where=_WHERE)
    if options.without_bytecode:
        raise UsageError("--without-bytecode measures on this machine; leave --env out", where=_WHERE)
    if options.snapstart and (options.days or options.names):
        raise UsageError("--snapstart measures one function; leave --days and other names out", where=_WHERE)
    if options.yes and not options.snapstart:
        raise UsageError("--yes confirms --snapstart, which creates a function; leave it out", where=_WHERE)


def report(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options = _DEFAULTS,
    json: bool = False,
    now: datetime | None = None,
    connect: Callable[[Scope], Sources] = connect,
) -> None:
    """Print the cold starts of the environment `name`, by function and release.

    Args:
        variables: the process's environment variables.
        options: `names` and `days`.
        now: aware; None for the present.

    Raises:
        UsageError: the environment or a function does not exist, or `days` is less than 1.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
    """
    days = options.days or DEFAULT_DAYS
    if days < 1:
        raise UsageError(f"--days must be at least 1, got {days}", where=_WHERE)
    scope = scopes.read(root, name, variables=variables)
    sources, until = connect(scope), now or datetime.now(UTC)
    names = function_names.ids_or_names(options.names, scope.project.functions)
    deployed = select(find_deployed(scope, sources.functions), names, environment=name)
    since = until - timedelta(days=days)
    functions = gather(deployed, sources, since=since, until=until, local_ms=local_coldstarts.read(root))
    result = ColdStartReport(name, since, days, functions, scope.target.is_loopback)
    (show_json if json else show)(result)


def find_deployed(scope: Scope, cloud: Functions) -> tuple[Deployed, ...]:
    """Return the functions of every stack that exists.

    Raises:
        DeploymentError: CloudFormation did not answer.
    """
    deployed: list[Deployed] = []
    for settings in scope.stacks:
        try:
            physical_names = cloud.functions(settings.stack_name)
        except NoSuchStackError:
            continue
        deployed += [Deployed(settings.stack.name, *names) for names in sorted(physical_names.items())]
    return tuple(deployed)


def select(
    deployed: Sequence[Deployed],
    names: frozenset[str],
    *,
    environment: str,
    where: str = _WHERE,
    folders: Mapping[str, str] | None = None,
) -> tuple[Deployed, ...]:
    """Return the functions with these names; empty means all.

    Args:
        folders: the code folder of each function, when the caller takes it as a name, too.

    Raises:
        UsageError: the environment has no function with that name.
    """
    known = sorted({function.name for function in deployed})
    if unknown := sorted(names.difference(known)):
        texts = [f"{name} ({folders[name]})" if folders and name in folders else name for name in known]
        choice = f"its functions are: {', '.join(texts)}" if known else f"deploy first: inv deploy --env {environment}"
        raise UsageError(f"{environment} has no function {unknown[0]!r}; {choice}", where=where)
    return tuple(function for function in deployed if not names or function.name in names)


def gather(
    deployed: Sequence[Deployed],
    sources: Sources,
    *,
    since: datetime,
    until: datetime,
    local_ms: Mapping[tuple[str, str], float],
) -> tuple[FunctionStarts, ...]:
    """Read the logs of functions, one after the other: CloudWatch Logs allows few such requests per second.

    Raises:
        DeploymentError: AWS did not answer.
    """
    known = releases.read(sources.table)
    functions: list[FunctionStarts] = []
    with console.steps("reading the logs of", len(deployed)) as advance:
        for function in deployed:
            group = sources.logs.log_group(function.physical_name)
            lines = sources.logs.reports(group, function.physical_name, since=since, until=until)
            reports = start_reports.parse(lines)
            windows = release_windows.windows_of(known, function.stack)
            starts = cold_starts.by_release(reports, windows)
            local = local_ms.get((function.stack, function.name))
            functions.append(
                FunctionStarts(function.stack, function.name, group, reports.invocations, starts, local_import_ms=local)
            )
            advance(function.name)
    return tuple(functions)


def show(result: ColdStartReport) -> None:
    """Print a table for people, what has no figure, and the notes."""
    if not result.functions:
        console.result(f"{result.environment} is not deployed; deploy it first: inv deploy --env {result.environment}")
        return
    rows: list[Sequence[str]] = []
    for function in result.functions:
        rows += [_row(function, starts, is_first=number == 0) for number, starts in enumerate(function.releases)]
    if rows:
        console.result(f"cold starts of {result.environment} since {result.since:%Y-%m-%d %H:%M} UTC")
        console.table(_COLUMNS, rows, right=_COLUMNS[3:])
    for function in result.functions:
        if not function.releases:
            console.result(f"{function.name}: {_nothing_measured(function, result.days)}")
    for note in result.notes:
        console.result(f"note: {note}", style="dim")


def show_json(result: ColdStartReport) -> None:
    """Print JSON for programs; docs/coldstarts.md documents the keys."""
    console.result_json(
        {
            "format": 1,
            "environment": result.environment,
            "since": result.since.isoformat(),
            "days": result.days,
            "functions": [_function_record(function) for function in result.functions],
            "notes": list(result.notes),
        }
    )


def duration_cells(durations: Durations) -> Sequence[str]:
    """Return the cells of `cold starts`, `p50`, `p95` and `max` in a table."""
    p95 = "" if durations.p95_ms is None else f"{durations.p95_ms:.0f}"
    return str(durations.count), f"{durations.p50_ms:.0f}", p95, f"{durations.max_ms:.0f}"


def duration_record(durations: Durations) -> dict[str, Any]:
    """Return the same figures for JSON."""
    return {
        "cold_starts": durations.count,
        "p50_ms": durations.p50_ms,
        "p95_ms": durations.p95_ms,
        "max_ms": durations.max_ms,
    }


def _nothing_measured(function: FunctionStarts, days: int) -> str:
    if not function.invocations:
        return f"no cold start in {days} days: no invocation in {function.log_group}"
    return f"no cold start in {days} days: none of its {function.invocations} invocations reported one"


def _row(function: FunctionStarts, starts: ReleaseStarts, *, is_first: bool) -> Sequence[str]:
    local = "" if function.local_import_ms is None or not is_first else f"{function.local_import_ms:.0f}"
    cells = (*duration_cells(starts.durations), _change(starts), local)
    return (function.name if is_first else "", starts.release, starts.kind, *cells)


def _change(starts: ReleaseStarts) -> str:
    if starts.change_ms is None or starts.before is None:
        return ""
    return f"{starts.change_ms:+.0f} ({100 * starts.change_ms / starts.before.p50_ms:+.0f} %)"


def _function_record(function: FunctionStarts) -> dict[str, Any]:
    return {
        "stack": function.stack,
        "name": function.name,
        "log_group": function.log_group,
        "invocations": function.invocations,
        "local_import_ms": function.local_import_ms,
        "releases": [_starts_record(starts) for starts in function.releases],
    }


def _starts_record(starts: ReleaseStarts) -> dict[str, Any]:
    durations = duration_record(starts.durations)
    return {"release": starts.release, "start": str(starts.kind), **durations, "change_ms": starts.change_ms}
