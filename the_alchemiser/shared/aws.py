"""The AWS SDK, loaded by the first client that is made, or the first of its errors that is looked at.

It is half of what a handler would import. A function's INIT is then its own code; the SDK comes with the first event,
which makes the clients anyway.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

    __all__ = ["BotoCoreError", "ClientError", "client"]
else:

    def __getattr__(name: str) -> type[Exception]:
        """`aws.ClientError` in an except clause is looked up only when something was raised. Source: PEP 562."""
        if name not in {"BotoCoreError", "ClientError"}:
            raise AttributeError(name)
        from botocore import exceptions  # noqa: PLC0415 - as the module's docstring says

        return getattr(exceptions, name)


def client(service: str, *, connections: int = 10) -> Any:
    """A client of the SDK; the caller knows its class.

    Args:
        connections: how many may be open at once.
    """
    import boto3  # noqa: PLC0415 - as the module's docstring says
    from botocore.config import Config  # noqa: PLC0415

    return boto3.client(service, config=Config(max_pool_connections=connections))  # type: ignore[call-overload] # service is any name
