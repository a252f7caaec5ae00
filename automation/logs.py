"""`inv logs`: the lines that the functions of an environment logged, merged in the order of time.

With --follow, a line that arrives late is printed when it arrives: CloudWatch Logs may take some seconds.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from automation import coldstart_logs
from automation.coldstart_logs import Functions
from automation.deploying import scope as scopes
from automation.deploying.checks import credentials
from automation.deploying.scope import Scope
from automation.operating import log_entries, merged_logs
from automation.operating.log_entries import LogEntry
from automation.operating.merged_logs import Clock, FunctionLog, Logs, WrittenLine
from automation.project import function_names
from automation.system import aws, console
from automation.system.account_checks import Account
from automation.system.accounts import Identity
from automation.system.errors import UsageError
from automation.system.function_logs import FunctionLogs

DEFAULT_SINCE = "1h"
_WHERE = "logs"
_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
# CloudWatch Logs knows no earlier time.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AGE = re.compile(r"(\d{1,5})([smhd])")
# What a person who finds nothing may try next.
_FURTHER = ("1d", "30d")
_STYLES = {"DEBUG": "dim", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red"}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the lines come from."""

    identify: Callable[[], Identity]
    functions: Functions
    logs: Logs


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose.

    Attributes:
        text: only lines that contain it; empty for all.
        functions: logical ids or code folders; empty for all.
        level: only lines of this level and of more serious ones.
        since: an age such as 2h, or a time.
        follow: go on until interrupted.
        json: print one JSON document per line.
    """

    text: str = ""
    functions: tuple[str, ...] = ()
    level: str = "info"
    since: str = DEFAULT_SINCE
    follow: bool = False
    json: bool = False


_DEFAULTS = Options()


def connect(scope: Scope) -> Sources:
    """Open the connections to an environment; no call is made yet."""
    return Sources(Account(scope.target).identity, aws.Cloud(scope.target), FunctionLogs(scope.target))


def show(
    root: Path,
    name: str,
    *,
    variables: Mapping[str, str],
    options: Options = _DEFAULTS,
    clock: Clock | None = None,
    connect: Callable[[Scope], Sources] = connect,
) -> None:
    """Print what the functions of the environment `name` logged.

    Args:
        variables: the process's environment variables.
        clock: None for that of this machine.

    Raises:
        UsageError: the environment, a function or the level does not exist, `since` cannot be parsed, or no function
            is deployed.
        CheckFailedError: the credentials cannot be used for this environment.
        ConfigurationError: the settings are incomplete or wrong.
        DeploymentError: AWS did not answer.
    """
    clock = clock or merged_logs.this_clock()
    options = replace(options, level=log_entries.level_of(options.level))
    since = since_of(options.since, clock.now())
    scope = scopes.read(root, name, variables=variables)
    sources = connect(scope)
    credentials.require_account(scope, sources.identify, clock.now())
    located = merged_logs.locate(_functions(scope, sources, options), sources.logs)
    if options.follow:
        _follow(located, sources.logs, options, since, clock)
        return
    with console.progress(f"reading the logs of {len(located)} functions"):
        lines = merged_logs.read(located, sources.logs, since=since, until=clock.now(), text=options.text)
    if not _show(lines, options, located) and not options.json:
        console.result(_nothing(options, since, clock.now()))


def since_of(text: str, now: datetime) -> datetime:
    """Return the moment that a person names: an age such as 90s, 5m, 2h or 3d, or a time, in UTC unless it says more.

    Raises:
        UsageError: the text is neither.
    """
    if age := _AGE.fullmatch(text):
        return max(_EPOCH, now - int(age[1]) * _UNITS[age[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        examples = "write 90s, 5m, 2h or 3d, or a time in UTC such as 2026-01-31T14:30"
        raise UsageError(f"--since {text!r} is neither an age nor a time; {examples}", where=_WHERE) from cause
    return max(_EPOCH, moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _functions(scope: Scope, sources: Sources, options: Options) -> Mapping[str, str]:
    """Return the physical names of the chosen functions, by logical id, with the stack when two stacks have it.

    Raises:
        UsageError: there is no such function, or none at all.
    """
    deployed, environment = coldstart_logs.find_deployed(scope, sources.functions), scope.environment.name
    if not deployed:
        raise UsageError(f"{environment} has no deployed function; deploy it first: inv deploy --env {environment}")
    folders = _folders(scope)
    names = function_names.ids_or_names(options.functions, scope.project.functions)
    chosen = coldstart_logs.select(deployed, names, environment=environment, where=_WHERE, folders=folders)
    uses = Counter(function.name for function in chosen)
    return {
        function.name if uses[function.name] == 1 else f"{function.stack}/{function.name}": function.physical_name
        for function in chosen
    }


def _folders(scope: Scope) -> dict[str, str]:
    """Return the name of each function's code folder, which is a shorter name, by the function's logical id."""
    return {
        function.logical_id: PurePosixPath(function.code_uri).name
        for function in scope.project.functions
        if isinstance(function.code_uri, str)
    }


def _follow(located: Sequence[FunctionLog], logs: Logs, options: Options, since: datetime, clock: Clock) -> None:
    def read(since: datetime, until: datetime) -> tuple[WrittenLine, ...]:
        return merged_logs.read(located, logs, since=since, until=until, text=options.text)

    console.note(f"following {len(located)} functions; Ctrl-C ends it")
    for lines in merged_logs.follow(read, since, clock):
        _show(lines, options, located)
        console.flush()


def _show(lines: Iterable[WrittenLine], options: Options, located: Sequence[FunctionLog]) -> int:
    """Print the lines of the chosen levels, and return how many these are."""
    entries = [log_entries.parse(written.line, written.function) for written in lines]
    shown = [entry for entry in entries if entry.is_at_least(options.level)]
    width = max(len(log.name) for log in located)
    for entry in shown:
        if options.json:
            console.result(json.dumps(_record(entry), ensure_ascii=False))
        else:
            console.result(entry.line(width=width), style=_STYLES.get(entry.level, ""))
    return len(shown)


def _record(entry: LogEntry) -> dict[str, Any]:
    """Return an entry for programs: `line` is the JSON that the function logged, or its text."""
    return {
        "at": entry.at.isoformat(),
        "function": entry.function,
        "level": entry.level,
        "line": entry.document if entry.document is not None else entry.text,
    }


def _nothing(options: Options, since: datetime, now: datetime) -> str:
    """Say that there is no line, and what else to try."""
    what = f"no line of level {options.level.lower()}{f' contains {options.text!r}' if options.text else ''}"
    hints = [f"look further back: --since {age}" for age in _FURTHER if since_of(age, now) < since][:1]
    if options.level != log_entries.LEVELS[0]:
        hints.append("look at less serious lines, too: --level debug")
    return "; ".join((f"{what} since {since:%Y-%m-%d %H:%M} UTC", *hints))
