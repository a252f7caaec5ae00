"""Install locked requirements as the tree of a layer, for a Python and an architecture that may differ from ours."""

import base64
import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from automation.building import sources
from automation.lambda_runtime.python_versions import glibc_minor
from automation.project.architectures import LINUX_MACHINES
from automation.system import console, files, processes, tools
from automation.system.errors import AutomationError, ConfigurationError, ToolError

_UNWANTED_FILES = {".lock", "REQUESTED"}
_PROGRESS_OF_UV = ("Using ", "Resolved ", "Prepared ", "Downloading ")
_MAX_LINES = 6
_CHOOSE_ANOTHER_VERSION = "choose a version that has a wheel for this target, and run inv lock"
_FIXES = {
    "no space left": "the disk is full and the last build is unchanged; free some space and build again",
    "hash mismatch": "somebody changed the wheel or the lock; if the new one is right, run inv lock",
    "no usable wheels": _CHOOSE_ANOTHER_VERSION,
    "no wheels with a matching": _CHOOSE_ANOTHER_VERSION,
}
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def install(lock: Path, target: Path, *, version: str, architecture: str) -> None:
    """Install requirements into a folder with uv, which needs no interpreter of that version, and prune the folder.

    A file with hashes is a lock: every requirement must have one, and nothing else is installed. A requirements.txt
    with no hash at all and without a requirements.in beside it is SAM's plain list: it is resolved, with a warning.

    Args:
        version: of Python, `3.12`.
        architecture: as a template names it, `x86_64` or `arm64`.

    Raises:
        ConfigurationError: the architecture does not exist, or a requirement of a lock has no hash.
        ToolError: a hash differs, there is no wheel for that target, or a wheel is damaged.
    """
    argv: list[str | Path] = [tools.uv_program(), "pip", "install", "--target", target, "--link-mode", "copy"]
    argv += ["--python-version", version, "--python-platform", platform(version, architecture)]
    argv += ["--only-binary", ":all:"]
    argv += ["--require-hashes", "--no-deps"] if is_lock(lock) else []
    _run_uv(argv, lock)
    if damaged := next(damaged_files(target), ""):
        _install_past_the_cache(argv, lock, target, damaged)
    prune(target)


def platform(version: str, architecture: str) -> str:
    """Return uv's name of the platform whose wheels run on Lambda: `x86_64-manylinux_2_34` for python3.12 and later.

    Raises:
        ConfigurationError: the architecture does not exist.
    """
    if architecture not in LINUX_MACHINES:
        raise ConfigurationError(f"architecture {architecture} is not one of {', '.join(LINUX_MACHINES)}")
    # uv knows manylinux 2_17 and 2_34; for glibc 2.26 the older one is safe.
    manylinux = "manylinux_2_34" if glibc_minor(int(version.partition(".")[2])) >= 34 else "manylinux_2_17"
    return f"{LINUX_MACHINES[architecture]}-{manylinux}"


def is_lock(path: Path) -> bool:
    """Return whether a requirement file is a lock; warn when it is not.

    Raises:
        ConfigurationError: it is a lock, and a requirement has no hash.
    """
    requirements = list(_requirements(path))
    without_hash = [(where, line) for where, line in requirements if "--hash" not in line]
    if not without_hash:
        return True

    if len(without_hash) < len(requirements) or path.with_name("requirements.in").is_file():
        where, line = without_hash[0]
        message = f"{line} has no hash, so it is not locked; run inv lock, or uv pip compile --generate-hashes"
        raise ConfigurationError(message, where=where)

    message = "is not locked, so tomorrow's build may get other versions; rename it to requirements.in and run inv lock"
    console.warning(f"{files.display_path(path)}: {message}")
    return False


def prune(tree: Path) -> None:
    """Remove what no import needs: test folders, stubs, programs, the installer's own marks; keep the dist-info.

    RECORD files then list what is left. A program's first line names the interpreter of this machine, so its digest in
    a RECORD would make the artifact of one lock differ from folder to folder.
    """
    files.remove(tree / "bin")
    for path in list(files.walk(tree)):
        if path.name in _UNWANTED_FILES or path.suffix == ".pyi" or _is_test(path):
            files.remove(tree / path)

    for record in tree.glob("*.dist-info/RECORD"):
        rows = [row for row in record.read_bytes().decode().splitlines() if row]
        kept = [row for row, (name, *_) in zip(rows, csv.reader(rows), strict=True) if (tree / name).exists()]
        record.write_bytes("".join(f"{row}\n" for row in kept).encode())


def damaged_files(tree: Path) -> Iterator[str]:
    """Yield the installed files that differ from their wheel's RECORD, as `distribution: path`."""
    for record in sorted(tree.glob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", newline="") as lines:
            for name, digest, _ in csv.reader(lines):
                path = tree / name
                if digest.startswith("sha256=") and not _has_digest(path, digest.removeprefix("sha256=")):
                    yield f"{record.parent.name.partition('-')[0]}: {name}"


def _requirements(lock: Path) -> Iterator[tuple[str, str]]:
    """Yield each requirement of a file and of those that it includes, with its place for messages."""
    for file in sources.lock_files(lock):
        for number, line in sources.requirement_lines(file):
            if _NAME.match(line):
                yield f"{files.display_path(file)}:{number}", line


def _install_past_the_cache(argv: list[str | Path], lock: Path, target: Path, damaged: str) -> None:
    """Download the wheels again, because uv's cache gave a file that is not the wheel's."""
    problem = f"uv's cache contains a damaged file ({damaged})"
    fix = f"run uv cache clean {damaged.partition(':')[0]}"
    console.warning(f"{problem}; downloading the wheels again; {fix} to repair the cache")
    files.remove(target)
    target.mkdir()
    try:
        _run_uv([*argv, "--no-cache"], lock)
    except AutomationError as cause:
        message = f"{problem} and it could not be downloaded again; {fix}"
        raise ToolError(f"{message}\n{cause.message}", where=files.display_path(lock)) from cause
    if still_damaged := next(damaged_files(target), ""):
        message = f"the wheel contains a file that differs from its RECORD ({still_damaged})"
        raise ToolError(f"{message}; report it to the package's authors", where=files.display_path(lock))


def _run_uv(argv: list[str | Path], lock: Path) -> None:
    env = processes.environment(without=("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"))
    finished = processes.run([*argv, "-r", lock], cwd=lock.parent, env=env, check=False)
    if finished.exit_code:
        message = f"the requirements could not be installed: {_explain(finished.stderr)}"
        raise ToolError(message, where=files.display_path(lock))


def _explain(stderr: str) -> str:
    """Return uv's error without its progress lines, and with a fix if the error is a known one."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith(_PROGRESS_OF_UV)]
    fix = next((f"; {fix}" for sign, fix in _FIXES.items() if sign in stderr.lower()), "")
    return " ".join(lines[:_MAX_LINES]) + fix


def _has_digest(path: Path, expected: str) -> bool:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == expected


def _is_test(path: Path) -> bool:
    return any(part in {"tests", "test"} for part in path.parts[1:-1])
