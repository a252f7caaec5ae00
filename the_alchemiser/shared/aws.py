"""The AWS SDK, loaded with the first client that is created, or the first of its errors that is looked up.

The SDK is half of what a handler would import. This way a function's INIT loads only its own code; the SDK is loaded
with the first event, which creates the clients anyway.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

    __all__ = ["BotoCoreError", "ClientError", "client"]
else:

    def __getattr__(name: str) -> type[Exception]:
        """Look up `aws.ClientError`, which an except clause does only when something was raised. Source: PEP 562."""
        if name not in {"BotoCoreError", "ClientError"}:
            raise AttributeError(name)
        from botocore import exceptions  # noqa: PLC0415 - see the module's docstring

        return getattr(exceptions, name)


_CONNECT_S = 2
_READ_S = 5


def client(service: str, *, connections: int = 10, attempts: int = 3, read_s: int = _READ_S) -> Any:
    """Return a client of the SDK; the caller knows its class.

    By default, an attempt waits 2 s for a connection and 5 s for bytes, and the SDK pauses at most 3 s between three
    attempts. So a call that never gets an answer fails after 24 s, inside the 30 s of a function; the SDK's own limits
    are 60 s.

    Args:
        connections: how many may be open at once.
        attempts: how often a call is sent at most. An attempt without an answer may have taken effect: a call that
            must not take effect twice needs 1.
        read_s: how long an attempt waits for bytes.
    """
    import boto3  # noqa: PLC0415 - see the module's docstring
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=_CONNECT_S,
        read_timeout=read_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload] # service is any name
