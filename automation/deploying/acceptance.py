"""The acceptance test of a deployment: it runs exactly the code of the build, and every function works."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automation.deploying import planning
from automation.deploying.connections import Connections
from automation.deploying.releases.records import Release, Smoke
from automation.deploying.stacks import smoke, verification
from automation.system import console
from automation.system.errors import Finding
from automation.system.targets import Target

_STATES = {
    smoke.State.PASSED: Smoke.PASSED,
    smoke.State.INCOMPLETE: Smoke.INCOMPLETE,
    smoke.State.FAILED: Smoke.FAILED,
}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The result of the test.

    Attributes:
        functions: how many were asked.
        findings: what failed, or what a person has not set up yet.
    """

    smoke: Smoke
    functions: int = 0
    findings: tuple[Finding, ...] = ()


def run(
    release: Release,
    connections: Connections,
    *,
    target: Target,
    message: Mapping[str, Any] | None,
    missing_secrets: Collection[str] = (),
    pauses_s: Sequence[float] = (),
) -> Acceptance:
    """Compare the running code with the release, then ask every function whether it works.

    Args:
        message: of the smoke test; None when the project has none, and then only the code is compared.
        missing_secrets, pauses_s: see smoke.ask_all.

    Raises:
        DeploymentError: AWS did not answer.
    """
    mismatches = tuple(_mismatches(release, connections, target))
    if mismatches:
        return Acceptance(Smoke.FAILED, findings=mismatches)
    if message is None:
        return Acceptance(Smoke.PASSED)

    names = [stack.stack_name for stack in release.stacks]
    answers = smoke.ask_all(names, connections.functions, message, missing_secrets=missing_secrets, pauses_s=pauses_s)
    failures = tuple(
        Finding(answer.function, f"failed: {answer.detail}") for answer in answers if answer.state is smoke.State.FAILED
    )
    missing = tuple(Finding(name, "is not set up yet") for name in smoke.missing_of(answers))
    return Acceptance(_STATES[smoke.state_of(answers)], len(answers), failures or missing)


def without(result: Acceptance, expected: Collection[str]) -> Acceptance:
    """Return the result without what is missing on purpose, such as the secrets of a temporary environment."""
    if result.smoke is not Smoke.INCOMPLETE:
        return result
    findings = tuple(finding for finding in result.findings if finding.where not in expected)
    return replace(result, smoke=Smoke.INCOMPLETE if findings else Smoke.PASSED, findings=findings)


def record(release: Release, result: Acceptance) -> Release:
    """Return the release with the result of its test."""
    return replace(release, smoke=result.smoke, smoke_findings=result.findings)


def show(result: Acceptance) -> None:
    """Print what was tested; failures are the caller's to report."""
    if result.functions and result.smoke is not Smoke.FAILED:
        console.result(f"{result.functions} functions answered")
    if result.smoke is Smoke.INCOMPLETE:
        console.warning(f"the smoke test is incomplete: {summary(result.findings)}")


def summary(findings: Iterable[Finding]) -> str:
    """Return findings as one text; what is said about several functions is said once."""
    groups: dict[str, list[str]] = {}
    for finding in findings:
        groups.setdefault(finding.what, []).append(finding.where)
    return "; ".join(f"{', '.join(places)}: {what}" for what, places in groups.items())


def _mismatches(release: Release, connections: Connections, target: Target) -> Iterable[Finding]:
    for stack in release.stacks:
        template = planning.expanded_template(stack.stack_name, connections.stacks)
        yield from verification.verify(
            stack.stack_name, template, stack.code, stacks=connections.stacks, code=connections.code, target=target
        )
