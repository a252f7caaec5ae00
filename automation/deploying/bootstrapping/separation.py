"""Check that the role of temporary environments reaches nothing of another environment, by the names in its grants."""

import re
from collections.abc import Iterable, Iterator

from automation.deploying.bootstrapping import grants
from automation.deploying.bootstrapping.contents import Contents
from automation.deploying.bootstrapping.grants import Statement
from automation.project.sam_configuration import SAMCONFIG
from automation.system.errors import CheckFailedError, Finding

_FIX = f"give the stacks of temporary environments names that begin with other words, in {SAMCONFIG}"


def require(statements: Iterable[Statement], contents: Contents, others: Iterable[tuple[str, str]]) -> None:
    """Refuse grants that reach what stacks of other environments have.

    Args:
        others: the key of each other environment with the name of a stack of it.

    Raises:
        CheckFailedError: a grant does.
    """
    named = sorted(set(_named(statements)))
    findings: list[Finding] = []
    for key, stack in others:
        own = tuple(grants.of_stack(stack, contents))
        reached = [arn for arn in named if any(_overlap(arn, entry) for entry in own)]
        findings += [Finding(f"environment {key}", f"the role would reach {arn}, of {stack}", _FIX) for arn in reached]
    if findings:
        raise CheckFailedError("the role would reach other environments; nothing was changed", findings=findings)


def _named(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        # What IAM cannot limit, and the buckets of the bootstrap stack, have no names to compare.
        yield from (arn for arn in statement.resources if isinstance(arn, str) and arn != "*")


def _overlap(arn: str, own: str) -> bool:
    """Return whether an ARN may stand for the same as one of a stack, by what precedes the first wildcard of each.

    Args:
        own: with a wildcard.
    """
    first, second = (re.split(r"[*?]", text)[0] for text in (arn, own))
    return first.startswith(second) or (first != arn and second.startswith(first))
