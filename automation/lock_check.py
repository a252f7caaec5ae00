"""`inv lock --check`: whether the locks have what pyproject.toml and requirements.in require; it makes no call.

A bot or a person who writes another version there and forgets the locks would test what is not going to ship.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from automation import locks
from automation.building import requirements
from automation.building.requirements import REQUIREMENTS_IN, Kind
from automation.locks import Lock
from automation.project.model import Project
from automation.project.settings import PYPROJECT
from automation.system import console
from automation.system.errors import CheckFailedError, ConfigurationError, Finding

_FIX = "run inv lock"


def check(project: Project) -> None:
    """Compare every lock with what it is made from.

    Raises:
        CheckFailedError: a lock lacks a requirement, or has another version.
        ConfigurationError: a requirements.in cannot be understood.
    """
    planned = locks.plan(project, locks.locked_groups(project))
    if findings := find(planned, project.root):
        console.findings(findings)
        raise CheckFailedError(f"{len(findings)} requirement(s) are not locked; {_FIX}", where="lock --check")
    console.result(f"{len(planned)} locks have what is required")


def find(planned: Iterable[Lock], root: Path) -> tuple[Finding, ...]:
    """Return what locks lack.

    Raises:
        ConfigurationError: a requirement cannot be understood.
    """
    return tuple(chain.from_iterable(_not_locked(lock, root) for lock in planned))


def _not_locked(lock: Lock, root: Path) -> Iterator[Finding]:
    path = root / lock.target
    versions = locks.versions(path) if path.is_file() else {}
    for where, requirement in _required(lock, root):
        locked = versions.get(canonicalize_name(requirement.name), ())
        if not locked:
            yield Finding(lock.target, f"lacks {requirement.name}, which {where} requires", _FIX)
        elif not any(requirement.specifier.contains(version, prereleases=True) for version in locked):
            has = f"has {requirement.name} {', '.join(locked)}"
            yield Finding(lock.target, f"{has}, but {where} requires {requirement.name}{requirement.specifier}", _FIX)


def _required(lock: Lock, root: Path) -> Iterator[tuple[str, Requirement]]:
    """Yield where a requirement of a lock is written, and the requirement; one with a marker may be for nobody here."""
    if lock.source[0].endswith(REQUIREMENTS_IN):
        listed = requirements.read(root / lock.source[0], root)
        named = [line for line in listed if line.kind is Kind.NAMED and not line.is_constraint and not line.marker]
        texts = [(line.where, line.value) for line in named]
    else:
        group = lock.source[1].partition(":")[2]
        groups = tomllib.loads((root / PYPROJECT).read_text(encoding="utf-8"))["dependency-groups"]
        texts = [(PYPROJECT, text) for text in group_requirements(groups, group)]
    for where, text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as cause:
            raise ConfigurationError(f"{text} is not a requirement; correct it", where=where) from cause
        if requirement.marker is None:
            yield where, requirement


def group_requirements(groups: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the requirements of a dependency group and of those that it includes. Source: PEP 735."""
    for entry in groups.get(name, ()):
        if isinstance(entry, Mapping):
            yield from group_requirements(groups, str(entry["include-group"]))
        else:
            yield str(entry)
