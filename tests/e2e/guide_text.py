"""Read the commands of a guide: what to type, with which exit code it ends, and what it prints.

A fence `sh` has commands, one per line; a backslash continues a line, and `<<'END'` takes the lines until END along. A
comment `# exit 3` says how a command ends, if not with 0. A fence `sh on-aws-only NAME` has what only works on AWS, and
`sh by-hand NAME` what the tests have done before; a test does the equivalent. A fence `text` has what the commands
before it print, in short: `…` stands for any text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

_FENCE = re.compile(r"^```(\w+)(?: (?:on-aws-only|by-hand) ([\w-]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_HERE = re.compile(r"<<'(\w+)'$")
_EXIT = re.compile(r"\s+# exit (\d+)\b.*$")
_WILDCARD = "…"


@dataclass(frozen=True, slots=True)
class Command:
    """A line to type, with the text that it reads, the exit code that it ends with, and its line in the guide."""

    line: str
    code: int
    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """The commands of a fence.

    Attributes:
        event: the name of what a test does otherwise; empty for commands that it types.
        prints: lines that the commands print together, in short.
    """

    commands: tuple[Command, ...]
    event: str = ""
    prints: tuple[str, ...] = ()


def steps(text: str) -> list[Step]:
    """Return the steps of a guide, in order."""
    listed: list[Step] = []
    for fence in _FENCE.finditer(text):
        language, event, body = fence.groups()
        if language == "sh":
            first_line = text.count("\n", 0, fence.start(3)) + 1
            listed.append(Step(tuple(_commands(body, first_line)), event or ""))
        elif language == "text":
            listed[-1] = replace(listed[-1], prints=tuple(body.splitlines()))
    return listed


def missing_lines(prints: Sequence[str], output: str) -> list[str]:
    """Return the lines that an output does not have."""
    return [line for line in prints if not _pattern(line).search(output)]


def _commands(body: str, first_line: int) -> Iterator[Command]:
    parts: list[str] = []
    end_of_text = ""
    for number, line in enumerate(body.splitlines(), start=first_line):
        if here := _HERE.search(line):
            end_of_text = here[1]
        parts.append(f"{line}\n" if end_of_text else line.removesuffix("\\"))
        if line != end_of_text if end_of_text else line.endswith("\\"):
            continue
        whole, end_of_text = "".join(parts).rstrip("\n"), ""
        if whole and not whole.startswith("#"):
            code = _EXIT.search(whole)
            yield Command(_EXIT.sub("", whole), int(code[1]) if code else 0, number + 1 - len(parts))
        parts.clear()


def _pattern(line: str) -> re.Pattern[str]:
    """Return what finds a line in an output, however wide the spaces between its words are."""
    parts = [r"[ \t]+".join(map(re.escape, part.split())) for part in line.split(_WILDCARD)]
    return re.compile(".*".join(parts))
