"""Tests marked slow run only where marks are chosen: `pytest -m slow tests/the_alchemiser/strategy_v2`."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the slow tests of this folder unless `-m` says which to run."""
    if config.option.markexpr:
        return
    here = str(config.rootpath / "tests" / "the_alchemiser" / "strategy_v2")
    slow = [item for item in items if str(item.path).startswith(here) and item.get_closest_marker("slow")]
    if slow:
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)
