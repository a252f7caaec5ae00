"""The files that a project wants for a new function, and the lines that it wants in files that exist.

A project describes them in a folder: scaffold.toml and the texts of the files. `${module}` and the other variables
are replaced; `Template` of the standard library has the rules.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from automation.system.errors import ConfigurationError

FILE = "scaffold.toml"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file of a new function; path and text may contain variables."""

    path: str
    text: str
    when: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Insertion:
    """A text for a file that exists.

    Attributes:
        anchor: a regular expression that matches the file once.
        is_before: insert the text before the match, otherwise behind it.
        is_item: the match ends with the opening bracket of a list, and the text becomes its last item.
    """

    file: str
    anchor: str
    text: str
    is_before: bool = False
    is_item: bool = False
    when: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What a project wants for a new function.

    Attributes:
        message: the name of a new message; empty when the project has no message classes.
        source: the source of new messages on the bus.
        schedule_input: the text that a new schedule sends.
        keep: by trigger, the shared resources that the code of a new function uses.
        runs: commands to run in the project once everything is written; `python` is the running interpreter.
        generated: patterns of the files that these commands write.
    """

    files: tuple[NewFile, ...] = ()
    insertions: tuple[Insertion, ...] = ()
    message: str = ""
    source: str = ""
    schedule_input: str = ""
    keep: Mapping[str, frozenset[str]] = field(default_factory=dict)
    runs: tuple[tuple[str, ...], ...] = ()
    generated: tuple[str, ...] = ()


def read(folder: Path, *, name: str) -> Scaffold:
    """Read the scaffold in a folder.

    Args:
        name: the folder's name in messages.

    Raises:
        ConfigurationError: a file is missing, or scaffold.toml is wrong.
    """
    where = f"{name}/{FILE}"
    try:
        table = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        return _scaffold(table, folder)
    except FileNotFoundError as cause:
        missing = Path(str(cause.filename)).name
        message = f"{missing} does not exist; see scaffold in pyproject.toml, [tool.alchemiser]"
        raise ConfigurationError(message, where=name) from cause
    except tomllib.TOMLDecodeError as cause:
        raise ConfigurationError(f"is not valid TOML: {cause}", where=where) from cause
    except (KeyError, TypeError, AttributeError, re.error) as cause:
        raise ConfigurationError(f"has a wrong or missing entry: {cause}", where=where) from cause


def render(text: str, values: Mapping[str, str], *, where: str = FILE) -> str:
    """Replace the variables of a text.

    Raises:
        ConfigurationError: the text has a variable without a value.
    """
    try:
        return Template(text).substitute(values)
    except KeyError as cause:
        known = ", ".join(sorted(values))
        raise ConfigurationError(
            f"${{{cause.args[0]}}} is not a variable; the variables are: {known}", where=where
        ) from cause
    except ValueError as cause:
        raise ConfigurationError(f"a single $ is written $$: {cause}", where=where) from cause


def _scaffold(table: Mapping[str, Any], folder: Path) -> Scaffold:
    files = (
        NewFile(entry["path"], (folder / entry["text"]).read_text(encoding="utf-8"), _facts(entry))
        for entry in table.get("files", [])
    )
    return Scaffold(
        files=tuple(files),
        insertions=tuple(_insertion(entry) for entry in table.get("insertions", [])),
        message=table.get("message", ""),
        source=table.get("source", ""),
        schedule_input=table.get("schedule_input", ""),
        keep={trigger: frozenset(names) for trigger, names in table.get("keep", {}).items()},
        runs=tuple(tuple(words) for words in table.get("runs", [])),
        generated=tuple(table.get("generated", [])),
    )


def _insertion(entry: Mapping[str, Any]) -> Insertion:
    place = next(key for key in ("before", "after", "into", "") if key in entry or not key)
    anchor = entry[place or "after"]
    re.compile(Template(anchor).safe_substitute())
    text = entry["insert"]
    return Insertion(entry["file"], anchor, text, place == "before", place == "into", _facts(entry))


def _facts(entry: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(entry.get("when", ()))
