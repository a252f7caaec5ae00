"""The product's error tree: what the shell may retry, and what it must tell instead."""

from typing import ClassVar


class AlchemiserError(Exception):
    """Any failure the product knows by name.

    `retryable` says whether the same message may succeed later: the shell lets it return to its queue; the rest
    becomes a failure message.
    """

    retryable: ClassVar[bool] = False


class MalformedMessageError(AlchemiserError):
    """A record that is no message of ours; after three receives it lies in the dead-letter queue, whole."""


class StateUnavailableError(AlchemiserError):
    """A store did not answer, or an item that must be there is not visible yet."""

    retryable: ClassVar[bool] = True
