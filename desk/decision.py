"""A decision path in sentences: what strategy_v2 stored, told so that a person can follow it. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from the_alchemiser.shared import formats

STEPS_AT_MOST = 40
CANDIDATES_AT_MOST = 6

_COMPARISONS: Mapping[str, str] = {
    ">": "above",
    "<": "below",
    ">=": "at or above",
    "<=": "at or below",
    "=": "equal to",
}


class Sentence(NamedTuple):
    """One step, told; fragile when a small move would have turned it."""

    text: str
    is_fragile: bool = False


def sentences(path: Mapping[str, Any]) -> tuple[Sentence, ...]:
    """One sentence a step, from the root down; beyond the first forty, how many there are. No path, no sentence."""
    if not path:
        return ()
    steps = path["steps"]
    told = tuple(Sentence(f"{_share(step)}{told_step(step)}", is_fragile(step)) for step in steps[:STEPS_AT_MOST])
    left = steps[STEPS_AT_MOST:]
    more = (Sentence(f"… and {len(left)} more.", any(map(is_fragile, left))),) if left else ()
    return (*_since(path), *(told or (Sentence("There was nothing to decide: its weights are fixed."),)), *more)


def summary(path: Mapping[str, Any]) -> str:
    """How many decisions there were and how many of them are fragile; empty when there was nothing to decide."""
    steps = path.get("steps", ())
    if not steps:
        return ""
    fragile = fragile_count(path)
    return f"{formats.plural(len(steps), 'decision')}, {f'{fragile} of them fragile' if fragile else 'none fragile'}"


def fragile_count(path: Mapping[str, Any]) -> int:
    """How many steps a small move would have turned."""
    return sum(map(is_fragile, path["steps"]))


def is_fragile(step: Mapping[str, Any]) -> bool:
    """Whether a small move would have turned a step."""
    return bool(step.get("fragile", False))


def _since(path: Mapping[str, Any]) -> tuple[Sentence, ...]:
    if path["decided_on"] == path["as_of"]:
        return ()
    since = f"Decided on {path['decided_on']} (rebalance {path['rebalance']}); the weights have drifted since."
    return (Sentence(since),)


def _share(step: Mapping[str, Any]) -> str:
    share = step.get("share", 1)
    return "" if share >= 1 else f"For {share:.1%} of the money: "


def told_step(step: Mapping[str, Any]) -> str:
    """One step in a sentence."""
    if step["step"] == "if":
        return _condition(step)
    if step["step"] == "filter":
        return _filter(step)
    parts = (f"{child['of']} {child['weight']:.1%} (stdev {_number(child['stdev'])})" for child in step["children"])
    return f"{step['step']}: {_some(tuple(parts))}."


def _condition(step: Mapping[str, Any]) -> str:
    left, right = step["left"], step["right"]
    holds = "is" if step["branch"] == "then" else "is not"
    constant = right["of"] == f"{right['value']:g}"
    against = right["of"] if constant else f"{right['of']} ({_number(right['value'])})"
    return f"{left['of']} is {_number(left['value'])}, which {holds} {_COMPARISONS[step['comparison']]} {against}."


def _filter(step: Mapping[str, Any]) -> str:
    candidates = step["candidates"]
    taken = tuple(f"{one['of']} ({_number(one['score'])})" for one in candidates if one["weight"] > 0)
    left = tuple(f"{one['of']} ({_number(one['score'])})" for one in candidates if not one["weight"] > 0)
    which = "highest" if step["select"].endswith("top") else "lowest"
    behind = f"; not taken: {_some(left)}" if left else ""
    return f"The {step['count']} of {len(candidates)} with the {which} {step['indicator']}: {_some(taken)}{behind}."


def _some(parts: tuple[str, ...]) -> str:
    shown = ", ".join(parts[:CANDIDATES_AT_MOST])
    left = len(parts) - CANDIDATES_AT_MOST
    return f"{shown} and {left} more" if left > 0 else shown


def _number(value: float | None) -> str:
    """Six figures; of what is not defined, that."""
    return "not defined" if value is None else f"{value:,.6g}"
