"""Run cfn-lint on expanded templates, with its informational rules and those of cfn-lint-serverless."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from automation.scanning import isolation
from automation.scanning.model import SecurityFinding
from automation.scanning.scanned_stacks import ScannedStack
from automation.system import processes
from automation.system.errors import ToolError

TOOL = "cfn-lint"
SERVERLESS = "cfn-lint-serverless"
_SERVERLESS_PACKAGE = "cfn_lint_serverless"
_SERVERLESS_RULES = ("ES", "WS")


def has_serverless_rules(program: Path) -> bool:
    """Return whether cfn-lint's environment contains cfn-lint-serverless."""
    environment = program.resolve().parent.parent
    return any(environment.glob(f"lib/python*/site-packages/{_SERVERLESS_PACKAGE}"))


def scan(
    program: Path, templates: Mapping[str, ScannedStack], *, folder: Path, with_serverless: bool
) -> list[SecurityFinding]:
    """Return the findings of cfn-lint about templates.

    Args:
        templates: the stacks by the names of their expanded templates in `folder`.

    Raises:
        ToolError: cfn-lint failed.
    """
    more: Sequence[str] = ("--append-rules", f"{_SERVERLESS_PACKAGE}.rules") if with_serverless else ()
    command: list[str | Path] = [program, *more, "--include-checks", "I", "--format", "json", "--", *templates]
    finished = processes.run(command, cwd=folder, env=isolation.environment(folder), check=False)
    return list(findings(finished.stdout, templates, problem=finished.tail()))


def findings(text: str, templates: Mapping[str, ScannedStack], *, problem: str = "") -> Iterator[SecurityFinding]:
    """Yield the findings in cfn-lint's JSON.

    Args:
        problem: what cfn-lint printed, for the message when it failed.

    Raises:
        ToolError: the text is not JSON, so cfn-lint itself failed.
    """
    try:
        matches = json.loads(text or "[]")
    except ValueError as cause:
        raise ToolError(f"failed\n{problem or text}", where=TOOL) from cause
    for match in matches:
        yield _finding(match, templates[match["Filename"]])


def _finding(match: Mapping[str, Any], stack: ScannedStack) -> SecurityFinding:
    rule, path = match["Rule"], match["Location"].get("Path") or []
    resource = stack.stable_name(str(path[1])) if len(path) > 1 and path[0] == "Resources" else ""
    return SecurityFinding(
        template=stack.path,
        line=stack.line_of(resource),
        resource=resource,
        tool=SERVERLESS if rule["Id"].startswith(_SERVERLESS_RULES) else TOOL,
        rule=str(rule["Id"]),
        sentence=str(match["Message"]).rstrip("."),
        fix=str(rule.get("Source", "")),
    )
