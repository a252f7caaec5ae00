"""Our own distribution, the packages that only some commands need, and how to install a missing one."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

ENTRY_POINT = "automation.program:main"
# The extra of our wheel that brings each package, by the name of its distribution and by that of its import.
EXTRAS = {"boto3": "deploy", "botocore": "deploy", "cfn-lint": "validate", "cfnlint": "validate", "grimp": "affected"}
EXTRAS |= {"watchfiles": "watch"}
_DISTRIBUTIONS = {"botocore": "boto3", "cfnlint": "cfn-lint"}


def how_to_install(package: str, *, wheel: str | None = None) -> str:
    """Return the command that installs a package: an extra of our wheel, or the package beside a copied folder.

    Args:
        package: a key of `EXTRAS`.
        wheel: the name of our distribution, empty when there is none; by default the installed one.
    """
    name = own_name() if wheel is None else wheel
    wanted = f'"{name}[{EXTRAS[package]}]"' if name else _DISTRIBUTIONS.get(package, package)
    return f"pip install {wanted}"


def own_name() -> str:
    """Return the name of the distribution that installed this automation; empty for a copied folder."""
    distribution = _own_distribution()
    return distribution.name if distribution else ""


def own_version() -> str:
    """Return the version of the distribution that installed this automation; empty for a copied folder."""
    distribution = _own_distribution()
    return distribution.version if distribution else ""


def own_code() -> str:
    """Return a digest of every file of this automation: a changed check must check again what has passed before."""
    from automation.system import files  # noqa: PLC0415 - only checks that remember what has passed need it

    package = Path(__file__).parents[1]
    paths = files.walk(package, keep=lambda entry: entry.name != "__pycache__")
    return files.digest_of(files.read(package / path) for path in paths)


def _own_distribution() -> "Distribution | None":
    from importlib.metadata import entry_points  # noqa: PLC0415 - 20 ms that only a missing package costs

    scripts = entry_points(group="console_scripts")
    return next((script.dist for script in scripts if script.value == ENTRY_POINT), None)
