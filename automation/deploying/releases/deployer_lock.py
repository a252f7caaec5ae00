"""The lock that allows one deployer per environment: who holds it and since when; it lapses unless it is renewed.

Time is AWS's, taken from the answers of the table. A deployer that was killed takes its own lock again at once.
"""

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from automation.system import aws_commands, console, deployers
from automation.system.deployers import Deployer, DeployerLock, LockReading
from automation.system.errors import CheckFailedError, DeploymentError, Finding
from automation.system.targets import Target

LIFETIME = timedelta(hours=1)
RENEW_AFTER_S = 600.0
_KEY = '{"pk": {"S": "LOCK"}, "sk": {"S": "deployer"}}'


class LockedError(CheckFailedError):
    """Another deployer holds the lock; `findings` says who."""


class Table(Protocol):
    """The table that stores the lock; release_table.ReleaseTable is the real one."""

    @property
    def target(self) -> Target:
        """The cloud of the table."""
        ...

    @property
    def name(self) -> str:
        """The table's name."""
        ...

    def read_lock(self) -> LockReading:
        """Return the lock and AWS's time."""
        ...

    def write_lock(self, lock: DeployerLock, *, expected: str) -> bool:
        """Write the lock if its token is still `expected` (empty: if there is no lock); return whether it was."""
        ...

    def remove_lock(self, token: str) -> None:
        """Remove the lock, unless it has another token."""
        ...


def may_take(
    reading: LockReading, deployer: Deployer, *, is_running: Callable[[int], bool] = deployers.is_running
) -> bool:
    """Return whether a deployer may take the lock: it is free, has lapsed, or is left from a process of its own.

    Args:
        is_running: whether this computer runs a process of that id.
    """
    lock = reading.lock
    if lock is None or lock.expires_at <= reading.now:
        return True
    is_own = (lock.deployer.arn, lock.deployer.person) == (deployer.arn, deployer.person)
    # Two terminals of one person are two deployers: only a dead process has left its lock behind.
    return is_own and not is_running(lock.deployer.process_id)


def obstacle(lock: DeployerLock, environment: str, table: Table) -> Finding:
    """Return who keeps a deployment out, until when, and the commands that show or remove the lock."""
    what = f"{lock.deployer} has been deploying since {_text(lock.since)}; the lock lapses at {_text(lock.expires_at)}"
    look = shlex.join(["inv", "status", "--env", environment])
    fix = f"wait and look: {look}; if that process has ended, remove the lock: {_remove_command(table)}"
    return Finding(environment, what, fix)


@contextmanager
def hold(
    table: Table,
    deployer: Deployer,
    *,
    environment: str,
    is_running: Callable[[int], bool] = deployers.is_running,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[], None]]:
    """Hold the lock while the block runs. Call what it yields often: it renews the lock when that is due.

    Args:
        clock: seconds that never run backwards; only differences count.

    Raises:
        LockedError: another deployer holds the lock, or has taken it because it lapsed.
        DeploymentError: DynamoDB did not answer.
    """
    lock = acquire(table, deployer, environment=environment, token=uuid4().hex, is_running=is_running)
    renewed_s = clock()

    def renew_if_due() -> None:
        nonlocal renewed_s
        if clock() - renewed_s >= RENEW_AFTER_S:
            renew(table, lock, environment=environment)
            renewed_s = clock()

    try:
        yield renew_if_due
    finally:
        release(table, lock)


def acquire(
    table: Table,
    deployer: Deployer,
    *,
    environment: str,
    token: str,
    is_running: Callable[[int], bool] = deployers.is_running,
) -> DeployerLock:
    """Take the lock.

    Args:
        token: differs at every acquisition.

    Raises:
        LockedError: another deployer holds it.
        DeploymentError: DynamoDB did not answer.
    """
    reading = table.read_lock()
    if reading.lock is not None and not may_take(reading, deployer, is_running=is_running):
        raise _locked(reading.lock, environment, table)

    lock = DeployerLock(deployer, token, since=reading.now, expires_at=reading.now + LIFETIME)
    if not table.write_lock(lock, expected=reading.lock.token if reading.lock else ""):
        _require_own(table, token, environment)
    return lock


def renew(table: Table, lock: DeployerLock, *, environment: str) -> None:
    """Let the lock live for another `LIFETIME` from now.

    Raises:
        LockedError: it lapsed, and another deployer has taken it.
        DeploymentError: DynamoDB did not answer.
    """
    renewed = replace(lock, expires_at=table.read_lock().now + LIFETIME)
    if not table.write_lock(renewed, expected=lock.token):
        _require_own(table, lock.token, environment)


def release(table: Table, lock: DeployerLock) -> None:
    """Give the lock back. When AWS does not answer, print a warning: the lock lapses by itself."""
    try:
        table.remove_lock(lock.token)
    except DeploymentError as cause:
        console.warning(f"the lock could not be removed and lapses within an hour: {cause}")


def _require_own(table: Table, token: str, environment: str) -> None:
    """Raise unless the lock has this token: a write whose answer was lost is refused when it is repeated."""
    lock = table.read_lock().lock
    if lock is None:
        raise LockedError("the lock of this deployment was removed; deploy again", where=environment)
    if lock.token != token:
        raise _locked(lock, environment, table)


def _locked(lock: DeployerLock, environment: str, table: Table) -> LockedError:
    return LockedError("another deployer is at work", where=environment, findings=[obstacle(lock, environment, table)])


def _remove_command(table: Table) -> str:
    return aws_commands.line(table.target, "dynamodb", "delete-item", "--table-name", table.name, "--key", _KEY)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
