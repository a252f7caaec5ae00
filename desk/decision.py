"""Describe a decision path that strategy_v2 stored in plain sentences. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from the_alchemiser.shared import formats

MAX_STEPS = 40
MAX_CANDIDATES = 6
FIXED_WEIGHTS = "No decisions: the weights are fixed."

_COMPARISONS: Mapping[str, str] = {
    ">": "above",
    "<": "below",
    ">=": "at or above",
    "<=": "at or below",
    "=": "equal to",
}


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
    described = tuple(Sentence(_share(step) + describe_step(step), is_fragile(step)) for step in steps[:MAX_STEPS])
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


def is_fragile(step: Mapping[str, Any]) -> bool:
    """Return whether a small price move would have reversed a step."""
    return bool(step.get("fragile", False))


def describe_step(step: Mapping[str, Any]) -> str:
    """Describe one step in a sentence."""
    if step["step"] == "if":
        return _describe_condition(step)
    if step["step"] == "filter":
        return _describe_filter(step)
    parts = [f"{child['of']} {child['weight']:.1%} (stdev {_number(child['stdev'])})" for child in step["children"]]
    return f"{step['step']}: {_join(parts)}."


def _earlier_decision(path: Mapping[str, Any]) -> tuple[Sentence, ...]:
    if path["decided_on"] == path["as_of"]:
        return ()
    text = f"Decided on {path['decided_on']} (rebalance {path['rebalance']}); the weights have drifted since."
    return (Sentence(text),)


def _share(step: Mapping[str, Any]) -> str:
    share = step.get("share", 1)
    return "" if share >= 1 else f"For {share:.1%} of the capital: "


def _describe_condition(step: Mapping[str, Any]) -> str:
    holds = step["branch"] == "then"
    if "parts" in step:
        verdict = "holds" if holds else "does not hold"
        return f"{_describe_parts(step)}, so the condition {verdict}."
    return f"{_describe_comparison(step, holds=holds)}."


def _describe_parts(step: Mapping[str, Any]) -> str:
    """Describe a compound condition: how many of its parts must hold, and each part."""
    needed = "At least one" if step["junction"] == "any" else "Each"
    return f"{needed} of these must hold: {'; '.join(map(_describe_part, step['parts']))}"


def _describe_part(part: Mapping[str, Any]) -> str:
    outcome = {True: "true", False: "false", None: "not defined"}[part["holds"]]
    if "parts" in part:
        return f"({_describe_parts(part)}) [{outcome}]"
    if part["margin"] is None:
        values = (f"{side['of']} is {_number(side['value'])}" for side in (part["left"], part["right"]))
        return f"{', '.join(values)} [{outcome}]"
    return f"{_describe_comparison(part, holds=part['holds'])} [{outcome}, margin {part['margin']:+,.6g}]"


def _describe_comparison(step: Mapping[str, Any], *, holds: bool) -> str:
    left, right = step["left"], step["right"]
    verb = "is" if holds else "is not"
    is_constant = right["of"] == f"{right['value']:g}"
    threshold = right["of"] if is_constant else f"{right['of']} ({_number(right['value'])})"
    return f"{left['of']} is {_number(left['value'])}, which {verb} {_COMPARISONS[step['comparison']]} {threshold}"


def _describe_filter(step: Mapping[str, Any]) -> str:
    candidates = step["candidates"]
    selected = _scores(candidate for candidate in candidates if candidate["weight"] > 0)
    rejected = _scores(candidate for candidate in candidates if not candidate["weight"] > 0)

    which = "highest" if step["select"].endswith("top") else "lowest"
    others = f"; not selected: {_join(rejected)}" if rejected else ""
    return f"The {step['count']} of {len(candidates)} with the {which} {step['indicator']}: {_join(selected)}{others}."


def _scores(candidates: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{candidate['of']} ({_number(candidate['score'])})" for candidate in candidates]


def _join(parts: list[str]) -> str:
    """Join the first few parts and count the rest."""
    shown = ", ".join(parts[:MAX_CANDIDATES])
    hidden = len(parts) - MAX_CANDIDATES
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def _number(value: float | None) -> str:
    """Format a value with six significant figures."""
    return "not defined" if value is None else f"{value:,.6g}"
