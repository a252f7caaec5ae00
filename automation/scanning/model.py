"""The values of the security scan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from automation.system.errors import Finding


@dataclass(frozen=True, slots=True, order=True)
class SecurityFinding:
    """What one rule of one tool says about one resource.

    Attributes:
        template: the path of the source template.
        line: of the resource in the source template; of a resource that SAM generates, where its origin is.
        resource: a logical id without the hash that SAM adds; empty when it is about the whole template.
        tool: such as `checkov`; `inv` for our own rules.
        rule: the tool's name for the rule, such as `CKV_AWS_27`.
        sentence: what is wrong.
        fix: what to do about it; empty when the sentence says it.
    """

    template: str
    line: int
    resource: str
    tool: str
    rule: str
    sentence: str
    fix: str = ""

    @property
    def rule_name(self) -> str:
        """The rule as security-reasons.toml names it, such as `checkov:CKV_AWS_27`."""
        return f"{self.tool}:{self.rule}"


@dataclass(frozen=True, slots=True)
class Weakness:
    """What a rule says about one resource of a stack; with the stack it is a SecurityFinding."""

    rule: str
    resource: str
    sentence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why findings are accepted: one entry of security-reasons.toml.

    Attributes:
        number: of the entry, from 1.
        rules: such as `checkov:CKV_AWS_27`.
        resources: logical ids, or patterns such as `*Function`.
        until: the last day on which it counts; None for ever.
    """

    number: int
    rules: tuple[str, ...]
    resources: tuple[str, ...]
    text: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings of a scan, compared with the reasons.

    Attributes:
        unexplained: the findings without a reason.
        accepted: the findings with a reason, and that reason.
        faults: what is wrong with the reasons: stale ones and ended ones.
        reasons: all of them.
    """

    unexplained: tuple[SecurityFinding, ...]
    accepted: tuple[tuple[SecurityFinding, Reason], ...]
    faults: tuple[Finding, ...]
    reasons: tuple[Reason, ...]

    @property
    def is_clean(self) -> bool:
        """Whether every finding has a reason and every reason a finding."""
        return not self.unexplained and not self.faults


def without_duplicates(findings: Iterable[SecurityFinding]) -> tuple[SecurityFinding, ...]:
    """Return the findings in order, each once: some tools report a finding per property that they looked at."""
    return tuple(sorted(set(findings)))
