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
from automation.system.errors import ToolError

TIMEOUT_S = 20.0
_GRACE_S = 5.0
_PROBE = Path(__file__).with_name("import_probe.py")
_FRAME = re.compile(r'File "([^"<]+)", line (\d+)')


class Outcome(StrEnum):
    """What came of importing a handler."""

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
class Imported:
    """What came of importing one handler.

    Attributes:
        module: the handler's module, as its dotted name.
        file: what that was imported from.
        kinds: the exception's class and what that derives from, by name.
        name: the module that the exception is about.
        key: what a KeyError did not find.
        path: the file that an OSError is about.
        stack: outermost first, what belongs to Python itself left out.
        attempts: what was refused: `write`, `network`.
        names: what the handler's module has that can be called.
        borrowed: by the name of a stdlib module that another stands in for: the files of the modules that hold it.
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
        """The exception as Python prints it."""
        return ": ".join(part for part in (self.kinds[0] if self.kinds else "", self.text) if part)


def examine(mount: Mount, opt: Path, *, root: Path, timeout_s: float = TIMEOUT_S) -> Imported:
    """Import a function's handler; whatever its code does comes back as a value.

    Args:
        opt: what `runtime.mounted` made of its layers.

    Raises:
        ToolError: there is no interpreter to do it with.
    """
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        result, crash = Path(folder) / "result.json", Path(folder) / "crash.txt"
        arguments: list[str | Path] = [str(mount.function.handler), result, crash, str(timeout_s), mount.task, opt]
        try:
            finished = runtime.run(mount, _PROBE, arguments, root=root, timeout_s=timeout_s + _GRACE_S, opt=opt)
            said, code = finished.tail(5), finished.exit_code
        except ToolError as cause:
            if not result.is_file() and not crash.is_file():
                raise
            said, code = cause.message, 0
        if result.is_file():
            found = parse(json.loads(result.read_text(encoding="utf-8")))
        else:
            stack = crash.read_text(encoding="utf-8") if crash.is_file() else ""
            found = crashed(stack, exit_code=code, said=said)
        return replace(found, text=as_on_lambda(found.text, mount, opt))


def as_on_lambda(text: str, mount: Mount, opt: Path) -> str:
    """An exception's text with the paths that it would have on Lambda."""
    places = {
        str(opt): runtime.OPT_ROOT,
        str(mount.task.resolve()): runtime.TASK_ROOT,
        str(mount.task): runtime.TASK_ROOT,
    }
    places |= {str(layer.tree.resolve()): runtime.OPT_ROOT for layer in mount.layers}
    for place, root in places.items():
        text = text.replace(place, root)
    return text


def parse(found: Mapping[str, Any]) -> Imported:
    """What the probe wrote, as a value."""
    return Imported(
        outcome=Outcome(found["outcome"]),
        seconds=float(found.get("seconds", 0.0)),
        module=str(found.get("module", "")),
        file=str(found.get("file", "")),
        kinds=tuple(found.get("kinds", ())),
        text=str(found.get("text", "")),
        name=str(found.get("name", "")),
        key=str(found.get("key", "")),
        path=str(found.get("path", "")),
        stack=tuple(Frame(Path(file).resolve(), int(line)) for file, line in found.get("stack", ())),
        attempts=frozenset(found.get("attempts", ())),
        names=tuple(found.get("names", ())),
        borrowed={
            name: tuple(str(Path(file).resolve()) for file in holders)
            for name, holders in found.get("borrowed", {}).items()
        },
    )


def crashed(stack: str, *, exit_code: int, said: str) -> Imported:
    """What is known of a process that ended without a result: the stack that it left, innermost first."""
    frames = tuple(Frame(Path(file).resolve(), int(line)) for file, line in _FRAME.findall(stack))
    if stack.startswith("Timeout"):
        return Imported(Outcome.HUNG, text="it comes to no end", stack=frames[::-1])
    first = stack.strip().partition("\n")[0] or said.strip().rpartition("\n")[2]
    ended = f"killed by signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
    return Imported(Outcome.ENDED, text=f"{first} ({ended})" if first else ended, stack=frames[::-1])
