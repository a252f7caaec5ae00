"""The kill switch as the person on duty uses it: read it, set it, and see who set it before."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from the_alchemiser.shared.run.kill_switch import ENABLED

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that the switch had or has.

    Attributes:
        value: `enabled` or `paused`; empty when there is no such parameter.
        since: when it was set, UTC; None when AWS does not say.
        by: the ARN of who set it; empty when AWS does not say.
    """

    value: str
    since: datetime | None = None
    by: str = ""

    @property
    def is_enabled(self) -> bool:
        """Return whether the system may trade; any other value counts as paused."""
        return self.value == ENABLED


class Switch(Protocol):
    """The calls to the kill switch; KillSwitch is the real one."""

    @property
    def name(self) -> str:
        """The name of its parameter."""
        ...

    def read(self) -> Setting:
        """Return its value, with who set it and when if AWS says so."""
        ...

    def set(self, value: str) -> None:
        """Set its value."""
        ...


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Switch on SSM."""

    client: "SSMClient"
    name: str

    def read(self) -> Setting:
        """Return its value; with who set it and when, unless these credentials may not read its history."""
        value = self.client.get_parameter(Name=self.name)["Parameter"]["Value"]
        return self._latest(value) or Setting(value)

    def set(self, value: str) -> None:
        """Set its value. Idempotent."""
        self.client.put_parameter(Name=self.name, Value=value, Overwrite=True)

    def _latest(self, value: str) -> Setting | None:
        """Return when this value was set: the oldest of the latest changes that all have it."""
        try:
            pages = self.client.get_paginator("get_parameter_history").paginate(Name=self.name)
            changes: list[Any] = list(chain.from_iterable(page["Parameters"] for page in pages))
        except ClientError:
            # Who set it is good to know; its value is what matters.
            return None
        latest: Setting | None = None
        for change in sorted(changes, key=lambda change: change["Version"], reverse=True):
            if change["Value"] != value:
                break
            latest = Setting(value, change["LastModifiedDate"].astimezone(UTC), change.get("LastModifiedUser", ""))
        return latest
