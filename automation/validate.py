"""Check the templates and the settings before anything is built from them."""

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from automation.project import environments
from automation.project.model import Project, Stack
from automation.system import console, files, processes, sam
from automation.system.errors import CheckFailedError, Finding, ToolError

_LINT_ERRORS = frozenset({"Error", "Warning"})


def validate(project: Project, *, with_sam: bool = True) -> None:
    """Run every check on every template, then fail once.

    Args:
        with_sam: `sam validate --lint` too, which checks what SAM makes of a template.

    Raises:
        CheckFailedError: its findings name each fault.
        ToolError: cfn-lint or SAM CLI could not be run.
    """
    samconfig = environments.read_samconfig(project.root) if project.environments else {}
    found = list(environments.disagreements(project, samconfig))
    program = sam.ensure(project.root) if with_sam else None
    with console.progress("linting the templates"), ThreadPoolExecutor(2) as pool:
        lints = pool.map(lambda stack: lint(stack, project.root), project.stacks)
        validations = pool.map(
            lambda stack: sam_faults(stack, project.root, program), project.stacks if program else ()
        )
        found += [finding for findings in [*lints, *validations] for finding in findings]
    if found:
        raise CheckFailedError(f"{len(found)} fault(s) in templates and settings", findings=found)


def validate_once(project: Project) -> None:
    """`validate` without SAM, skipped when the same templates and settings have passed it before."""
    inputs = [stack.template.path for stack in project.stacks] + ["pyproject.toml", "samconfig.toml"]
    present = [project.root / name for name in inputs if (project.root / name).is_file()]
    passed = files.digest_of(path.read_bytes() for path in present)
    record = project.root / ".alchemiser" / "validated"
    if not record.is_file() or record.read_text() != passed:
        validate(project, with_sam=False)
        files.write_atomically(record, passed)


def lint(stack: Stack, root: Path) -> list[Finding]:
    """What cfn-lint says of one template, informational remarks left out."""
    program = _cfn_lint()
    finished = processes.run([program, "--format", "json", stack.template.path], cwd=root, check=False)
    return lint_findings(finished.stdout, name=stack.template.path, problem=finished.tail())


def lint_findings(text: str, *, name: str, problem: str = "") -> list[Finding]:
    """The findings in cfn-lint's JSON.

    Raises:
        ToolError: it is no JSON, so cfn-lint itself failed.
    """
    try:
        matches = json.loads(text or "[]")
    except ValueError as cause:
        raise ToolError(f"cfn-lint failed\n{problem or text}", where=name) from cause
    return [_finding(match, name) for match in matches if match["Level"] in _LINT_ERRORS]


def sam_faults(stack: Stack, root: Path, program: Path | None) -> list[Finding]:
    """What `sam validate --lint` says against one template."""
    if program is None:
        return []
    arguments = ["validate", "--lint", "--template-file", stack.template.path, "--region", "us-east-1"]
    finished = sam.run(program, arguments, cwd=root)
    if finished.exit_code == 0:
        return []
    return [Finding(stack.template.path, f"sam validate: {finished.tail(5)}")]


def _finding(match: dict[str, Any], name: str) -> Finding:
    line = match["Location"]["Start"]["LineNumber"]
    return Finding(f"{name}:{line}", f"{match['Rule']['Id']}: {match['Message']}")


def _cfn_lint() -> Path:
    beside = Path(sys.executable).parent / "cfn-lint"
    found = beside if beside.exists() else shutil.which("cfn-lint")
    if found is None:
        raise ToolError("cfn-lint was not found; make the development environment again (README.md)")
    return Path(found)
