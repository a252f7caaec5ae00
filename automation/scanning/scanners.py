"""The scanners on the market: each in an environment of its own, offline, on the templates after SAM's transform."""

import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from automation.deploying.changes import expansion
from automation.scanning import cfn_lint, checkov, parliament
from automation.scanning.model import SecurityFinding
from automation.scanning.scanned_stacks import ScannedStack
from automation.system import tools

_PROGRAMS = (checkov.TOOL, cfn_lint.TOOL, parliament.TOOL)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the scanners found.

    Attributes:
        tools: those that ran.
        missing: those that are neither locked nor installed.
    """

    findings: tuple[SecurityFinding, ...]
    tools: tuple[str, ...]
    missing: tuple[str, ...]


def scan(root: Path, stacks: Sequence[ScannedStack]) -> Scanned:
    """Run every scanner that the project has, two at a time.

    Raises:
        ToolError: a scanner failed, or could not be installed.
    """
    programs = {name: program for name in _PROGRAMS if (program := tools.find_program(root, name)) is not None}
    with_serverless = cfn_lint.TOOL in programs and cfn_lint.has_serverless_rules(programs[cfn_lint.TOOL])
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(2) as pool:
        jobs = _jobs(programs, stacks, Path(temporary), with_serverless=with_serverless)
        reports = list(pool.map(lambda job: job(), jobs))

    ran = [*programs, *([cfn_lint.SERVERLESS] if with_serverless else [])]
    return Scanned(
        findings=tuple(chain.from_iterable(reports)),
        tools=tuple(ran),
        missing=tuple(name for name in (*_PROGRAMS, cfn_lint.SERVERLESS) if name not in ran),
    )


def _jobs(
    programs: dict[str, Path], stacks: Sequence[ScannedStack], folder: Path, *, with_serverless: bool
) -> list[Callable[[], list[SecurityFinding]]]:
    """Write the templates, and return the runs to make; the slowest comes first."""
    templates = {f"{number}.json": stack for number, stack in enumerate(stacks)}
    for name, stack in templates.items():
        (folder / name).write_text(json.dumps(stack.template, indent=1, default=dict), encoding="utf-8")

    jobs: list[Callable[[], list[SecurityFinding]]] = []
    if checkov.TOOL in programs:
        jobs.append(lambda: checkov.scan(programs[checkov.TOOL], templates, folder=folder))
    if cfn_lint.TOOL in programs:
        program = programs[cfn_lint.TOOL]
        jobs.append(lambda: cfn_lint.scan(program, templates, folder=folder, with_serverless=with_serverless))
    if parliament.TOOL in programs:
        python = expansion.find_interpreter(programs[parliament.TOOL])
        jobs.append(lambda: parliament.scan(python, stacks, folder=folder))
    return jobs
