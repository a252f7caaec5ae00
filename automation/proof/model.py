"""A rule of the proof, what it is shown, and what it finds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from automation.lambda_runtime.mounts import Mount
from automation.project.model import Project
from automation.proof import origins, places, registry
from automation.proof.evidence import Evidence
from automation.proof.origins import Origins
from automation.proof.places import Place
from automation.proof.registry import Route


class Severity(StrEnum):
    """An error fails on Lambda for certain; a warning may."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks on Lambda.

    Attributes:
        where: the file and line, or the template and resource.
        what: what is wrong there.
        mend: the line to edit or the command to type.
        severity: a rule lowers it where it has to guess.
        explains: the modules that cannot be imported because of it; what else fails of that is not told again.
    """

    where: str
    what: str
    mend: str
    severity: Severity = Severity.ERROR
    explains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What the rules look at: the built artifacts and what the templates say of them.

    Attributes:
        trees: the built tree of each function and layer, by (stack name, logical id).
        runtime_site: the packages that the managed runtime brings (boto3 and what it needs).
        settings: `[tool.alchemiser]` of pyproject.toml.
        evidence: what importing and reading each Python function's code has shown.
    """

    project: Project
    mounts: tuple[Mount, ...]
    trees: Mapping[tuple[str, str], Path]
    runtime_site: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    @cached_property
    def origins(self) -> Origins:
        """Which source each built file was made from."""
        return origins.of_project(self.project, self.trees)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The trees of Python functions and layers, read once for all the rules."""
        return places.of_project(self.project, self.trees)

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """The registry of messages that pyproject.toml names; none without one.

        Raises:
            ConfigurationError: it cannot be loaded.
        """
        name = self.settings.get("messages")
        if not isinstance(name, str):
            return ()
        sites = [site for place in self.places for site in place.sites]
        return registry.load(self.project.root, name, fallbacks=sites)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the proof.

    Attributes:
        id: its name in reports, in kebab case.
        title: what it holds to be true, in one line.
        why: what happens on Lambda when it is broken, in one sentence.
        check: yields the faults of a subject; it changes nothing.
    """

    id: str
    title: str
    why: str
    check: Callable[[Subject], Iterable[Fault]]
