"""`inv validate`: check the templates and the settings before anything is built from them."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from automation import lint_worker
from automation.deploying.changes import expansion
from automation.deploying.changes.expansion import SamTemplate
from automation.project import environments, templates
from automation.project.model import Project, Stack
from automation.project.sam_configuration import SAMCONFIG
from automation.project.settings import PYPROJECT
from automation.system import console, files, packages, processes, tools
from automation.system.errors import CheckFailedError, Finding, ToolError

_REPORTED_LEVELS = frozenset({"Error", "Warning"})
# cfn-lint reads them from the folder that it runs in; the lock says which SAM CLI transforms.
_SETTINGS_OF_LINTERS = (".cfnlintrc", ".cfnlintrc.yaml", ".cfnlintrc.yml", "locks/sam.txt")


def validate(project: Project, *, with_sam: bool = True) -> None:
    """Run every check on every template, then fail once.

    Args:
        with_sam: also let SAM transform the templates; `sam validate --lint` only runs cfn-lint a second time.

    Raises:
        CheckFailedError: its findings name each fault.
        ToolError: cfn-lint or SAM CLI could not be run.
    """
    samconfig = environments.read_samconfig(project.root) if project.settings.environments else {}
    findings = list(environments.disagreements(project, samconfig))
    _cfn_lint()  # when it is missing, say so before SAM CLI is installed

    def transform() -> list[Finding]:
        return list(refusals(project.stacks, project.root)) if with_sam else []

    with console.progress("linting the templates"):
        findings += lint(project.stacks, project.root, meanwhile=transform)
    if findings:
        raise CheckFailedError(f"{len(findings)} fault(s) in templates and settings", findings=findings)


def validate_once(project: Project, *, with_sam: bool = False, force: bool = False) -> bool:
    """Run `validate`, unless the same templates and settings have passed before; return whether it ran.

    Args:
        force: run it in any case.

    Raises:
        CheckFailedError, ToolError: as `validate`.
    """
    record = project.root / ".alchemiser" / ("validated-with-sam" if with_sam else "validated")
    state = _state(project)
    if not force and record.is_file() and record.read_text(encoding="utf-8") == state:
        return False
    validate(project, with_sam=with_sam)
    files.write_atomically(record, state)
    return True


def _state(project: Project) -> str:
    """Return a digest of everything that a validation depends on: templates, settings, linters and our own code."""
    root = project.root
    inputs = [*(stack.template.path for stack in project.stacks), PYPROJECT, SAMCONFIG, *_SETTINGS_OF_LINTERS]
    texts = [b"".join([name.encode(), (root / name).read_bytes()]) for name in inputs if (root / name).is_file()]
    program = tools.installed_program("cfn-lint")
    return files.digest_of([*texts, str(program), files.signature(program) if program else "", packages.own_code()])


def lint(stacks: Sequence[Stack], root: Path, *, meanwhile: Callable[[], list[Finding]] = list) -> list[Finding]:
    """Return cfn-lint's errors and warnings about the templates; as many processes as processors share them.

    Args:
        meanwhile: starts another process and returns its findings, which come last.

    Raises:
        ToolError: cfn-lint is missing or failed.
    """
    shares = shared_out({stack.template.path: (root / stack.template.path).stat().st_size for stack in stacks})
    # The first share takes longest: the other process goes before the others, so that none slows the first one.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        first = [pool.submit(_lint, paths, root) for paths in shares[:1]]
        other = pool.submit(meanwhile)
        rest = [pool.submit(_lint, paths, root) for paths in shares[1:]]
        return list(chain.from_iterable(future.result() for future in (*first, *rest, other)))


def shared_out(sizes: Mapping[str, int], processes_count: int | None = None) -> list[list[str]]:
    """Share files out among processes so that each has about the same number of bytes.

    Args:
        sizes: in bytes, by path.
        processes_count: at most; by default the number of processors.
    """
    shares: list[list[str]] = [[] for _ in range(min(len(sizes), processes_count or os.cpu_count() or 1))]
    for path in sorted(sizes, key=sizes.__getitem__, reverse=True):
        min(shares, key=lambda share: sum(sizes[held] for held in share)).append(path)
    return shares


def _lint(paths: Sequence[str], root: Path) -> list[Finding]:
    program, options = _cfn_lint(), ["--format", "json", *paths]
    finished = processes.run([*_faster(program), *options], cwd=root, check=False)
    if finished.exit_code == lint_worker.NOT_FOUND:
        finished = processes.run([program, *options], cwd=root, check=False)
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


def refusals(stacks: Sequence[Stack], root: Path) -> Iterator[Finding]:
    """Yield why SAM's transform refuses templates, from one process: it takes seconds to load.

    Raises:
        ToolError: SAM CLI is missing, or does not run in a Python that can be used.
    """
    sources = [_source(stack, root) for stack in stacks]
    for path, reason in expansion.refusals(sources, root=root):
        yield Finding(path, f"SAM refuses it: {reason}")


def _source(stack: Stack, root: Path) -> SamTemplate:
    template = stack.template
    # Some properties of SAM must not depend on a value that is missing.
    values = {name: str(next(iter(spec.get("AllowedValues", ())), name)) for name, spec in template.parameters.items()}
    known = {**values, **template.defaults(), **stack.parameters}
    return SamTemplate(template.path, templates.document(root / template.path, name=template.path), known)


def _finding(match: dict[str, Any]) -> Finding:
    line = match["Location"]["Start"]["LineNumber"]
    return Finding(f"{match['Filename']}:{line}", f"{match['Rule']['Id']}: {match['Message']}")


def _faster(program: Path) -> list[Path]:
    """Return our faster command for cfn-lint, or cfn-lint itself where its Python is unknown."""
    try:
        return [expansion.find_interpreter(program), Path(lint_worker.__file__)]
    except ToolError:
        return [program]


def _cfn_lint() -> Path:
    program = tools.installed_program("cfn-lint")
    if program is None:
        raise ToolError(f"cfn-lint was not found; run: {packages.how_to_install('cfn-lint')}")
    return program
