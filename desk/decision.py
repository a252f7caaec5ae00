"""Describe a decision path that strategy_v2 stored in plain sentences. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from the_alchemiser.shared import formats
from the_alchemiser.shared.decision_steps import describe_share, describe_step, is_fragile

MAX_STEPS = 40
FIXED_WEIGHTS = "No decisions: the weights are fixed."


class Sentence(NamedTuple):
    """One step as text; fragile when a small price move would have reversed it."""

    text: str
    is_fragile: bool = False


def sentences(path: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """Describe each step of a path, from the root down. An empty path has no sentences.

    After the first forty steps, one sentence says how many more there are.
    """
    if not path:
        return ()

    steps = path["steps"]
    described = tuple(
        Sentence(describe_share(step) + describe_step(step), is_fragile(step)) for step in steps[:MAX_STEPS]
    )
    remaining = steps[MAX_STEPS:]
    more = (Sentence(f"… and {len(remaining)} more.", any(map(is_fragile, remaining))),) if remaining else ()
    return (*_earlier_decision(path), *(described or (Sentence(FIXED_WEIGHTS),)), *more)


def summary(path: Mapping[str, Any]) -> str:
    """Return how many decisions a path has and how many are fragile; empty when it has none."""
    steps = path.get("steps", ())
    if not steps:
        return ""
    fragile = fragile_count(path)
    return f"{formats.plural(len(steps), 'decision')}, {f'{fragile} of them fragile' if fragile else 'none fragile'}"


def fragile_count(path: Mapping[str, Any]) -> int:
    """Return how many steps of a path are fragile."""
    return sum(map(is_fragile, path["steps"]))


def _earlier_decision(path: Mapping[str, Any]) -> tuple[Sentence, ...]:
    if path["decided_on"] == path["as_of"]:
        return ()
    text = f"Decided on {path['decided_on']} (rebalance {path['rebalance']}); the weights have drifted since."
    return (Sentence(text),)
