"""Compare two parsed templates: one may only add to the other. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any


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
