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


def client(service: str, *, connections: int = 10) -> Any:
    """Return a client of the SDK; the caller knows its class.

    Args:
        connections: how many may be open at once.
    """
    import boto3  # noqa: PLC0415 - see the module's docstring
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(service, config=Config(max_pool_connections=connections))  # type: ignore[call-overload] # service is any name
