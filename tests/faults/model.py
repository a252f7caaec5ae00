"""A fault that a test plants into a sound project, and the rule that must find it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """One planted fault.

    Attributes:
        rule: the id of the only rule that may find anything.
        title: the fault in a few words: it is the example in the table of rules.
        plant: changes the project at a root.
        after_build: the artifacts are changed; otherwise the sources, which are then synced and built.
    """

    rule: str
    title: str
    plant: Callable[[Path], None]
    after_build: bool = False
