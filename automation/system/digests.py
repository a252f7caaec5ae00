"""Write a SHA-256 in the forms that AWS uses."""

import base64


def base64_of(sha256: str) -> str:
    """Return a SHA-256 in base64, the form of S3 and Lambda.

    Args:
        sha256: in hexadecimal.
    """
    return base64.b64encode(bytes.fromhex(sha256)).decode()
