"""Authorize calls about an event bus on that bus, as AWS does; runs inside the emulator's process, before it serves.

The emulator takes the name of a bus for the name of a rule. It runs there, so this module imports only the standard
library.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

_ABOUT_A_BUS = "AWSEvents.DescribeEventBus"


def apply() -> None:
    """Replace the emulator's function that names the resource of a request."""
    from ministack.core import iam_actions  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment

    iam_actions.extract_resource_arn = with_buses(iam_actions.extract_resource_arn)


def with_buses(extract: Callable[..., str]) -> Callable[..., str]:
    """Return the function that names the resource of a request, with the right ARN for requests about a bus."""

    def extract_arn(service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, *rest: Any) -> str:
        if service != "events" or headers.get("x-amz-target") != _ABOUT_A_BUS:
            return extract(service, method, path, headers, body, *rest)

        _, region, account = rest
        name = json.loads(body).get("Name", "default")
        return name if name.startswith("arn:") else f"arn:aws:events:{region}:{account}:event-bus/{name}"

    return extract_arn
