"""Find the step tree in a file: alone, or inside an answer of Composer's API or of a tool that wraps one."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from automation.system.errors import CheckFailedError, Finding, UsageError
from desk.composer.elements import Element
from desk.composer.json_text import JsonError, read_json

_STRATEGY_FILE = "(defsymphony"


def read_root(path: Path, *, at: str, task: str) -> Element:
    """Return the root of the step tree in a file.

    Args:
        at: the path of the root to choose, such as `$.symphonies[0].score`; empty for the only one.

    Raises:
        CheckFailedError: the file is not JSON, or has no step tree.
        UsageError: the file has several step trees, or none at `at`.
    """
    roots = list(_roots(Element(_read(path))))
    chosen = [root for root in roots if root.path == at] if at else roots
    if len(chosen) == 1:
        return chosen[0]
    if not roots:
        what = 'found no step tree, an object with "step": "root"; Composer\'s score of a symphony has one'
        raise CheckFailedError(f"{what}. Nothing was written", where=str(path))

    known = ", ".join(f"--at {shlex.quote(root.path)} for {root.label.removeprefix('root ')}" for root in roots)
    problem = f"no step tree at {at}" if at else f"{len(roots)} step trees"
    raise UsageError(f"{path} has {problem}; pass {known}", where=task)


def _read(path: Path) -> object:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CheckFailedError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CheckFailedError(f"{path} is not UTF-8 from byte {error.start} on; save it as UTF-8") from error

    if text.lstrip().startswith(_STRATEGY_FILE):
        raise CheckFailedError(f"{path} is a strategy file already; run inv strategies.check {shlex.quote(str(path))}")
    if not text.strip():
        raise CheckFailedError(f"{path} is empty, expected an export of Composer")
    try:
        return read_json(text)
    except JsonError as error:
        finding = Finding(f"{path}:{error.line}:{error.column}", str(error), f"it is at {error.path}")
        message = f"{path} is not JSON, expected an export of Composer; nothing was written"
        raise CheckFailedError(message, findings=[finding]) from error


def _roots(top: Element) -> Iterator[Element]:
    """Yield every step tree from the top down; a tree inside a tree belongs to the outer one."""
    pending = [top]
    while pending:
        element = pending.pop()
        step = element.get("step")
        if step is not None and step.value == "root":
            yield element
        elif isinstance(element.value, str):
            pending.extend(_embedded(element))
        else:
            pending.extend(reversed(tuple(element.members())))


def _embedded(element: Element) -> Iterator[Element]:
    """Yield the JSON that a text holds, as the answers of tools do."""
    if element.value.lstrip().startswith(("{", "[")) and '"step"' in element.value:
        try:
            yield Element(read_json(element.value), element.parent, element.key)
        except JsonError:
            return
