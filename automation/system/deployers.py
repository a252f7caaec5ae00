"""Who deploys, and the lock that keeps other deployers out. Its own module, because release_table.py imports boto3."""

import getpass
import os
import platform
import sys
from dataclasses import dataclass
from datetime import datetime

from automation.system.files import WINDOWS


@dataclass(frozen=True, slots=True)
class Deployer:
    """A process that deploys.

    Attributes:
        arn: of the credentials.
        person: `user@host`.
    """

    arn: str
    person: str
    process_id: int

    def __str__(self) -> str:
        return f"{self.person} ({self.arn})"


@dataclass(frozen=True, slots=True)
class DeployerLock:
    """The lock of an environment, as its table stores it.

    Attributes:
        token: differs at every acquisition; a write of the lock is conditional on it.
        since: aware UTC, as AWS counts time.
        expires_at: when the lock lapses, unless it is renewed.
    """

    deployer: Deployer
    token: str
    since: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LockReading:
    """The lock at one moment; None when nobody holds it. `now` is the time of AWS, not of this computer."""

    lock: DeployerLock | None
    now: datetime


def this_process(arn: str) -> Deployer:
    """Return this process as a deployer."""
    return Deployer(arn, f"{_user()}@{platform.node()}", os.getpid())


def is_running(process_id: int, *, system: str = sys.platform) -> bool:
    """Return whether this computer runs a process of that id; on Windows always, so that a lock lapses by its time."""
    if system == WINDOWS:  # signal 0 would be Ctrl-C there
        return True
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may lack an entry in /etc/passwd, Windows has no file
        return f"uid{os.getuid()}" if hasattr(os, "getuid") else "unknown"
