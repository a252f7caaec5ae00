"""Run `uv pip install`: from wheels only, then from the sources of what has no wheel, then past a damaged cache."""

import base64
import csv
import hashlib
import re
import sys
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.building import bytecode
from automation.lambda_runtime import interpreters
from automation.system import console, files, processes
from automation.system.errors import ToolError
from automation.system.processes import Finished

BUILT_HERE = "uv_build.json"
ANY = ":any:"
_BUILDING_REFUSED = "Building source distributions is disabled"
_NO_COMPILER = "no-compiler"
_COMPILED = (".so", ".pyd", ".dylib")
_PROGRESS_OF_UV = ("Using ", "Resolved ", "Prepared ", "Downloading ", "Downloaded ", "Building ", "Built ", "Updat")
_MAX_LINES = 6
_CHOOSE_ANOTHER_VERSION = "choose a version that has a wheel for this target, and run inv lock"
_WITH_SAM = "run inv build --engine sam"
_FIXES = {
    "no space left": "the disk is full and the last build is unchanged; free some space and build again",
    "hash mismatch": "somebody changed the wheel or the lock; if the new one is right, run inv lock",
    "no usable wheels": _CHOOSE_ANOTHER_VERSION,
    "no wheels with a matching": _CHOOSE_ANOTHER_VERSION,
    "which is incompatible with the `pylock": "install that Python: uv python install VERSION",
    "pkg-resources==0.0.0": "remove that line, which pip freeze of some systems adds by mistake",
    "not found in the package registry": "correct the name; if its index is private, set UV_INDEX to that index",
}
_WITH_WHEELS = {"psycopg2": "psycopg2-binary"}
# In uv's words: `name`, `name==1.0` or `name @ file:///folder`.
_WITHOUT_WHEEL = re.compile(
    r"(?:Wheels are required for|attempted to build|Package) `(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)[^`]*`"
    r"(?: because building| can't be installed because it is marked as `--no-build`|\n|$)"
)
_NO_VERSION_WITH_WHEEL = re.compile(r"all versions of (\S+) have no usable wheels")
_BUILD_FAILED = re.compile(r"[Ff]ailed to (?:download and )?build `(?P<what>[^`]+)`")
_NEEDS_COMPILER = re.compile(rf"{_NO_COMPILER}|built wheel `[^`]*` is not compatible")


class BuildFailedError(ToolError):
    """Something without a wheel for the target cannot be built from its source."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installation into a folder.

    Attributes:
        lock: the file that lists what is installed, for messages; uv runs in its folder.
        root: the project root.
        command: uv with all arguments.
        version: of Python, `3.12`.
    """

    lock: Path
    target: Path
    root: Path
    command: Sequence[str | Path]
    version: str

    @property
    def where(self) -> str:
        return files.display_path(self.lock)


def run(installation: Installation) -> None:
    """Install into the folder, which is emptied first.

    Raises:
        BuildFailedError: the source of something that has no wheel cannot be built.
        ToolError: something cannot be installed, needs a compiler, or stays damaged.
    """
    from_source = _install(installation)
    if damaged := next(damaged_files(installation.target), ""):
        _install_past_the_cache(installation, from_source, damaged)
    for info in sorted(installation.target.glob(f"*.dist-info/{BUILT_HERE}")):
        _require_pure(info.parent, installation.where)


def interpreter(version: str, root: Path) -> Path:
    """Return the Python that builds and decides: the artifact's own when uv can provide it, otherwise ours."""
    program = bytecode.find_interpreter(version) or interpreters.find(f"python{version}", root).path
    return program or Path(sys.executable)


def damaged_files(tree: Path) -> Iterator[str]:
    """Yield the installed files that differ from their wheel's RECORD, as `distribution: path`."""
    for record in sorted(tree.glob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", newline="") as rows:
            for name, digest, _ in csv.reader(rows):
                path = tree / name
                if digest.startswith("sha256=") and not _has_digest(path, digest.removeprefix("sha256=")):
                    yield f"{record.parent.name.partition('-')[0]}: {name}"


def without_wheel(stderr: str) -> frozenset[str]:
    """Return the distributions that, as uv says, have no wheel that runs on the target.

    It is `ANY` when uv cannot name one: a folder whose name only its setup.py knows.
    """
    names = frozenset(match["name"].lower() for match in _WITHOUT_WHEEL.finditer(stderr))
    return names or (frozenset({ANY}) if _BUILDING_REFUSED in stderr else frozenset())


def _install(installation: Installation) -> list[str]:
    """Install from wheels; whatever turns out to have none is built from its source. Return the names of those.

    Only they are built: otherwise uv would take the source of a new version where an older one has a wheel.
    """
    from_source: list[str] = []
    never_with_wheel: set[str] = set()
    while True:
        _empty(installation.target)
        finished = _run_uv(installation, from_source)
        if not finished.exit_code:
            return from_source
        more = sorted(without_wheel(finished.stderr) - set(from_source))
        never_with_wheel.update(_NO_VERSION_WITH_WHEEL.findall(finished.stderr.lower()))
        if not more:
            kind = BuildFailedError if from_source else ToolError
            raise kind(_describe(finished.stderr, from_source, never_with_wheel), where=installation.where)
        from_source += more


def _install_past_the_cache(installation: Installation, from_source: Sequence[str], damaged: str) -> None:
    """Download the wheels again, because uv's cache gave a file that is not the wheel's."""
    problem = f"uv's cache contains a damaged file ({damaged})"
    fix = f"run uv cache clean {damaged.partition(':')[0]}"
    console.warning(f"{problem}; downloading the wheels again; {fix} to repair the cache")
    _empty(installation.target)
    finished = _run_uv(installation, [*from_source], "--no-cache")
    if finished.exit_code:
        message = f"{problem} and it could not be downloaded again; {fix}"
        raise ToolError(f"{message}\n{_describe(finished.stderr, from_source, ())}", where=installation.where)
    if still_damaged := next(damaged_files(installation.target), ""):
        message = f"the wheel contains a file that differs from its RECORD ({still_damaged})"
        raise ToolError(f"{message}; report it to the package's authors", where=installation.where)


def _run_uv(installation: Installation, from_source: Sequence[str], *options: str) -> Finished:
    argv = [*installation.command, *options, *([] if ANY in from_source else ["--only-binary", ":all:"])]
    for name in from_source:
        argv += ["--no-binary", name] if name != ANY else []
    if "--python" not in argv:
        # Wheels need none, but without a path uv starts each Python on this machine to find one: 0.2 s per run.
        builder = interpreter(installation.version, installation.root) if from_source else sys.executable
        argv += ["--python", builder]
    # No compiler: what a compiler of this machine links need not run on Lambda, and a package with an optional
    # extension does without.
    changes = dict.fromkeys(("CC", "CXX", "CARGO"), _NO_COMPILER) if from_source else {}
    env = processes.environment(changes, without=("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"))
    return processes.run(argv, cwd=installation.lock.parent, env=env, check=False)


def _require_pure(info: Path, where: str) -> None:
    """Raise unless a distribution that was built here is pure Python: another build left it in uv's cache.

    Raises:
        ToolError: it contains a compiled module.
    """
    with (info / "RECORD").open(encoding="utf-8", newline="") as rows:
        compiled = next((name for name, *_ in csv.reader(rows) if name.endswith(_COMPILED)), "")
    if compiled:
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        raise ToolError(_needs_compiler(f"{name}=={version}"), where=where)


def _describe(stderr: str, from_source: Sequence[str], never_with_wheel: Container[str]) -> str:
    failed = _BUILD_FAILED.search(stderr)
    if failed and _NEEDS_COMPILER.search(stderr):
        return _needs_compiler(failed["what"], never_with_wheel)
    if failed or from_source:
        what = failed["what"] if failed else ", ".join(from_source)
        fix = _fix_without_wheel(what, never_with_wheel)
        return f"{what} has no wheel for this target, and its source cannot be built: {_last_error(stderr)}; {fix}"
    return f"the requirements could not be installed: {_explain(stderr)}"


def _needs_compiler(what: str, never_with_wheel: Container[str] = ()) -> str:
    problem = f"{what} has no wheel for this target, and its source needs a compiler"
    return f"{problem}; {_fix_without_wheel(what, never_with_wheel)}"


def _fix_without_wheel(what: str, never_with_wheel: Container[str]) -> str:
    name = what.partition("==")[0]
    if instead := _WITH_WHEELS.get(name):
        return f"require {instead}, which has the same modules"
    if name in never_with_wheel:
        return f"no version of {name} has one, so take another package or a layer that has it, or {_WITH_SAM}"
    return f"choose a version that has a wheel, or {_WITH_SAM}"


def _explain(stderr: str) -> str:
    """Return uv's error without its progress lines, and with a fix if the error is a known one."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    shown = [line for line in lines if not line.startswith(_PROGRESS_OF_UV)]
    fix = next((f"; {fix}" for sign, fix in _FIXES.items() if sign in stderr.lower()), "")
    return " ".join(shown[:_MAX_LINES]) + fix


def _last_error(stderr: str) -> str:
    """Return the last line that names an error; what a build prints before it is long."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("hint:")]
    errors = [line for line in lines if re.match(r"\w*([Ee]rror|Exception|cause)\b.*", line)]
    return (errors or lines or ["uv gave no reason"])[-1].removeprefix("cause: ").removeprefix("error: ").rstrip(".")


def _empty(folder: Path) -> None:
    files.remove(folder)
    folder.mkdir(parents=True)


def _has_digest(path: Path, expected: str) -> bool:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == expected
