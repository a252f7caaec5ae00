"""Describe the steps of a decision path, as strategy_v2 stores them, in plain sentences. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

MAX_CANDIDATES = 6

_COMPARISONS: Mapping[str, str] = {
    ">": "above",
    "<": "below",
    ">=": "at or above",
    "<=": "at or below",
    "=": "equal to",
}
_PRICES = ("current-price ", "moving-average-price", "exponential-moving-average-price", "stdev-price")


def is_fragile(step: Mapping[str, Any]) -> bool:
    """Return whether a small price move would have reversed a step."""
    return bool(step.get("fragile", False))


def describe_step(step: Mapping[str, Any]) -> str:
    """Describe one step in a sentence: what was compared or ranked, and the outcome."""
    if step["step"] == "if":
        return _describe_condition(step)
    if step["step"] == "filter":
        return _describe_filter(step)
    parts = [f"{child['of']} {child['weight']:.1%} (stdev {_number(child['stdev'])})" for child in step["children"]]
    return f"{step['step']}: {_join(parts)}."


def describe_share(step: Mapping[str, Any]) -> str:
    """Return how much of the capital a step decided about, as the start of its sentence; empty for all of it."""
    share = step.get("share", 1)
    return "" if share >= 1 else f"For {share:.1%} of the capital: "


def describe_distance(step: Mapping[str, Any]) -> str:
    """Say in a sentence how near a step was to its other outcome; empty if its own sentence says it, or nobody knows.

    A distance between prices is also a percentage of the larger one.
    """
    margin = step.get("margin")
    if margin is None:
        return ""
    if step["step"] == "filter":
        return f"Only {_number(abs(margin))} separates the last one selected from the first one left out."

    sides = (step["left"], step["right"])
    distance = _number(abs(margin))
    if any(side["of"].startswith(_PRICES) for side in sides):
        largest = max(abs(side["value"]) for side in sides)
        distance = f"{distance} ({abs(margin) / largest:.2%})" if largest else distance
    return f"It was {distance} away from the other branch."


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
