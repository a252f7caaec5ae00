"""The environment of the scanners' processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from automation.system import processes

# Of other environments, and what would have Python compile a scanner again at each run.
_HIDDEN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")


def environment(
    folder: Path, changes: Mapping[str, str] | None = None, *, without: Sequence[str] = ()
) -> dict[str, str]:
    """Return the variables for a scanner: a home without the user's own settings of that scanner.

    Args:
        folder: the home.
        changes: variables to set.
        without: variables to hide.
    """
    return processes.environment({"HOME": str(folder), **(changes or {})}, without=(*_HIDDEN, *without))
