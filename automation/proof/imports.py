"""Import a function's handler on exactly what Lambda will mount, in a clean interpreter."""

import json
import os
import re
import signal
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from automation.lambda_runtime import runtime
from automation.lambda_runtime.limits import CPU_S, StallWatch
from automation.lambda_runtime.paths import temporary_folder
from automation.lambda_runtime.places import Place
from automation.lambda_runtime.runtime import Allowance
from automation.system.errors import ToolError

_TIMEOUT_S = 600.0
_PROBE = Path(__file__).with_name("import_probe.py")
_FRAME = re.compile(r'File "([^"<]+)", line (\d+)')


class Outcome(StrEnum):
    """The outcome of importing a handler."""

    RESOLVED = "resolved"
    FAILED = "failed"
    NO_ATTRIBUTE = "no-attribute"
    NOT_CALLABLE = "not-callable"
    MALFORMED = "malformed"
    BUILT_IN = "built-in"
    ENDED = "ended"
    HUNG = "hung"
    UNFINISHED = "unfinished"
    WAITED = "waited"


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a stack, in the built trees."""

    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of importing one handler.

    Attributes:
        module: the dotted name of the handler's module.
        file: the file it was imported from.
        kinds: the names of the exception's class and its base classes.
        name: the module that the exception is about.
        key: the key that a KeyError did not find.
        path: the file that an OSError is about.
        stack: outermost frame first, without Python's own frames.
        attempts: what the code tried in vain: `write`, as `bootstrap.py` lists them: `write`, `network`, and so on.
        python: the version that imported it, `3.12.1`; empty when the process ended before it could say so.
        names: the callable names of the handler's module.
        borrowed: for each stdlib module that another module replaces, the files of the modules that use it.
        foreign: the files of the trees whose modules may load a shared library by its name.
        loaded: the top-level modules that were imported, at least in part.
    """

    outcome: Outcome
    seconds: float = 0.0
    module: str = ""
    file: str = ""
    kinds: tuple[str, ...] = ()
    text: str = ""
    name: str = ""
    key: str = ""
    path: str = ""
    stack: tuple[Frame, ...] = ()
    attempts: frozenset[str] = frozenset()
    python: str = ""
    names: tuple[str, ...] = ()
    borrowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    loaded: frozenset[str] = frozenset()

    @property
    def refused_libraries(self) -> tuple[str, ...]:
        """Return the shared libraries without which the import failed; empty when it failed for another reason."""
        refused = sorted(item.removeprefix("library:") for item in self.attempts if item.startswith("library:"))
        if "OSError" not in self.kinds and ("ImportError" not in self.kinds or "ModuleNotFoundError" in self.kinds):
            return ()
        # Code may try several libraries, do without them, and fail for a reason of its own.
        named = [name for name in refused if name.partition(".so")[0].removeprefix("lib") in self.text]
        return tuple(named or (refused if self.kinds[0] == "OSError" else ()))

    @property
    def error(self) -> str:
        """Return the exception as Python prints it."""
        return ": ".join(part for part in (self.kinds[0] if self.kinds else "", self.text) if part)


class _HasResultError(Exception):
    """The probe has written its result."""


def import_handler(place: Place, *, root: Path, cpu_s: int = CPU_S, watch: StallWatch | None = None) -> ImportResult:
    """Import a function's handler, and return whatever its code does as a value.

    Args:
        cpu_s: the CPU time that the import may use.
        watch: stops the import when it only waits; by default after `limits.STALL_S`.

    Raises:
        ToolError: there is no interpreter to import with.
    """
    mount, stalls = place.mount, watch or StallWatch()
    with tempfile.TemporaryDirectory(prefix="prove-", dir=temporary_folder(root)) as folder:
        result, crash = Path(folder) / "result.json", Path(folder) / "crash.txt"

        def on_wait(process: int) -> None:
            # A program that the import has started may keep the output open when the probe has ended.
            if result.is_file():
                raise _HasResultError
            stalls(process)

        arguments: list[str | Path] = [str(mount.function.handler), result, crash, mount.task, place.opt]
        output, exit_code = "", 0
        try:
            finished = runtime.run(
                place, _PROBE, arguments, root=root, timeout_s=_TIMEOUT_S, allowance=Allowance(cpu_s), on_wait=on_wait
            )
            output, exit_code = finished.tail(5), finished.exit_code
        except _HasResultError:
            pass
        except ToolError:
            # The probe writes one of the two files as soon as it runs: without both, it never started.
            if not result.is_file() and not crash.is_file():
                raise
            if not result.is_file():
                return ImportResult(Outcome.UNFINISHED)

        if result.is_file():
            parsed = parse(json.loads(result.read_text(encoding="utf-8")))
            return _after_waiting(_as_built(parsed, place), stalls)
        stack = crash.read_text(encoding="utf-8", errors="replace") if crash.is_file() else ""
        waits, works = f"waits for more than {stalls.stall_s:g} s", f"needs more than {cpu_s} s of CPU time"
        limit = waits if stalls.has_stopped else works
        return _as_built(crashed(stack, exit_code=exit_code, output=output, limit=limit), place)


def parse(fields: Mapping[str, Any]) -> ImportResult:
    """Return the result that the probe wrote."""
    return ImportResult(
        outcome=Outcome(fields["outcome"]),
        seconds=float(fields.get("seconds", 0.0)),
        module=str(fields.get("module", "")),
        file=str(fields.get("file", "")),
        kinds=tuple(fields.get("kinds", ())),
        text=str(fields.get("text", "")),
        name=str(fields.get("name", "")),
        key=str(fields.get("key", "")),
        path=str(fields.get("path", "")),
        stack=tuple(Frame(Path(file), int(line)) for file, line in fields.get("stack", ())),
        attempts=frozenset(fields.get("attempts", ())),
        python=str(fields.get("python", "")),
        names=tuple(fields.get("names", ())),
        borrowed={name: tuple(holders) for name, holders in fields.get("borrowed", {}).items()},
        foreign=tuple(fields.get("foreign", ())),
        loaded=frozenset(fields.get("loaded", ())),
    )


def _after_waiting(imported: ImportResult, stalls: StallWatch) -> ImportResult:
    """Return a result that doubts an import which went on only after a long wait."""
    if imported.outcome is not Outcome.RESOLVED or not stalls.is_in_doubt:
        return imported
    return ImportResult(
        Outcome.WAITED, text=f"waits for more than {stalls.stall_s:g} s, unless this machine was too busy"
    )


def crashed(stack: str, *, exit_code: int, output: str, limit: str) -> ImportResult:
    """Return the result of a process that ended without writing one.

    Args:
        stack: the text that faulthandler left: for each thread, innermost frame first, the main thread last.
        output: the last lines that the process printed.
        limit: what the process did when it was ended by SIGXCPU.
    """
    if exit_code == -signal.SIGXCPU:
        return ImportResult(Outcome.HUNG, text=limit, stack=_frames(stack.rpartition("hread 0x")[2]))

    first = stack.strip().partition("\n")[0] or output.strip().rpartition("\n")[2]
    ended = f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    return ImportResult(Outcome.ENDED, text=f"{first} ({ended})" if first else ended, stack=_frames(stack))


def _frames(stack: str) -> tuple[Frame, ...]:
    """Return the frames of faulthandler's text, outermost first."""
    return tuple(Frame(Path(file), int(line)) for file, line in _FRAME.findall(stack))[::-1]


def _as_built(imported: ImportResult, place: Place) -> ImportResult:
    """Return a result with the built files in place of their links, and with Lambda's paths in its texts."""

    def built(files: Iterable[str]) -> tuple[str, ...]:
        return tuple(str(place.built_file(Path(file))) for file in files)

    # Above its own folders a function finds nothing of the project.
    path = os.path.normpath(place.mount.task / imported.path)
    is_above = path.startswith(tuple(f"{root}/" for root in place.roots))
    is_outside = is_above and not path.startswith((str(place.mount.task), str(place.opt)))
    return replace(
        imported,
        attempts=imported.attempts | ({"outside"} if is_outside else set()),
        text=place.as_on_lambda(imported.text),
        path=place.as_on_lambda(imported.path),
        stack=tuple(replace(frame, file=place.built_file(frame.file)) for frame in imported.stack),
        borrowed={name: built(files) for name, files in imported.borrowed.items()},
        foreign=built(imported.foreign),
    )
