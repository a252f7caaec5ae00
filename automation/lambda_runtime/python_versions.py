"""The system below each Python of Lambda, and its patch versions; our own is `tools.own_python_version`."""

_FIRST_ON_AMAZON_LINUX_2023 = 12
_GLIBC_OF_AMAZON_LINUX_2 = 26
_GLIBC_OF_AMAZON_LINUX_2023 = 34
# The patch version of each runtime; Lambda only moves to later ones. Source: the User-Agent of requests that functions
# made, in logs that public repositories contain (`lang/python#3.12.13 … exec-env/AWS_Lambda_python3.12`), read
# 2026-11-29. Dates of the requests: 3.6 2021-09-24, 3.7 2022-06, 3.8 2024-05-14, 3.9 with a kernel of 2023,
# 3.10 2024-11-07, 3.11 2025-03-06, the others 2026.
_PATCHES = {6: 14, 7: 13, 8: 19, 9: 11, 10: 14, 11: 10, 12: 13, 13: 14, 14: 3}


def is_amazon_linux_2023(python_minor: int) -> bool:
    """Return whether the runtime of Python 3.`python_minor` is on Amazon Linux 2023; earlier ones are on 2.

    Source: AWS Lambda runtimes.
    """
    return python_minor >= _FIRST_ON_AMAZON_LINUX_2023


def with_patch(version: str) -> str:
    """Return a version of Python with the patch version of its runtime, such as `3.12.13`; as it is if that is new.

    Packages may require it (`Requires-Python: >=3.7.1`), and the marker `python_full_version` compares it.
    """
    patch = _PATCHES.get(int(version.partition(".")[2]))
    return version if patch is None else f"{version}.{patch}"


def glibc_minor(python_minor: int) -> int:
    """Return the 34 of glibc 2.34, which the runtime of Python 3.`python_minor` has."""
    return _GLIBC_OF_AMAZON_LINUX_2023 if is_amazon_linux_2023(python_minor) else _GLIBC_OF_AMAZON_LINUX_2
