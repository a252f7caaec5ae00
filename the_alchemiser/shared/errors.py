"""The root of the product's errors: which of them may be retried, and the code by which messages name them."""

from typing import ClassVar

RETRIES_EXHAUSTED = "retries_exhausted"
"""The reason code of a message that failed at its last receive, whatever the error was."""


def _snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


class AlchemiserError(Exception):
    """A failure that the product names.

    Attributes:
        retryable: whether the same message may succeed later. The shell returns a retryable message to its queue;
            every other failure is published as a failure message.
        reason: the snake_case code that messages carry. It is the class name, `NoBarsError` -> `no_bars`, unless the
            class sets its own. Never inherited.
    """

    retryable: ClassVar[bool] = False
    reason: ClassVar[str] = "alchemiser"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "reason" not in cls.__dict__:
            cls.reason = _snake_case(cls.__name__.removesuffix("Error"))


class MalformedMessageError(AlchemiserError):
    """A record is neither a message nor a command; after three receives it moves unchanged to the dead-letter queue."""


class SetupIncompleteError(AlchemiserError):
    """A person has not set something up yet, such as a secret: a new deployment is incomplete, not broken.

    Attributes:
        missing: what is missing, such as `broker secret`.
    """

    missing: ClassVar[str] = ""


class StateUnavailableError(AlchemiserError):
    """A store did not answer, or an item that must exist is not visible yet."""

    retryable: ClassVar[bool] = True
