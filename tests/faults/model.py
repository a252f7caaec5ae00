"""A fault planted by hand into a sound project, and the rule that must find it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """One fault.

    Attributes:
        rule: the id of the rule that finds it; no other rule finds anything.
        title: what was done, in a few words: it is the example in the table of rules.
        plant: does it to the project at a root.
        after_build: it is done to the sound project's artifacts; else to its sources, which are then synced and built.
    """

    rule: str
    title: str
    plant: Callable[[Path], None]
    after_build: bool = False
