"""One function's evidence, as the rules about code ask of it; and findings that several functions share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.proof.evidence import Evidence
from automation.proof.imports import Frame, Imported, Outcome
from automation.proof.model import Fault, Severity, Subject
from automation.proof.scan import Missing, Scan, Spot
from automation.proof.source import When
from automation.proof.suppliers import Suppliers


@dataclass(frozen=True, slots=True)
class Case:
    """A function that was not skipped."""

    subject: Subject
    evidence: Evidence
    scan: Scan

    @property
    def name(self) -> str:
        return self.evidence.mount.function.logical_id

    @property
    def suppliers(self) -> Suppliers:
        return Suppliers(self.subject)

    @property
    def failed(self) -> Imported | None:
        """The import, when it failed."""
        found = self.evidence.imported
        return found if found is not None and found.outcome not in _LOADED else None

    @property
    def is_loaded(self) -> bool:
        """The handler's module was imported, so that what runs at import is known to be well."""
        return self.evidence.imported is not None and self.evidence.imported.outcome in _LOADED

    def own_frame(self, stack: Iterable[Frame]) -> Frame | None:
        """The innermost frame of the project's own code."""
        own = [frame for frame in stack if self.subject.origins.is_own(frame.file)]
        return own[-1] if own else None

    def where(self, spot: Spot | Frame) -> str:
        label = self.subject.origins.label(spot.file)
        return f"{label}:{spot.line}" if spot.line else label

    def is_refuted(self, spot: Spot) -> bool:
        """Does a line run at import, and the import succeeded?"""
        return self.is_loaded and spot.when.is_import

    def breaks_import(self, spot: Spot) -> bool:
        """Is it the very line that the import failed at?"""
        frame = self.own_frame(self.failed.stack) if self.failed else None
        return frame is not None and (frame.file, frame.line) == (spot.file, spot.line)

    def severity(self, spot: Spot) -> Severity:
        """An error in a project of ours; in another's only where the line certainly runs."""
        is_sure = spot.when > When.MAYBE or self.breaks_import(spot)
        return Severity.ERROR if self.subject.project.package or is_sure else Severity.WARNING

    def import_severity(self, spot: Spot) -> Severity:
        """As `severity`, for what a layer that is not of the template, or a changed sys.path, may bring."""
        may_come = bool(self.evidence.mount.unknown) or (self.scan.moves_path and not self.breaks_import(spot))
        return Severity.WARNING if may_come else self.severity(spot)

    def missing(self) -> list[tuple[Missing, int]]:
        """Imports that find nothing, one for each thing that is absent, with the number of other lines that want it.

        Those that a successful import refutes and those of a hidden package are left out. Of several lines it is
        the one that the import failed at, or else the surest.
        """
        hidden = tuple(f"{one.package}." for one in self.scan.hidden)
        by_absent: dict[tuple[str, str], list[Missing]] = {}
        for one in self.scan.missing:
            if not self.is_refuted(one.spot) and not f"{one.absent}.".startswith(hidden):
                by_absent.setdefault((one.absent or one.spot.file.as_posix(), one.within), []).append(one)
        return [
            (max(found, key=lambda one: (self.breaks_import(one.spot), one.spot.when)), len(found) - 1)
            for found in by_absent.values()
        ]


_LOADED = frozenset({Outcome.RESOLVED, Outcome.NO_ATTRIBUTE, Outcome.NOT_CALLABLE})


@dataclass(frozen=True, slots=True)
class Found:
    """A fault as one function has it.

    Attributes:
        what: `{functions}` in it stands for all that have the same; so in `mend`.
        about: the module that cannot be imported, where it is one.
    """

    where: str
    what: str
    mend: str
    severity: Severity = Severity.ERROR
    about: str = ""


def each(rule: Callable[[Case], Iterable[Found]]) -> Callable[[Subject], Iterator[Fault]]:
    """A check that asks a rule of every function; what several have in common is one fault."""

    def check(subject: Subject) -> Iterator[Fault]:
        shared: dict[tuple[str, str], list[tuple[str, Found]]] = {}
        for case in of_subject(subject):
            for found in rule(case):
                shared.setdefault((found.where, found.what), []).append((case.name, found))
        for (where, what), holders in shared.items():
            names = list(dict.fromkeys(name for name, _ in holders))
            severity = min(found.severity for _, found in holders)
            mend = "; ".join(_mends(holders))
            about = tuple(dict.fromkeys(found.about for _, found in holders if found.about))
            yield Fault(where, what.replace("{functions}", some(names)), mend, severity, about)

    return check


def _mends(holders: list[tuple[str, Found]]) -> list[str]:
    """Each different mend with the functions that it is for."""
    names: dict[str, list[str]] = {}
    for name, found in holders:
        names.setdefault(found.mend, []).append(name)
    return [mend.replace("{functions}", some(list(dict.fromkeys(found)))) for mend, found in names.items()]


def of_subject(subject: Subject) -> list[Case]:
    return [Case(subject, one, one.scan) for one in subject.evidence if one.scan is not None]


def some(names: list[str]) -> str:
    """`A`, `A and B`, `A, B and 3 more`."""
    if len(names) <= 2:
        return " and ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2} more"


def trees_of(case: Case) -> list[Path]:
    """What a function mounts, its own tree first."""
    mount = case.evidence.mount
    return [mount.task, *(layer.tree for layer in mount.layers)]
