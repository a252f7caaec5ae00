"""Run our own rules on a stack."""

from itertools import chain

from automation.scanning import grant_rules, resource_rules
from automation.scanning.model import SecurityFinding
from automation.scanning.scanned_stacks import ScannedStack

TOOL = "inv"


def findings(stack: ScannedStack) -> tuple[SecurityFinding, ...]:
    """Return what our own rules find in a stack."""
    return tuple(
        SecurityFinding(
            template=stack.path,
            line=stack.line_of(weakness.resource),
            resource=weakness.resource,
            tool=TOOL,
            rule=weakness.rule,
            sentence=weakness.sentence,
            fix=weakness.fix,
        )
        for weakness in chain(grant_rules.weaknesses(stack), resource_rules.weaknesses(stack))
    )
