"""Locked requirements -> the tree a layer holds, for a runtime and an architecture that need not be ours."""

import base64
import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from automation.building import sources
from automation.system import console, files, processes, tools
from automation.system.errors import AutomationError, ConfigurationError, ToolError

_ARCHITECTURES = {"x86_64": "x86_64", "arm64": "aarch64"}
_AMAZON_LINUX_2023_FROM = 12
_UNWANTED_FILES = {".lock", "REQUESTED"}
_STEPS = ("Using ", "Resolved ", "Prepared ", "Downloading ")
_FIRST_LINES = 6
_MENDS = {
    "no space left": "the disk is full: the last build is as it was; free some space and build again",
    "hash mismatch": "somebody changed the wheel or the lock; when the new one is wanted, run inv lock",
    "no usable wheels": "take a version that has a wheel for this target, and run inv lock",
    "no wheels with a matching": "take a version that has a wheel for this target, and run inv lock",
}
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def install(lock: Path, target: Path, *, version: str, architecture: str) -> None:
    """Install requirements into a folder with uv, which needs no interpreter of that version, and prune it.

    A file with hashes is a lock: every requirement must have one, and nothing else is installed. A requirements.txt
    without any hash and without a requirements.in beside it is SAM's plain list: it is resolved, with a warning.

    Args:
        version: of Python, `3.12`.
        architecture: as a template names it, `x86_64` or `arm64`.

    Raises:
        ConfigurationError: no such architecture, or a requirement of a lock has no hash.
        ToolError: a hash differs, there is no wheel for that target, or a wheel in uv's cache is damaged.
    """
    argv: list[str | Path] = [tools.uv_program(), "pip", "install", "--target", target, "--link-mode", "copy"]
    argv += [
        "--python-version",
        version,
        "--python-platform",
        platform(version, architecture),
        "--only-binary",
        ":all:",
    ]
    argv += ["--require-hashes", "--no-deps"] if is_lock(lock) else []
    _run_uv(argv, lock)
    if damaged := next(damages(target), ""):
        _install_again(argv, lock, target, damaged)
    prune(target)


def platform(version: str, architecture: str) -> str:
    """The wheels' platform: python3.12 and later run on Amazon Linux 2023 (glibc 2.34), earlier ones on 2 (2.26).

    Raises:
        ConfigurationError: no such architecture.
    """
    if architecture not in _ARCHITECTURES:
        raise ConfigurationError(f"architecture {architecture} is not one of {', '.join(_ARCHITECTURES)}")
    glibc = "manylinux_2_34" if int(version.partition(".")[2]) >= _AMAZON_LINUX_2023_FROM else "manylinux_2_17"
    return f"{_ARCHITECTURES[architecture]}-{glibc}"


def is_lock(path: Path) -> bool:
    """Whether a requirement file is a lock.

    Raises:
        ConfigurationError: it is one, and a requirement has no hash.
    """
    lines = [(one, *line) for one in sources.lock_files(path) for line in sources.requirement_lines(one)]
    asked = [(file, number, line) for file, number, line in lines if _NAME.match(line)]
    bare = [(file, number, line) for file, number, line in asked if "--hash" not in line]
    is_plain = len(bare) == len(asked) and not path.with_name("requirements.in").is_file()
    if bare and not is_plain:
        file, number, line = bare[0]
        lock_it = "run inv lock, or uv pip compile --generate-hashes"
        raise ConfigurationError(
            f"{line} has no hash, so it is not locked; {lock_it}", where=f"{files.called(file)}:{number}"
        )
    if bare:
        message = (
            "is not locked, so tomorrow's build may hold other versions; rename it to requirements.in and run inv lock"
        )
        console.warning(f"{files.called(path)}: {message}")
    return not bare


def prune(tree: Path) -> None:
    """Take away what no import needs: test folders, stubs, programs, the installer's own marks; dist-info stays.

    A RECORD lists what is left. A program begins with the path of an interpreter, so its digest there would make the
    same lock another artifact in every folder.
    """
    files.remove(tree / "bin")
    for path in list(files.walk(tree)):
        if path.name in _UNWANTED_FILES or path.suffix == ".pyi" or _is_test(path):
            files.remove(tree / path)
    for record in tree.glob("*.dist-info/RECORD"):
        rows = [row for row in record.read_bytes().decode().splitlines() if row]
        kept = [row for row, (name, *_) in zip(rows, csv.reader(rows), strict=True) if (tree / name).exists()]
        record.write_bytes("".join(f"{row}\n" for row in kept).encode())


def damages(tree: Path) -> Iterator[str]:
    """The installed files that are not what their wheel's RECORD says, as `distribution: path`."""
    for record in sorted(tree.glob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", newline="") as lines:
            for name, digest, _ in csv.reader(lines):
                path = tree / name
                if digest.startswith("sha256=") and not _has_digest(path, digest.removeprefix("sha256=")):
                    yield f"{record.parent.name.partition('-')[0]}: {name}"


def _install_again(argv: list[str | Path], lock: Path, target: Path, damaged: str) -> None:
    """uv's cache gave a file that is not its wheel's: the wheels are fetched again, past the cache."""
    mend = f"run uv cache clean {damaged.partition(':')[0]}"
    console.warning(f"uv's cache holds a damaged file ({damaged}); fetching the wheels again; {mend} to mend the cache")
    files.remove(target)
    target.mkdir()
    try:
        _run_uv([*argv, "--no-cache"], lock)
    except AutomationError as cause:
        message = f"uv's cache holds a damaged file ({damaged}) and it could not be fetched again; {mend}"
        raise ToolError(f"{message}\n{cause.message}", where=files.called(lock)) from cause
    if still := next(damages(target), ""):
        raise ToolError(f"the wheel holds a file that is not as its RECORD says ({still})", where=files.called(lock))


def _run_uv(argv: list[str | Path], lock: Path) -> None:
    env = processes.environment(without=("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"))
    finished = processes.run([*argv, "-r", lock], cwd=lock.parent, env=env, check=False)
    if finished.exit_code:
        raise ToolError(f"its requirements could not be installed: {_words(finished.stderr)}", where=files.called(lock))


def _words(said: str) -> str:
    """What uv says of a failure, without its steps before, and what to do about it."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith(_STEPS)]
    words = " ".join(lines[:_FIRST_LINES])
    return words + next((f"; {mend}" for sign, mend in _MENDS.items() if sign in said.lower()), "")


def _has_digest(path: Path, wanted: str) -> bool:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == wanted


def _is_test(path: Path) -> bool:
    return any(part in {"tests", "test"} for part in path.parts[1:-1])
