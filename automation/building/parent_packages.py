"""Where a function's source lies in its artifact: `BuildProperties: ParentPackageMode`, as SAM reads it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automation.project.model import Function
from automation.system.errors import ConfigurationError


def folder(function: Function, root: Path) -> str:
    """Return the folder of a function's artifact that contains its source; empty for the top, which is usual.

    Raises:
        ConfigurationError: the mode is neither `auto` nor `explicit`, or ParentPackages is missing.
    """
    properties = function.metadata.get("BuildProperties")
    mode = properties.get("ParentPackageMode") if isinstance(properties, dict) else None
    if mode == "auto":
        packages = _inferred(function, root)
    elif mode == "explicit":
        packages = _explicit(properties.get("ParentPackages"), function) if isinstance(properties, dict) else ()
    elif mode is None:
        return ""
    else:
        raise ConfigurationError(f"ParentPackageMode is {mode}; set it to auto or explicit", where=function.logical_id)
    return "/".join(packages)


def _explicit(packages: Any, function: Function) -> Sequence[str]:
    if not isinstance(packages, str) or not packages:
        message = "ParentPackageMode explicit needs ParentPackages, such as ParentPackages: src.orders"
        raise ConfigurationError(message, where=function.logical_id)
    return packages.split(".")


def _inferred(function: Function, root: Path) -> Sequence[str]:
    """Return the packages of the handler that the path of the code folder ends with.

    SAM takes the first folder of the absolute path that has the name of the first package. The last one that fits is
    the same, unless a folder above the project has that name by chance.
    """
    packages = str(function.handler).split(".")[:-2]
    parts = (root / str(function.code_uri)).resolve().parts
    starts = [number for number, part in enumerate(parts) if packages and part == packages[0]]
    fitting = [number for number in starts if list(parts[number:]) == packages[: len(parts) - number]]
    chosen = [*starts[:1], *fitting]
    return parts[chosen[-1] :][: len(packages)] if chosen else ()
