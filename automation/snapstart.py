"""`inv coldstart --env E --snapstart FUNCTION`: how long a function starts with SnapStart and without, both measured.

A copy of the function, which no event reaches, gets one published version of each kind. Each version answers several
smoke tests at once, so that each starts an environment of its own. The copy is deleted afterwards.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from automation import coldstart_logs
from automation.deploying import consent
from automation.deploying import scope as scopes
from automation.deploying.checks import credentials
from automation.deploying.releases.cold_starts import Durations
from automation.deploying.scope import Scope
from automation.lambda_runtime import start_reports
from automation.lambda_runtime.start_reports import StartKind
from automation.project.settings import TABLE
from automation.system import aws, aws_commands, console
from automation.system.account_checks import Account
from automation.system.accounts import Identity
from automation.system.errors import ConfigurationError, DeploymentError, UsageError
from automation.system.function_trials import FunctionTrials
from automation.system.invocations import LoggedInvocation
from automation.system.log_lines import LogLine

MAX_RUNS = 50
MAX_ROUNDS = 3
_NUMBERS = ("cold starts", "p50", "p95", "max")
_WHERE = "coldstart --snapstart"
# In USD, us-east-1, May 2026, for Python. Source: articles about AWS's price list, whose own page computes its figures.
CACHE_USD_PER_GB_S = 0.0000015046
RESTORE_USD_PER_GB = 0.0001397998
_MONTH_S = 30 * 24 * 3600
_MB_PER_GB = 1024


class Trials(Protocol):
    """The calls to Lambda; function_trials.FunctionTrials is the real one."""

    def memory_mb(self, function: str) -> int:
        """Return the memory of a function."""
        ...

    def create(self, function: str) -> str:
        """Create a copy of a function and return its name."""
        ...

    def publish(self, copy: str, *, with_snapstart: bool) -> str:
        """Publish a version of a copy and return its number."""
        ...

    def invoke(self, copy: str, version: str, payload: Mapping[str, Any]) -> LoggedInvocation:
        """Send one message to a version."""
        ...

    def delete(self, copy: str) -> None:
        """Delete a copy with all its versions."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection to an environment."""

    identify: Callable[[], Identity]
    functions: coldstart_logs.Functions
    trials: Trials


@dataclass(frozen=True, slots=True)
class Trial:
    """What was measured; None for a kind of start that no invocation reported."""

    function: str
    memory_mb: int
    without: Durations | None
    with_snapstart: Durations | None


def connect(scope: Scope) -> Connection:
    """Open the connection to an environment; no call is made yet."""
    target = scope.target
    return Connection(Account(target).identity, aws.Cloud(target), FunctionTrials(target))


def compare(
    root: Path,
    name: str,
    function: str,
    *,
    variables: Mapping[str, str],
    runs: int,
    yes: bool = False,
    ask: Callable[[str], str] | None = None,
    connect: Callable[[Scope], Connection] = connect,
) -> Trial:
    """Measure both kinds of start of a function of the environment `name`.

    Args:
        function: its logical id.
        variables: the process's environment variables.
        runs: how many starts of each kind to measure.
        yes: the user has confirmed on the command line.
        ask: asks a question; None asks on this terminal, if there is one.

    Raises:
        UsageError: the environment or the function does not exist, `runs` is not possible, or it was not confirmed.
        ConfigurationError: the environment is an emulator, or the project has no smoke test.
        CheckFailedError: the credentials cannot be used for this environment.
        DeploymentError: AWS refused a request or did not answer, or the function fails.
    """
    if not 1 <= runs <= MAX_RUNS:
        raise UsageError(f"--runs must be between 1 and {MAX_RUNS}, got {runs}", where=_WHERE)
    scope = scopes.read(root, name, variables=variables)
    payload = _require_measurable(scope)
    is_interactive = ask is not None or console.is_interactive()
    consent.require_possible(scope.environment, yes=yes, is_interactive=is_interactive, command=_WHERE)

    connection = connect(scope)
    credentials.require_account(scope, connection.identify, datetime.now(UTC))
    deployed = coldstart_logs.find_deployed(scope, connection.functions)
    (selected,) = coldstart_logs.select(deployed, frozenset({function}), environment=name)[:1]
    if not yes:
        effect = f"create a copy of {function} in {name}, measure it and delete it"
        consent.confirm(effect, scope.environment, ask=ask or console.ask)
    return measure(selected.physical_name, connection.trials, payload, runs=runs, scope=scope)


def measure(function: str, trials: Trials, payload: Mapping[str, Any], *, runs: int, scope: Scope) -> Trial:
    """Measure both kinds of start with a copy of a function, which is deleted whatever happens.

    Args:
        function: its physical name.

    Raises:
        DeploymentError: Lambda refused a request or did not answer, or the function fails.
    """
    memory_mb = trials.memory_mb(function)
    with console.progress(f"measuring {function}") as show_step:
        copy = trials.create(function)
        try:
            durations: dict[StartKind, Durations | None] = {}
            for kind in StartKind:
                show_step(f"publishing a version for {kind}")
                version = trials.publish(copy, with_snapstart=kind is StartKind.RESTORE)
                show_step(f"starting it {runs} times")
                durations[kind] = _sample(copy, version, kind, trials, payload, runs=runs)
        finally:
            _delete(copy, trials, scope)
    return Trial(function, memory_mb, durations[StartKind.INIT], durations[StartKind.RESTORE])


def show(trial: Trial) -> None:
    """Print a table for people, and what SnapStart costs."""
    rows = [_row("without SnapStart", StartKind.INIT, trial.without)]
    rows.append(_row("with SnapStart", StartKind.RESTORE, trial.with_snapstart))
    console.table((trial.function, "start", "cold starts", "p50", "p95", "max"), rows, right=_NUMBERS)
    console.result(f"milliseconds; price: {price_text(trial.memory_mb)}")


def show_json(trial: Trial) -> None:
    """Print JSON for programs."""
    console.result_json(
        {
            "format": 1,
            "function": trial.function,
            "memory_mb": trial.memory_mb,
            "without": _record(trial.without),
            "with_snapstart": _record(trial.with_snapstart),
            "price": price_text(trial.memory_mb),
        }
    )


def price_text(memory_mb: int) -> str:
    """Return what SnapStart costs for a function with that much memory."""
    gigabytes = memory_mb / _MB_PER_GB
    month = gigabytes * CACHE_USD_PER_GB_S * _MONTH_S
    restores = gigabytes * RESTORE_USD_PER_GB * 1000
    return (
        f"SnapStart of {memory_mb} MB costs ${month:.2f} a month per published version, "
        f"and ${restores:.2f} per 1,000 restores (us-east-1, as listed in May 2026; see aws.amazon.com/lambda/pricing)"
    )


def _require_measurable(scope: Scope) -> Mapping[str, Any]:
    """Return the message of the smoke test, if SnapStart can be measured in this environment."""
    if scope.target.is_loopback:
        message = "an emulator has neither Init nor Restore Duration; measure in an environment on AWS"
        raise ConfigurationError(message, where=scope.environment.name)
    payload = scope.project.settings.smoke
    if payload is None:
        raise ConfigurationError("has no smoke = {…}, the message that a cold function answers", where=TABLE)
    return payload


def _sample(
    copy: str, version: str, kind: StartKind, trials: Trials, payload: Mapping[str, Any], *, runs: int
) -> Durations | None:
    """Invoke a version `runs` times at once, again while starts are missing: an environment may answer two."""
    samples_ms: list[float] = []
    with ThreadPoolExecutor(runs) as pool:
        for _ in range(MAX_ROUNDS):
            results = list(pool.map(lambda _: trials.invoke(copy, version, payload), range(runs)))
            if errors := [result.error for result in results if result.error]:
                raise DeploymentError(f"{len(errors)} of {runs} invocations failed: {errors[0]}", where=copy)
            for result in results:
                samples_ms += _durations_ms(result.log, kind)
            if len(samples_ms) >= runs:
                break
    return Durations(tuple(samples_ms[:runs])) if samples_ms else None


def _durations_ms(log: str, kind: StartKind) -> list[float]:
    now = datetime.now(UTC)
    reports = start_reports.parse(LogLine(now, "", line) for line in log.splitlines())
    return [start.duration_ms for start in reports.starts if start.kind is kind]


def _delete(copy: str, trials: Trials, scope: Scope) -> None:
    """Delete the copy; a failure to do so does not hide what was measured, or why nothing was."""
    try:
        trials.delete(copy)
    except DeploymentError as cause:
        command = aws_commands.line(scope.target, "lambda", "delete-function", "--function-name", copy)
        console.warning(f"the copy {copy} could not be deleted: {cause}; delete it: {command}")


def _row(label: str, kind: StartKind, durations: Durations | None) -> Sequence[str]:
    if durations is None:
        return (label, kind, "0", "not measured", "", "")
    return (label, kind, *coldstart_logs.duration_cells(durations))


def _record(durations: Durations | None) -> dict[str, Any] | None:
    if durations is None:
        return None
    return {**coldstart_logs.duration_record(durations), "samples_ms": list(durations.samples_ms)}
