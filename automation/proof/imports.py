"""Import a function's handler on exactly what Lambda will mount, in a clean interpreter."""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import OPT_ROOT, TASK_ROOT
from automation.system.errors import ToolError

TIMEOUT_S = 20.0
_GRACE_S = 5.0
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
        attempts: what the code tried and was refused: `write`, `network`.
        names: the callable names of the handler's module.
        borrowed: for each stdlib module that another module replaces, the files of the modules that use it.
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
    names: tuple[str, ...] = ()
    borrowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def error(self) -> str:
        """Return the exception as Python prints it."""
        return ": ".join(part for part in (self.kinds[0] if self.kinds else "", self.text) if part)


def import_handler(mount: Mount, opt: Path, *, root: Path, timeout_s: float = TIMEOUT_S) -> ImportResult:
    """Import a function's handler, and return whatever its code does as a value.

    Args:
        opt: the folder that `runtime.mounted` made from its layers.

    Raises:
        ToolError: there is no interpreter to import with.
    """
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        result, crash = Path(folder) / "result.json", Path(folder) / "crash.txt"
        arguments: list[str | Path] = [str(mount.function.handler), result, crash, str(timeout_s), mount.task, opt]
        try:
            finished = runtime.run(mount, _PROBE, arguments, root=root, timeout_s=timeout_s + _GRACE_S, opt=opt)
            output, exit_code = finished.tail(5), finished.exit_code
        except ToolError as cause:
            # The probe writes one of the two files as soon as it runs: without both, it never started.
            if not result.is_file() and not crash.is_file():
                raise
            output, exit_code = cause.message, 0

        if result.is_file():
            imported = parse(json.loads(result.read_text(encoding="utf-8")))
        else:
            stack = crash.read_text(encoding="utf-8") if crash.is_file() else ""
            imported = crashed(stack, exit_code=exit_code, output=output)
        return replace(imported, text=as_on_lambda(imported.text, mount, opt))


def as_on_lambda(text: str, mount: Mount, opt: Path) -> str:
    """Return an exception's text with the paths that it would have on Lambda."""
    mount_points = {
        str(opt): OPT_ROOT,
        str(mount.task.resolve()): TASK_ROOT,
        str(mount.task): TASK_ROOT,
    }
    mount_points |= {str(layer.tree.resolve()): OPT_ROOT for layer in mount.layers}
    for folder, mount_point in mount_points.items():
        text = text.replace(folder, mount_point)
    return text


def parse(fields: Mapping[str, Any]) -> ImportResult:
    """Return the result that the probe wrote."""
    borrowed = {name: _resolved(holders) for name, holders in fields.get("borrowed", {}).items()}
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
        stack=tuple(Frame(Path(file).resolve(), int(line)) for file, line in fields.get("stack", ())),
        attempts=frozenset(fields.get("attempts", ())),
        names=tuple(fields.get("names", ())),
        borrowed=borrowed,
    )


def crashed(stack: str, *, exit_code: int, output: str) -> ImportResult:
    """Return the result of a process that ended without writing one.

    Args:
        stack: the text that faulthandler left, innermost frame first.
        output: the last lines that the process printed.
    """
    frames = tuple(Frame(Path(file).resolve(), int(line)) for file, line in _FRAME.findall(stack))
    if stack.startswith("Timeout"):
        return ImportResult(Outcome.HUNG, text="it does not end", stack=frames[::-1])

    first = stack.strip().partition("\n")[0] or output.strip().rpartition("\n")[2]
    ended = f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    return ImportResult(Outcome.ENDED, text=f"{first} ({ended})" if first else ended, stack=frames[::-1])


def _resolved(files: list[str]) -> tuple[str, ...]:
    return tuple(str(Path(file).resolve()) for file in files)
