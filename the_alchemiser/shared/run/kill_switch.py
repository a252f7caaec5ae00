"""The kill switch: one SSM parameter, `enabled` or `paused`. An unreadable switch counts as paused."""

import logging
from typing import TYPE_CHECKING, Protocol

from the_alchemiser.shared import aws
from the_alchemiser.shared.errors import AlchemiserError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

ENABLED = "enabled"
PAUSED = "paused"
_VALUES = (ENABLED, PAUSED)
logger = logging.getLogger(__name__)


class SwitchMalformedError(AlchemiserError):
    """The kill switch has a value that is neither enabled nor paused; trading counts as paused."""


class Switch(Protocol):
    """The kill switch, as services need it."""

    def is_enabled(self) -> bool:
        """Return whether trading is enabled."""
        ...


class KillSwitch:
    """Switch on SSM, read on every call: an order must not follow an answer that is seconds old."""

    def __init__(self, client: "SSMClient", parameter: str) -> None:
        self._client = client
        self._parameter = parameter

    def is_enabled(self) -> bool:
        """Return False when the switch is paused, missing or unreadable; an unreadable switch is logged as an error."""
        try:
            value = self._value()
        except (aws.BotoCoreError, aws.ClientError):
            # Fail closed: without an answer, nobody can rule out that a person has paused trading.
            logger.exception("the kill switch %s cannot be read: trading counts as paused", self._parameter)
            return False
        return value == ENABLED

    def check(self) -> None:
        """Read the switch, whether enabled or paused.

        Raises:
            SwitchMalformedError: it has another value.
            ClientError, BotoCoreError: SSM denied access, has no such parameter, or did not answer.
        """
        value = self._value()
        if value not in _VALUES:
            raise SwitchMalformedError(f"{self._parameter} is {value!r}, expected {' or '.join(_VALUES)}")

    def _value(self) -> str:
        return self._client.get_parameter(Name=self._parameter)["Parameter"]["Value"]
