"""The Pythons of Lambda, the system below each, and its patch versions; our own is `tools.own_python_version`."""

from typing import NamedTuple

_FIRST_ON_AMAZON_LINUX_2023 = 12
# The patch version of each runtime; Lambda only moves to later ones. Source: the User-Agent of requests that functions
# made, in logs that public repositories contain (`lang/python#3.12.13 … exec-env/AWS_Lambda_python3.12`), read
# 2026-11-29. Dates of the requests: 3.6 2021-09-24, 3.7 2022-06, 3.8 2024-05-14, 3.9 with a kernel of 2023,
# 3.10 2024-11-07, 3.11 2025-03-06, the others 2026.
_PATCHES = {6: 14, 7: 13, 8: 19, 9: 11, 10: 14, 11: 10, 12: 13, 13: 14, 14: 3}


class Retirement(NamedTuple):
    """Since when Lambda creates no function with a runtime, and since when it updates none; empty for not yet."""

    creates_none_since: str
    updates_none_since: str = ""


# Source: AWS Lambda developer guide, "Lambda runtimes", as in cfn-lint's LmbdRuntimeLifecycle.json; read 2026-11-29.
RETIRED = {
    "python2.7": Retirement("2021-07-15", "2022-05-30"),
    "python3.6": Retirement("2022-07-18", "2022-08-29"),
    "python3.7": Retirement("2024-01-09"),
}
NEWEST = f"python3.{max(_PATCHES)}"
RUNTIMES = frozenset({"python2.7", *(f"python3.{minor}" for minor in _PATCHES)})


def is_later(runtime: str) -> bool:
    """Return whether a name is that of a runtime which Lambda may have got after the list was read."""
    minor = runtime.removeprefix("python3.")
    return minor.isdigit() and int(minor) > max(_PATCHES)


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
