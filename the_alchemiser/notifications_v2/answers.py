"""What a strategy answered and how near its decisions were, from the document that strategy_v2 stores. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from the_alchemiser.shared.decision_steps import describe_distance, describe_share, describe_step, is_fragile
from the_alchemiser.shared.records import Frozen

FRAGILE_AT_MOST = 20


class Answer(Frozen):
    """The answer of one strategy.

    Attributes:
        is_due: whether it decided on this run's closes; otherwise its weights have drifted since `decided_on`.
        decided_on: ISO date of the closes that decided.
        rebalance: its rule, such as `weekly` or `threshold 5`.
        decision_count: the conditions, rankings and volatilities that capital passed through.
        fragile_count: those of them that a small price move would have reversed.
        fragile: each of the first fragile ones, as sentences.
        absent: the symbols that it needed and whose bars must not be used: why, by symbol.
    """

    strategy: str
    is_due: bool
    decided_on: str
    rebalance: str
    decision_count: int
    fragile_count: int
    fragile: tuple[str, ...]
    absent: Mapping[str, str]


def read_answer(strategy: str, body: bytes) -> Answer:
    """Return what a stored document says.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is not such a document.
    """
    document = json.loads(body)
    path = document["path"]
    steps = path["steps"]
    fragile = [step for step in steps if is_fragile(step)]

    return Answer(
        strategy=strategy,
        is_due=path["decided_on"] == path["as_of"],
        decided_on=str(path["decided_on"]),
        rebalance=str(path["rebalance"]),
        decision_count=len(steps),
        fragile_count=len(fragile),
        fragile=tuple(_sentences(step) for step in fragile[:FRAGILE_AT_MOST]),
        absent={str(symbol): str(reason) for symbol, reason in document.get("absent", {}).items()},
    )


def _sentences(step: Mapping[str, Any]) -> str:
    return f"{describe_share(step)}{describe_step(step)} {describe_distance(step)}".rstrip()
