"""What is to be built, and why: pure, from what artifacts are made of now and what they were made of last."""

from collections.abc import Mapping
from dataclasses import dataclass

from automation.building.artifacts import Ingredients
from automation.building.manifests import Made

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an artifact is built.

    Attributes:
        reasons: why it is; none when it is current.
    """

    stack: str
    logical_id: str
    ingredients: Ingredients
    reasons: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        return not self.reasons


def decide(
    stack: str,
    now: Mapping[str, Ingredients],
    made: Mapping[str, Made],
    looks: Mapping[str, str],
    *,
    force: bool = False,
) -> tuple[Decision, ...]:
    """Decide for each artifact of a stack.

    Args:
        now: what each is made of now, by logical id.
        made: what each was made of last.
        looks: the signature of each file and folder of the build as it lies there.
    """
    return tuple(
        Decision(stack, name, ingredients, _reasons(ingredients, made.get(name), looks, force=force))
        for name, ingredients in now.items()
    )


def _reasons(now: Ingredients, made: Made | None, looks: Mapping[str, str], *, force: bool) -> tuple[str, ...]:
    if made is None:
        return ("it was never built",)
    before = made.ingredients
    found = [
        f"{name}: {before.settings.get(name) or 'none'} -> {value or 'none'}"
        for name, value in now.settings.items()
        if before.settings.get(name) != value
    ]
    found += _changed(
        "changed", [name for name in now.files if before.files.get(name, now.files[name]) != now.files[name]]
    )
    found += _changed("added", sorted(set(now.files) - set(before.files)))
    found += _changed("removed", sorted(set(before.files) - set(now.files)))
    if not found and any(looks.get(name) != signature for name, signature in made.looks.items()):
        found.append("its output was altered or removed")
    if not found and force:
        found.append("forced")
    return tuple(found)


def _changed(how: str, names: list[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return [f"{', '.join(names[:_NAMED])}{more} {how}"]
