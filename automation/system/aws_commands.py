"""Write the AWS CLI commands that messages offer. They work when pasted: region and endpoint are part of them."""

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automation.system.targets import Target


def line(target: "Target", *words: str) -> str:
    """Return the command `aws <words>` that goes to the target."""
    endpoint = ("--endpoint-url", target.endpoint) if target.endpoint else ()
    return shlex.join(["aws", *words, "--region", target.region, *endpoint])
