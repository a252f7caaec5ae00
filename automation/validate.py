"""`inv validate`: check the templates and the settings before anything is built from them."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from automation.project import environments
from automation.project.model import Project, Stack
from automation.project.sam_configuration import SAMCONFIG
from automation.project.settings import PYPROJECT
from automation.system import console, files, packages, processes, sam, tools
from automation.system.errors import CheckFailedError, Finding, ToolError

_REPORTED_LEVELS = frozenset({"Error", "Warning"})


def validate(project: Project, *, with_sam: bool = True) -> None:
    """Run every check on every template, then fail once.

    Args:
        with_sam: also run `sam validate --lint`, which checks the template after SAM's transform.

    Raises:
        CheckFailedError: its findings name each fault.
        ToolError: cfn-lint or SAM CLI could not be run.
    """
    samconfig = environments.read_samconfig(project.root) if project.settings.environments else {}
    findings = list(environments.disagreements(project, samconfig))
    _cfn_lint()  # when it is missing, say so before SAM CLI is installed
    program = sam.ensure(project.root) if with_sam else None

    with console.progress("linting the templates"), ThreadPoolExecutor(2) as pool:
        linted = pool.submit(lint, project.stacks, project.root)
        faults = pool.map(lambda stack: sam_faults(stack, project.root, program), project.stacks)
        findings += chain(linted.result(), *faults)
    if findings:
        raise CheckFailedError(f"{len(findings)} fault(s) in templates and settings", findings=findings)


def validate_once(project: Project) -> None:
    """Run `validate` without SAM, unless the same templates and settings have passed before."""
    inputs = [*(stack.template.path for stack in project.stacks), PYPROJECT, SAMCONFIG]
    present = [project.root / name for name in inputs if (project.root / name).is_file()]
    digest = files.digest_of(path.read_bytes() for path in present)

    record = project.root / ".alchemiser" / "validated"
    if not record.is_file() or record.read_text() != digest:
        validate(project, with_sam=False)
        files.write_atomically(record, digest)


def lint(stacks: Sequence[Stack], root: Path) -> list[Finding]:
    """Return cfn-lint's errors and warnings about the templates, from one process: it takes seconds to load.

    Raises:
        ToolError: cfn-lint is missing or failed.
    """
    paths = [stack.template.path for stack in stacks]
    finished = processes.run([_cfn_lint(), "--format", "json", *paths], cwd=root, check=False)
    return lint_findings(finished.stdout, problem=finished.tail())


def lint_findings(text: str, *, problem: str = "") -> list[Finding]:
    """Return the errors and warnings in cfn-lint's JSON.

    Args:
        problem: what cfn-lint printed, for the message when it failed.

    Raises:
        ToolError: the text is not JSON, so cfn-lint itself failed.
    """
    try:
        matches = json.loads(text or "[]")
    except ValueError as cause:
        raise ToolError(f"failed\n{problem or text}", where="cfn-lint") from cause
    return [_finding(match) for match in matches if match["Level"] in _REPORTED_LEVELS]


def sam_faults(stack: Stack, root: Path, program: Path | None) -> list[Finding]:
    """Return what `sam validate --lint` reports about one template; nothing without the program."""
    if program is None:
        return []
    arguments = ["validate", "--lint", "--template-file", stack.template.path, "--region", "us-east-1"]
    finished = sam.run(program, arguments, cwd=root)
    if finished.exit_code == 0:
        return []
    return [Finding(stack.template.path, f"sam validate: {finished.tail(5)}")]


def _finding(match: dict[str, Any]) -> Finding:
    line = match["Location"]["Start"]["LineNumber"]
    return Finding(f"{match['Filename']}:{line}", f"{match['Rule']['Id']}: {match['Message']}")


def _cfn_lint() -> Path:
    program = tools.installed_program("cfn-lint")
    if program is None:
        raise ToolError(f"cfn-lint was not found; run: {packages.how_to_install('cfn-lint')}")
    return program
