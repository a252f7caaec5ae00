"""Run checkov on expanded templates, without its platform: nothing is downloaded or sent."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automation.scanning import isolation
from automation.scanning.model import SecurityFinding
from automation.scanning.scanned_stacks import ScannedStack
from automation.system import processes
from automation.system.errors import ToolError

TOOL = "checkov"
# It asks the platform for names of rules otherwise, even without a key.
_OFFLINE = {"BC_SKIP_MAPPING": "TRUE", "LOG_LEVEL": "ERROR"}
_PLATFORM = ("BC_API_KEY", "BC_API_URL", "PRISMA_API_URL", "CKV_API_KEY", "CHECKOV_CONFIG_FILE")


def scan(program: Path, templates: Mapping[str, ScannedStack], *, folder: Path) -> list[SecurityFinding]:
    """Return checkov's findings about templates.

    Args:
        templates: the stacks by the names of their expanded templates in `folder`.

    Raises:
        ToolError: checkov failed, or could not read a template.
    """
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--quiet", "--soft-fail"]
    env = isolation.environment(folder, _OFFLINE, without=_PLATFORM)
    finished = processes.run([program, *options, "--output", "json", "--file", *templates], cwd=folder, env=env)
    return list(findings(finished.stdout, templates))


def findings(text: str, templates: Mapping[str, ScannedStack]) -> Iterator[SecurityFinding]:
    """Yield the findings in checkov's JSON.

    Raises:
        ToolError: the text is not JSON, or checkov could not read a template.
    """
    try:
        answer = json.loads(text)
    except ValueError as cause:
        raise ToolError(f"did not answer in JSON\n{text}", where=TOOL) from cause
    for report in answer if isinstance(answer, list) else [answer]:
        results = report.get("results", {})
        if unreadable := results.get("parsing_errors"):
            raise ToolError(f"cannot read {', '.join(map(str, unreadable))}", where=TOOL)
        for check in results.get("failed_checks", ()):
            yield _finding(check, templates[str(check["file_path"]).lstrip("/")])


def _finding(check: Mapping[str, Any], stack: ScannedStack) -> SecurityFinding:
    resource = stack.stable_name(str(check["resource"]).rpartition(".")[2])
    keys = [str(key).replace("/", ".") for key in check["check_result"].get("evaluated_keys") or ()]
    return SecurityFinding(
        template=stack.path,
        line=stack.line_of(resource),
        resource=resource,
        tool=TOOL,
        rule=str(check["check_id"]),
        sentence=str(check["check_name"]),
        fix=f"see {', '.join(sorted(set(keys)))}" if keys else "",
    )
