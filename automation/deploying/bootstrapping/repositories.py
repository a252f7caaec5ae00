"""Which repository at GitHub may deploy."""

import re

from automation.system.errors import UsageError

OPTION = "--repository"
_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_REMOTE = re.compile(r"(?:(?:https|ssh)://)?(?:[^@/\s]+@)?github\.com[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?")


def choose(typed: str, deployed: str, origin: str) -> str:
    """Return the repository as `owner/name`: the typed one, that of the deployed role, or git's origin.

    Args:
        typed: by the user; empty for nothing.
        deployed: the one that the deployed role trusts; empty before there is one.
        origin: the URL of git's remote.

    Raises:
        UsageError: none is known, or the typed one has another form.
    """
    if typed and not _NAME.fullmatch(typed):
        raise UsageError(f"{typed!r} must be owner/name, as in octocat/hello-world", where=OPTION)
    name = typed or deployed or of_remote(origin)
    if not name:
        message = "git's origin is not at GitHub, so name the repository that may deploy: --repository owner/name"
        raise UsageError(message, where="bootstrap")
    return name


def of_remote(url: str) -> str:
    """Return the repository of a remote at GitHub as `owner/name`; empty for any other remote."""
    match = _REMOTE.fullmatch(url)
    return match["name"] if match else ""
