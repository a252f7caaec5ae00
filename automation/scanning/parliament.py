"""Run parliament on the IAM policies of expanded templates."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from automation.scanning import isolation, policy_documents
from automation.scanning.model import SecurityFinding
from automation.scanning.policy_documents import PolicyDocument
from automation.scanning.scanned_stacks import ScannedStack
from automation.system import processes

TOOL = "parliament"
_WORKER = Path(__file__).with_name("parliament_worker.py")

type Policies = Sequence[tuple[ScannedStack, PolicyDocument]]


def scan(python: Path, stacks: Sequence[ScannedStack], *, folder: Path) -> list[SecurityFinding]:
    """Return parliament's findings about the policies of stacks.

    Args:
        python: the interpreter of parliament's environment.
        folder: for the request.

    Raises:
        ToolError: parliament failed.
    """
    policies = list(chain.from_iterable(_policies(stack, stacks) for stack in stacks))
    request = folder / "policies.json"
    request.write_text(json.dumps([policy.document for _, policy in policies], default=dict))
    # Its source has escapes that Python warns about, and it uses setuptools' old pkg_resources.
    command: list[str | Path] = [python, "-I", "-W", "ignore", _WORKER, request]
    finished = processes.run(command, cwd=folder, env=isolation.environment(folder))
    return list(findings(json.loads(finished.stdout), policies))


def _policies(stack: ScannedStack, stacks: Sequence[ScannedStack]) -> Policies:
    types = policy_documents.types_of(stack, stacks)
    return [(stack, document) for document in policy_documents.of_stack(stack, types)]


def findings(answers: Sequence[Sequence[dict[str, Any]]], policies: Policies) -> Iterator[SecurityFinding]:
    """Yield the findings in the worker's answers, one list per policy."""
    for (stack, policy), answer in zip(policies, answers, strict=True):
        for finding in answer:
            detail = f": {finding['detail']}" if finding["detail"] else ""
            yield SecurityFinding(
                template=stack.path,
                line=stack.line_of(policy.resource),
                resource=policy.resource,
                tool=TOOL,
                rule=finding["rule"],
                sentence=f"{finding['title'].rstrip('. ')}{detail}",
                fix=finding["description"],
            )
