"""Hide what must not be on a page: the values of secret variables, and most of an AWS account's number."""

import re
from collections.abc import Iterable, Mapping

from markupsafe import escape

HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|CREDENTIAL|PRIVATE|(?:^|_)KEY(?:$|_)|API_?KEY", re.IGNORECASE)
# A shorter value would hide ordinary words of the page.
_SHORTEST = 8
_KEY_ID = re.compile(rb"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
# In an ARN, and in the URL of a queue.
_ACCOUNT = re.compile(rb"(arn:aws[\w-]*:[\w-]*:[\w-]*:|/)\d{8}(\d{4})(?=[:/])")


def secret_values(environment: Mapping[str, str]) -> frozenset[str]:
    """Return the values of the variables whose names say that they are secret."""
    return frozenset(
        value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST
    )


class Redaction:
    """Hides secrets in text that is sent."""

    def __init__(self, secrets: Iterable[str], accounts: Iterable[str]) -> None:
        """Prepare it.

        Args:
            secrets: values that are replaced wherever they stand.
            accounts: numbers of AWS accounts, of which the last four digits stay.
        """
        values: set[str] = set()
        for secret in secrets:
            values |= {secret, str(escape(secret))}
        # The longest first: a secret may contain another one.
        self._replacements = [
            (value.encode(), HIDDEN.encode()) for value in sorted(values, key=lambda value: (-len(value), value))
        ]
        self._replacements += [(number.encode(), shortened(number).encode()) for number in accounts if number]

    def __call__(self, body: bytes) -> bytes:
        """Return the body without secrets."""
        for value, replacement in self._replacements:
            body = body.replace(value, replacement)
        body = _KEY_ID.sub(HIDDEN.encode(), body)
        return _ACCOUNT.sub(_shorten, body)


def _shorten(match: re.Match[bytes]) -> bytes:
    return match[1] + shortened(match[2].decode()).encode()


def shortened(number: str) -> str:
    """Return the last four characters of an account's number: `…9012`."""
    return f"…{number[-4:]}"
