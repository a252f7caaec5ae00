"""`inv doctor`: run every check before a deployment, print what was checked, and change nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from automation.deploying import scope as scopes
from automation.deploying.checks import preflight
from automation.deploying.checks.preflight import Preflight
from automation.deploying.checks.visits import Account, Intent
from automation.deploying.releases import records as releases
from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.system import account_checks, console, git
from automation.system.accounts import Identity
from automation.system.errors import CheckFailedError, Finding
from automation.system.release_table import ReleaseTable

_STYLES: Mapping[Level, str] = {Level.STOP: "red", Level.WARN: "yellow", Level.INFO: "", Level.OK: ""}


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection to an environment."""

    account: Account
    find_lock: Callable[[Identity], Finding | None]
    find_released: Callable[[], Mapping[str, str]]


def connect(scope: Scope) -> Connection:
    """Open the connection to an environment; no call is made yet."""
    table = ReleaseTable(scope.target, releases.table_name(scope.stack_names))
    return Connection(
        account=account_checks.Account(scope.target),
        find_lock=preflight.lock_finder(scope, table),
        find_released=preflight.released_finder(scope, table),
    )


def report(
    root: Path,
    environment: str,
    *,
    variables: Mapping[str, str],
    json: bool = False,
    connect: Callable[[Scope], Connection] = connect,
) -> None:
    """Check an environment and print every result, the good ones too.

    Args:
        variables: the process's environment variables.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong.
        CheckFailedError: something stops a deployment; the results are printed first.
    """
    scope = scopes.read(root, environment, variables=variables)
    connection = connect(scope)
    intent = Intent(now=datetime.now(UTC), tree=git.read_work_tree(root))
    results = preflight.check(
        scope, connection.account, intent, find_lock=connection.find_lock, find_released=connection.find_released
    )

    (show_json if json else show)(scope, results)
    if results.stops:
        raise CheckFailedError(f"{len(results.stops)} finding(s) stop a deployment to {environment}")


def show(scope: Scope, results: Preflight) -> None:
    """Print one line per result, and the verdict."""
    console.result(f"{scope.environment.name}: {scope.target_text}")
    for remark in results.remarks:
        console.result(_line(remark), style=_STYLES[remark.level])
    if not results.stops:
        console.result(f"nothing stops a deployment; {len(results.warnings)} warning(s)")


def show_json(scope: Scope, results: Preflight) -> None:
    """Print all results as JSON."""
    remarks = [
        {"level": str(remark.level), "where": remark.where, "what": remark.what, "fix": remark.fix}
        for remark in results.remarks
    ]
    totals = {"stops": len(results.stops), "warnings": len(results.warnings)}
    console.result_json({"format": 1, "environment": scope.environment.name, "remarks": remarks, **totals})


def _line(remark: Remark) -> str:
    return f"{remark.level:<5}{remark.where}: {remark.what}{f'; {remark.fix}' if remark.fix else ''}"
