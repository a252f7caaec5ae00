"""Decide which artifacts must be built, and why. Pure: compares their ingredients now and at the last build."""

from collections.abc import Mapping
from dataclasses import dataclass

from automation.building.artifacts import Ingredients
from automation.building.manifests import BuiltArtifact

_MAX_NAMED_FILES = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision whether to build an artifact.

    Attributes:
        reasons: why it must be built; empty when it is up to date.
    """

    stack: str
    logical_id: str
    ingredients: Ingredients
    reasons: tuple[str, ...]

    @property
    def is_up_to_date(self) -> bool:
        return not self.reasons


def decide(
    stack: str,
    ingredients: Mapping[str, Ingredients],
    last_build: Mapping[str, BuiltArtifact],
    signatures: Mapping[str, str],
    *,
    force: bool = False,
) -> tuple[Decision, ...]:
    """Decide for each artifact of a stack.

    Args:
        ingredients: of each artifact now, by logical id.
        last_build: the artifacts of the last build, by logical id.
        signatures: of each file and folder of the build now, by its name in the build.
        force: build what is up to date, too.
    """
    return tuple(
        Decision(stack, name, now, _reasons(now, last_build.get(name), signatures, force=force))
        for name, now in ingredients.items()
    )


def _reasons(
    now: Ingredients, last: BuiltArtifact | None, signatures: Mapping[str, str], *, force: bool
) -> tuple[str, ...]:
    if last is None:
        return ("it was never built",)

    reasons = _changed_settings(last.ingredients.settings, now.settings)
    reasons += _changed_files(last.ingredients.files, now.files)
    if reasons:
        return tuple(reasons)

    if any(signatures.get(name) != signature for name, signature in last.signatures.items()):
        return ("its output was altered or removed",)
    return ("forced",) if force else ()


def _changed_settings(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {before.get(name) or 'none'} -> {now.get(name) or 'none'}"
        for name in {**now, **before}
        if before.get(name) != now.get(name)
    ]


def _changed_files(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    changed = [name for name in now if before.get(name, now[name]) != now[name]]
    reasons = [
        _describe(changed, "changed"),
        _describe(sorted(set(now) - set(before)), "added"),
        _describe(sorted(set(before) - set(now)), "removed"),
    ]
    return [reason for reason in reasons if reason]


def _describe(names: list[str], change: str) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _MAX_NAMED_FILES} more" if len(names) > _MAX_NAMED_FILES else ""
    return f"{', '.join(names[:_MAX_NAMED_FILES])}{more} {change}"
