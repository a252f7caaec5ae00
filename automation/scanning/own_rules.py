"""Run our own rules on the stacks of a project."""

from collections.abc import Iterator, Sequence
from itertools import chain

from automation.scanning import grant_rules, queue_rules, resource_rules
from automation.scanning.model import SecurityFinding, Weakness
from automation.scanning.scanned_stacks import ScannedStack

TOOL = "inv"


def findings(stacks: Sequence[ScannedStack]) -> Iterator[SecurityFinding]:
    """Yield what our own rules find in each stack, then what they find across the stacks."""
    for stack in stacks:
        for weakness in chain(grant_rules.weaknesses(stack), resource_rules.weaknesses(stack)):
            yield _finding(stack, weakness)
    for stack, weakness in queue_rules.shared(stacks):
        yield _finding(stack, weakness)


def _finding(stack: ScannedStack, weakness: Weakness) -> SecurityFinding:
    return SecurityFinding(
        template=stack.path,
        line=stack.line_of(weakness.resource),
        resource=weakness.resource,
        tool=TOOL,
        rule=weakness.rule,
        sentence=weakness.sentence,
        fix=weakness.fix,
    )
