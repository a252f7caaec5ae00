"""Credentials of AWS in GitHub Actions without a stored key: the job's identity token, for the SDK's own provider.

A job with `id-token: write` gets a token from GitHub that lives for minutes. It is written to a file, which the SDK
exchanges for credentials of the role in AWS_ROLE_ARN; a child process reads the same file.
"""

import os
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from urllib.parse import quote

from automation.system import files
from automation.system.errors import ConfigurationError, ToolError

ROLE, TOKEN_FILE = "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"
URL, REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
AUDIENCE = "sts.amazonaws.com"
_FOLDER = "RUNNER_TEMP"
_FILE = "aws-identity-token"
# GitHub's tokens live for 5 minutes.
_FRESH_S = 180.0
_SERVICE = "GitHub's identity tokens"


def is_job(variables: Mapping[str, str]) -> bool:
    """Return whether a process is a job of GitHub Actions that gets its credentials from a role."""
    has_keys = bool(variables.get("AWS_ACCESS_KEY_ID"))
    return variables.get("GITHUB_ACTIONS") == "true" and ROLE in variables and not has_keys


def provide(
    variables: MutableMapping[str, str] = os.environ, *, clock: Callable[[], float] = time.time, **service: float
) -> None:
    """Write a fresh identity token of the job to a file, and name it in the variables; do nothing anywhere else.

    Args:
        variables: the process's environment variables.
        service: of web.Service, such as `timeout_s`.

    Raises:
        ConfigurationError: the job lacks the role or the permission.
        ToolError: GitHub did not answer, or refused.
    """
    if not is_job(variables):
        return
    own = Path(variables.get(_FOLDER, "")) / _FILE
    present = variables.get(TOKEN_FILE)
    if present and present != str(own):
        return
    _require_complete(variables)
    if present and _age_s(own, clock()) < _FRESH_S:
        return
    files.write_atomically(own, _fetch(variables, **service), mode=0o600)
    variables[TOKEN_FILE] = str(own)


def _fetch(variables: MutableMapping[str, str], **service: float) -> str:
    from automation.system import web  # noqa: PLC0415 - only a job of GitHub Actions needs it

    url = f"{variables[URL]}&audience={quote(AUDIENCE)}"
    answer = web.Service(_SERVICE, variables[REQUEST_TOKEN], **service).read(url)  # type: ignore[arg-type] # seconds only
    token = answer.body.get("value") if answer.is_ok and isinstance(answer.body, dict) else None
    if not isinstance(token, str) or not token:
        raise ToolError(f"GitHub gave no token: {answer.message}", where=_SERVICE)
    return token


def _require_complete(variables: MutableMapping[str, str]) -> None:
    if not variables[ROLE]:
        message = "is empty; set it as a variable of the job's environment in GitHub's settings"
        raise ConfigurationError(message, where=ROLE)
    missing = [name for name in (URL, REQUEST_TOKEN, _FOLDER) if not variables.get(name)]
    if missing:
        message = f"{', '.join(missing)} is missing; give the job the permission id-token: write"
        raise ConfigurationError(message, where=_SERVICE)


def _age_s(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return _FRESH_S
