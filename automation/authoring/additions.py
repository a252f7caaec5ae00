"""Compare two texts of a template: one may only add to the other. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.project import yamls


def first_change(before: str, after: str, *, name: str) -> str:
    """Return the place of the first value that the second text lacks or changes; empty when it only adds.

    Args:
        name: the template's name in messages.

    Raises:
        ConfigurationError: a text cannot be parsed.
    """
    old, new = (yamls.load(text, name=name) for text in (before, after))
    return next(differences(old, new), "")


def differences(before: Any, after: Any, *, path: str = "") -> Iterator[str]:
    """Yield the place of each value of `before` that `after` lacks or changes; additions are not reported."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in before.items():
            below = f"{path}.{key}" if path else str(key)
            if key not in after:
                yield below
            else:
                yield from differences(value, after[key], path=below)
    elif isinstance(before, list) and isinstance(after, list):
        if not _contains_in_order(before, after):
            yield path
    elif before != after:
        yield path


def _contains_in_order(before: list[Any], after: list[Any]) -> bool:
    """Return whether a list has all items of another in their order; an item may have grown itself."""
    waiting = iter(after)
    return all(any(not [*differences(item, candidate)] for candidate in waiting) for item in before)
