"""Locked requirements -> the tree a layer holds, for a runtime and an architecture that need not be ours."""

import sys
from pathlib import Path

from automation import files, processes, tools
from automation.errors import ConfigurationError

PLATFORMS = {"x86_64": "x86_64-manylinux_2_34", "arm64": "aarch64-manylinux_2_34"}
_UNWANTED_FILES = {".lock", "REQUESTED"}


def install(lock: Path, target: Path, *, runtime: str, architecture: str) -> None:
    """Install a hashed lock into a folder with uv, which needs no interpreter of that runtime, and prune it.

    Args:
        runtime: as a template names it, `python3.12`.
        architecture: as a template names it, `x86_64` or `arm64`.

    Raises:
        ConfigurationError: no such architecture, or a runtime that is not Python's.
        ToolError: a hash differs, or a requirement has no wheel for that target; uv's words say which.
    """
    if architecture not in PLATFORMS:
        raise ConfigurationError(f"architecture {architecture} is not one of {', '.join(PLATFORMS)}", where=str(lock))
    argv: list[str | Path] = [
        tools.uv_program(),
        "pip",
        "install",
        "--target",
        target,
        "--python-version",
        python_version(runtime),
    ]
    argv += ["--python-platform", PLATFORMS[architecture], "--only-binary", ":all:", "--require-hashes", "--no-deps"]
    env = processes.environment(without=("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"))
    processes.run([*argv, "--link-mode", "copy", "-r", lock], cwd=lock.parent, env=env)
    prune(target)


def prune(tree: Path) -> None:
    """Take away what no import needs: test folders, stubs, programs, the installer's own marks; dist-info stays."""
    files.remove(tree / "bin")
    for path in list(files.walk(tree)):
        if path.name in _UNWANTED_FILES or path.suffix == ".pyi" or _is_test(path):
            files.remove(tree / path)


def compile_bytecode(tree: Path, *, runtime: str, mounted_at: str) -> bool:
    """Put unchecked-hash bytecode beside every module of a tree that Lambda mounts at `mounted_at`.

    A Lambda's folders are read-only, so without it each cold start compiles every module again; bytecode with
    timestamps would be stale, because a deterministic zip has none.

    Returns:
        False, and nothing is done, when this interpreter is not of that runtime's version.
    """
    if python_version(runtime) != f"{sys.version_info.major}.{sys.version_info.minor}":
        return False
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "compileall",
        "-q",
        "-j",
        "0",
        "--invalidation-mode",
        "unchecked-hash",
    ]
    processes.run([*argv, "-s", tree, "-p", mounted_at, tree], cwd=tree, check=False)
    return True


def python_version(runtime: str) -> str:
    """`python3.12` -> `3.12`.

    Raises:
        ConfigurationError: it is another language's runtime.
    """
    if not runtime.startswith("python3."):
        raise ConfigurationError(f"runtime {runtime} is not one of Python's")
    return runtime.removeprefix("python")


def _is_test(path: Path) -> bool:
    return any(part in {"tests", "test"} for part in path.parts[1:-1])
