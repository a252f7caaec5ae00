"""The sessions of nox, read from the text of a noxfile.py: to import it would register its sessions."""

import ast
from pathlib import Path
from typing import NamedTuple

from automation.system import markdown
from automation.system.errors import CheckFailedError, Finding

NOXFILE = "noxfile.py"


class Session(NamedTuple):
    """A session.

    Attributes:
        does: the first line of its docstring; empty without one.
        is_default: whether `nox` alone runs it.
    """

    name: str
    does: str
    is_default: bool


def page(root: Path) -> str:
    """Return the page of the project at `root`.

    Raises:
        CheckFailedError: a session has no docstring.
    """
    listed = sessions((root / NOXFILE).read_text(encoding="utf-8"))
    if silent := [session.name for session in listed if not session.does]:
        findings = [Finding(name, "the session has no docstring", "say in a sentence what it does") for name in silent]
        raise CheckFailedError(f"{len(silent)} session(s) without a description", where=NOXFILE, findings=findings)

    default = ", ".join(f"`{session.name}`" for session in listed if session.is_default)
    intro = f"`nox` alone runs {default}; `nox -s NAME` runs others. What follows `--` is passed on."
    rows = [(f"`{session.name}`", session.does) for session in listed]
    table = markdown.table(("session", "what it does"), rows, cell=markdown.with_code)
    return f"# The sessions of nox\n\n{intro}\n\n{table}\n"


def sessions(text: str) -> list[Session]:
    """Return the functions of a noxfile.py that are sessions, in its order."""
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    listed: list[Session] = []
    for function in functions:
        decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
        session = next((text for text in decorators if text.startswith("nox.session")), "")
        if session:
            does = (ast.get_docstring(function) or "").partition("\n")[0]
            listed.append(Session(function.name, does, is_default="default=False" not in session))
    return listed
