"""The kill switch: one SSM parameter, `enabled` or `paused`. An unreadable switch counts as paused."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger

from the_alchemiser.shared import aws
from the_alchemiser.shared.errors import AlchemiserError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

MAX_AGE_S = 5.0
ENABLED = "enabled"
PAUSED = "paused"
_VALUES = (ENABLED, PAUSED)
logger = Logger(child=True)


class SwitchMalformedError(AlchemiserError):
    """The kill switch has a value that is neither enabled nor paused; trading counts as paused."""


class Switch(Protocol):
    """The kill switch, as services need it."""

    def is_enabled(self) -> bool:
        """Return whether trading is enabled."""
        ...


class KillSwitch:
    """Switch on SSM; its answer is at most 5 seconds old."""

    def __init__(self, client: "SSMClient", parameter: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._parameter = parameter
        self._clock = clock
        self._read_at: float | None = None
        self._enabled = False

    def is_enabled(self) -> bool:
        """Return False when the switch is paused, missing or unreadable; an unreadable switch is logged as an error."""
        now = self._clock()
        if self._read_at is None or now - self._read_at > MAX_AGE_S:
            self._enabled, self._read_at = self._read(), now
        return self._enabled

    def check(self) -> None:
        """Read the switch again, whether enabled or paused.

        Raises:
            SwitchMalformedError: it has another value.
            ClientError, BotoCoreError: SSM denied access, has no such parameter, or did not answer.
        """
        value = self._value()
        if value not in _VALUES:
            raise SwitchMalformedError(f"{self._parameter} is {value!r}, expected {' or '.join(_VALUES)}")

    def _read(self) -> bool:
        try:
            value = self._value()
        except (aws.BotoCoreError, aws.ClientError):
            # Fail closed: without an answer, nobody can rule out that a person has paused trading.
            logger.exception("the kill switch %s cannot be read: trading counts as paused", self._parameter)
            return False
        return value == ENABLED

    def _value(self) -> str:
        return self._client.get_parameter(Name=self._parameter)["Parameter"]["Value"]
