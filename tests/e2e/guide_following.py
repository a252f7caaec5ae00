"""Follow a guide of docs/ in a copy of the project: type its commands, and compare exit codes and output with it."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.e2e.guide_shell import Shell
from tests.e2e.guide_text import Step, missing_lines, steps


def variables(home: Path, *, programs: Sequence[Path] = (), **others: str) -> dict[str, str]:
    """Return the environment of a person who has installed the tools.

    Args:
        programs: folders that come first on PATH.
    """
    path = (*programs, Path(sys.executable).parent, os.environ["PATH"])
    settings = {name: value for name, value in os.environ.items() if name.startswith("ALCHEMISER_")}
    return {
        **settings,
        "PATH": os.pathsep.join(map(str, path)),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        # Without colours and spinners, and wide enough for every line.
        "TERM": "dumb",
        "COLUMNS": "250",
        "LINES": "50",
        **others,
    }


def follow(name: str, text: str, shell: Shell, events: Mapping[str, Callable[[], None]]) -> None:
    """Follow a guide to its end; stop at the first line that ends otherwise than it says.

    Args:
        name: the path of the guide, for messages.
        events: what the test does instead of each step that it does not type.
    """
    for step in steps(text):
        if step.event:
            events[step.event]()
        else:
            _type(name, step, shell)


def _type(name: str, step: Step, shell: Shell) -> None:
    """Type the commands of a step, and compare exit codes and output with the guide."""
    output = ""
    for command in step.commands:
        ran = shell.run(command.line)
        # pytest shows it when the guide fails.
        sys.stdout.write(f"$ {command.line}\n{ran.text}")
        where = f"{name}:{command.number}: {command.line}"
        assert ran.code == command.code, f"{where}\nexit code {ran.code} instead of {command.code}\n{ran.text}"
        assert "Traceback" not in ran.text, f"{where}\n{ran.text}"
        output += ran.text
    missing = missing_lines(step.prints, output)
    assert missing == [], f"{name}:{step.commands[0].number}: not printed: {missing}\n{output}"
