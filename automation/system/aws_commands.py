"""Write the AWS CLI commands that messages offer. They work when pasted: region and endpoint are part of them.

So are the credentials of an emulator on this machine: they open nothing else, and pyproject.toml has them.
"""

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automation.system.targets import Target


def line(target: "Target", *words: str) -> str:
    """Return the command `aws <words>` that goes to the target."""
    endpoint = ("--endpoint-url", target.endpoint) if target.endpoint else ()
    return f"{_credentials(target)}{shlex.join(['aws', *words, '--region', target.region, *endpoint])}"


def _credentials(target: "Target") -> str:
    if not (target.is_loopback and target.key_id):
        return ""
    key_id, secret = shlex.quote(target.key_id), shlex.quote(target.secret)
    return f"AWS_ACCESS_KEY_ID={key_id} AWS_SECRET_ACCESS_KEY={secret} "
