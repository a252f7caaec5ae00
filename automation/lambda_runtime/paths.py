"""The folders of Lambda: where it mounts the code of a function, and from which folders of a layer it imports."""

import tempfile
from pathlib import Path

TASK_ROOT = "/var/task"
OPT_ROOT = "/opt"
LAYER_MODULES = "python"  # the folder of a layer whose modules Lambda imports


def site_packages(runtime: str) -> str:
    """Return where packages lie in a layer's `python/` and in a virtual environment: `lib/python3.12/site-packages`.

    Args:
        runtime: as a template names it, `python3.12`; a wildcard makes it a pattern.
    """
    return f"lib/{runtime}/site-packages"


def temporary_folder(root: Path) -> Path:
    """Return a folder for temporary files outside the project: TMPDIR may be a folder of the project's own."""
    folder = Path(tempfile.gettempdir())
    return Path("/tmp") if folder.resolve().is_relative_to(root.resolve()) else folder  # noqa: S108 - mkdtemp follows
