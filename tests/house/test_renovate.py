"""The bot's settings cover every place that pins a version, and every lock; a pin that it moves alone is found."""

import json
import re
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from automation import locks
from automation.locks import Lock
from automation.project import model

ROOT = Path(__file__).parents[2]
NOX = re.compile(r'nox\[uv\]==([0-9.]+)"')


@pytest.fixture(scope="module")
def renovate() -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((ROOT / ".github" / "renovate.json").read_text())
    return settings


@pytest.fixture(scope="module")
def planned() -> tuple[Lock, ...]:
    project = model.load(ROOT)
    return locks.plan(project, locks.locked_groups(project))


def matches(patterns: list[str], path: str) -> bool:
    """Return whether a pattern of Renovate, a regular expression between slashes, matches a path."""
    return any(re.search(pattern.removeprefix("/").removesuffix("/"), path) for pattern in patterns)


def test_every_source_of_a_lock_is_moved(renovate: dict[str, Any], planned: tuple[Lock, ...]) -> None:
    sources = {lock.source[0] for lock in planned} - {"--group"}

    assert len(sources) == 6
    assert all(matches(renovate["pip_requirements"]["managerFilePatterns"], source) for source in sources)
    assert {"pep621", "pip_requirements", "github-actions", "custom.regex"} == set(renovate["enabledManagers"])
    assert "helpers:pinGitHubActionDigests" in renovate["extends"]


def test_every_lock_is_written_by_inv_lock_only(renovate: dict[str, Any], planned: tuple[Lock, ...]) -> None:
    tasks = renovate["postUpgradeTasks"]

    assert tasks["commands"][-1] == ".venv/bin/inv lock"
    for lock in planned:
        assert any(fnmatchcase(lock.target, pattern) for pattern in tasks["fileFilters"]), lock.target
        assert any(fnmatchcase(lock.target, pattern) for pattern in renovate["ignorePaths"]), lock.target
        assert not matches(renovate["pip_requirements"]["managerFilePatterns"], lock.target)


@pytest.mark.parametrize("name", ["README.md", ".ci/run"])
def test_every_command_that_installs_nox_is_moved_with_its_pin(renovate: dict[str, Any], name: str) -> None:
    [manager] = renovate["customManagers"]
    [pattern] = (text.replace("(?<", "(?P<") for text in manager["matchStrings"])
    text = (ROOT / name).read_text()
    commands = NOX.findall(text)
    moved = [match["currentValue"] for match in re.finditer(pattern, text)]

    assert matches(manager["managerFilePatterns"], name)
    assert commands
    assert moved == commands
    assert set(commands) == set(locks.versions(ROOT / "locks" / "dev.txt")["nox"])


def test_what_ships_is_what_is_tested(planned: tuple[Lock, ...]) -> None:
    """A bot may move the pin of a layer and not that of the group `product`, or the other way round."""
    tested = locks.versions(ROOT / "locks" / "dev.txt")
    shipped = chain.from_iterable(
        locks.versions(ROOT / lock.target).items() for lock in planned if lock.target.startswith("layers/")
    )

    assert {name: versions for name, versions in shipped if tested.get(name) != versions} == {}
