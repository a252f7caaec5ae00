"""`inv security`: scan the templates after SAM's transform; every finding is fixed, or has a reason in one file."""

import platform
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation.project import environments, model
from automation.scanning import own_rules, reasons, scanned_stacks, scanners
from automation.scanning.model import Judgement, SecurityFinding, without_duplicates
from automation.scanning.reasons import FILE
from automation.scanning.scanned_stacks import ScannedStack
from automation.scanning.scanners import Scanned
from automation.system import console
from automation.system.errors import CheckFailedError, Finding

_LONGEST_SENTENCE = 240  # some rules list every action of a service
_TO_ACCEPT = f"to accept them instead, say why and append to {FILE}:"


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a scan.

    Attributes:
        tools: those that ran.
        missing: the scanners that this project does not have.
    """

    judgement: Judgement
    tools: tuple[str, ...]
    missing: tuple[str, ...]


def scan(
    root: Path,
    environment: str = "",
    *,
    variables: Mapping[str, str],
    run_scanners: Callable[[Path, Sequence[ScannedStack]], Scanned] = scanners.scan,
) -> Scan:
    """Run all rules on all templates, and compare the findings with the reasons.

    Args:
        environment: whose parameters and stack names the templates get; empty for the defaults of the templates.
        variables: the process's environment variables.
        run_scanners: runs the scanners on the market.

    Raises:
        UsageError: the environment does not exist.
        ConfigurationError: a template, a setting or a reason is wrong.
        ToolError: a scanner failed.
    """
    accepted = reasons.read(root)
    stacks = read_stacks(root, environment, variables=variables)
    with console.progress("scanning the templates"):
        scanned = run_scanners(root, stacks)
    tools = (*scanned.tools, own_rules.TOOL)
    findings = without_duplicates([*scanned.findings, *own_rules.findings(stacks)])
    judgement = reasons.judge(findings, accepted, tools=tools, today=datetime.now(UTC).date())
    return Scan(judgement, tools, scanned.missing)


def read_stacks(root: Path, environment: str, *, variables: Mapping[str, str]) -> tuple[ScannedStack, ...]:
    """Return the stacks of the project as they would be in an environment; it makes no call.

    Raises:
        UsageError: the environment does not exist.
        ConfigurationError: a template or a setting is wrong.
        ToolError: SAM CLI is missing or cannot expand templates.
    """
    project = model.load(root)
    if not environment:
        return scanned_stacks.read(root, project.stacks)
    chosen = environments.load(project, environment, variables=variables, machine=platform.machine())
    settings = environments.stack_settings(project, chosen, environments.read_samconfig(root))
    return scanned_stacks.read(root, project.stacks, settings, region=chosen.region)


def show(scan: Scan) -> None:
    """Print the findings without a reason, an entry to accept each, and a summary."""
    show_findings(scan.judgement)
    console.result(summary(scan))
    if scan.missing:
        console.result(f"not run: {', '.join(scan.missing)}; pin them in locks/ or install them (docs/security.md)")


def show_findings(judgement: Judgement) -> None:
    """Print the findings without a reason, the faults of the reasons, and an entry to accept each finding."""
    console.findings([*map(as_finding, judgement.unexplained), *judgement.faults])
    if judgement.unexplained:
        console.results(["", _TO_ACCEPT, "", *reasons.entries_for(judgement.unexplained)])


def show_json(scan: Scan) -> None:
    """Print every finding and every fault of the reasons as JSON."""
    console.result_json({"format": 1, **as_json(scan.judgement), "tools": scan.tools, "missing": scan.missing})


def as_json(judgement: Judgement) -> dict[str, Any]:
    """Return every finding, with its reason if it has one, and every fault of the reasons."""
    unexplained = [{**_as_json(finding), "reason": None} for finding in judgement.unexplained]
    accepted = [{**_as_json(finding), "reason": reason.text} for finding, reason in judgement.accepted]
    faults = [{"where": fault.where, "what": fault.what, "fix": fault.fix} for fault in judgement.faults]
    return {"findings": [*unexplained, *accepted], "faults": faults}


def require_clean(scan: Scan) -> None:
    """Refuse findings without a reason, and reasons without a finding; `show` has printed them.

    Raises:
        CheckFailedError: there are some.
    """
    judgement = scan.judgement
    if judgement.is_clean:
        return
    unexplained, faults = len(judgement.unexplained), len(judgement.faults)
    raise CheckFailedError(f"{unexplained} security finding(s) without a reason, {faults} fault(s) in {FILE}")


def as_finding(finding: SecurityFinding) -> Finding:
    """Return a security finding as one line of `inv`: where, what, and how to fix it."""
    where = f"{finding.template}:{finding.line}: {finding.resource}".removesuffix(": ")
    sentence = textwrap.shorten(finding.sentence, _LONGEST_SENTENCE, placeholder=" …")
    return Finding(where, f"{finding.rule_name}: {sentence}", finding.fix)


def summary(scan: Scan) -> str:
    """Return how many findings each tool has, and how many of them are accepted."""
    accepted = [finding for finding, _ in scan.judgement.accepted]
    counts = Counter(finding.tool for finding in [*accepted, *scan.judgement.unexplained])
    by_tool = ", ".join(f"{tool} {counts[tool]}" for tool in scan.tools)
    return f"findings: {by_tool}; {len(accepted)} accepted for {len(scan.judgement.reasons)} reason(s)"


def _as_json(finding: SecurityFinding) -> dict[str, Any]:
    return {
        "tool": finding.tool,
        "rule": finding.rule,
        "template": finding.template,
        "line": finding.line,
        "resource": finding.resource,
        "sentence": finding.sentence,
        "fix": finding.fix,
    }
