"""One function's evidence, as the rules about code use it; and findings that several functions share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from automation.lambda_runtime import handlers, public_layers
from automation.proof import distribution_names, elsewhere
from automation.proof.evidence import Evidence, mounted_trees, paths_in_trees
from automation.proof.imports import Frame, ImportResult, Outcome
from automation.proof.literals import LambdaPath
from automation.proof.model import Fault, Severity, Subject
from automation.proof.module_facts import When
from automation.proof.scan import CodeLocation, MissingImport, Scan
from automation.proof.suppliers import Suppliers

_LOADED = frozenset({Outcome.RESOLVED, Outcome.NO_ATTRIBUTE, Outcome.NOT_CALLABLE})


@dataclass(frozen=True, slots=True)
class Case:
    """A function whose code was read, with its evidence."""

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
    def failed(self) -> ImportResult | None:
        """Return the import when it failed."""
        imported = self.evidence.imported
        return imported if imported is not None and imported.outcome not in _LOADED else None

    @property
    def is_loaded(self) -> bool:
        """Return whether the handler's module was imported, so that every line that runs at import works."""
        return self.evidence.imported is not None and self.evidence.imported.outcome in _LOADED

    def own_frame(self, stack: Iterable[Frame]) -> Frame | None:
        """Return the innermost frame in the project's own code."""
        own = [frame for frame in stack if self.subject.origins.is_own(frame.file)]
        return own[-1] if own else None

    def where(self, location: CodeLocation | Frame) -> str:
        label = self.subject.origins.label(location.file)
        return f"{label}:{location.line}" if location.line else label

    def is_refuted(self, location: CodeLocation) -> bool:
        """Return whether a line runs at import and the import succeeded."""
        return self.is_loaded and location.when.is_import

    def breaks_import(self, location: CodeLocation) -> bool:
        """Return whether the import failed at exactly this line."""
        frame = self.own_frame(self.failed.stack) if self.failed else None
        return frame is not None and (frame.file, frame.line) == (location.file, location.line)

    def severity(self, location: CodeLocation) -> Severity:
        """Return an error when the project names its package, or when the line certainly runs."""
        is_sure = location.when > When.MAYBE or self.breaks_import(location)
        return Severity.ERROR if self.subject.project.settings.package or is_sure else Severity.WARNING

    def import_severity(self, missing: MissingImport) -> Severity:
        """Return `severity`, but a warning when an outside layer, a file system or a changed sys.path may help."""
        location = missing.location
        may_exist = self.scan.changes_path and not self.breaks_import(location)
        return Severity.WARNING if may_exist or self.provider(missing.missing_part) else self.severity(location)

    def provider(self, module: str) -> str:
        """Return who else may provide a module that the built trees lack; empty when nobody may."""
        return elsewhere.provider(self.evidence.mount, module, changes_path=self.scan.changes_path)

    def or_check(self, fix: str) -> str:
        """Return the fix of a missing module, after the place that may have the module, if there is one."""
        mount = self.evidence.mount
        if mount.unbuilt:
            return f"build the layer {mount.unbuilt[0]}, which may provide it, or {fix}"
        places = tuple(public_layers.label(layer) for layer in elsewhere.unknown_layers(mount))
        if not places and elsewhere.may_be_mounted(mount, changes_path=self.scan.changes_path):
            places = elsewhere.file_systems(mount)
        return f"check that {places[0]} provides it, or {fix}" if places else fix

    @property
    def handler_key(self) -> str:
        """Return what names the function's handler in its template: `Handler`, or the variable of a wrapper."""
        function = self.evidence.mount.function
        functions = {entry.logical_id: entry for entry in self.evidence.mount.stack.functions}
        own = functions.get(self.name, function)
        return "Handler" if own.handler == function.handler else handlers.wrapper_variable(own)

    @property
    def handler_label(self) -> str:
        return f"{self.handler_key} {self.evidence.mount.function.handler}"

    def missing_imports(self) -> list[tuple[MissingImport, int]]:
        """Return one import per missing module or name, with the number of other lines that import it.

        Imports that the successful import refutes and imports of a hidden package are left out. Of several lines it
        returns the one where the import failed, or otherwise the most certain to run.
        """
        hidden = tuple(f"{part.package}." for part in self.scan.hidden)
        lines: dict[tuple[str, str, tuple[str, ...]], list[MissingImport]] = {}
        for missing in self.scan.missing_imports:
            is_hidden = f"{missing.missing_part}.".startswith(hidden)
            if not is_hidden and not self.is_refuted(missing.location) and not _is_for_python_2(missing):
                part = missing.missing_part or missing.location.file.as_posix()
                # A namespace such as `google` has modules of many distributions.
                key = (part, missing.within, distribution_names.of_modules(missing.targets)[:1])
                lines.setdefault(key, []).append(missing)
        return [(max(group, key=self._certainty), len(group) - 1) for group in lines.values()]

    def built_paths(self, path: LambdaPath) -> list[Path]:
        """Return where a path of Lambda would lie in the built trees."""
        trees = [(mount_point, tree.resolve()) for mount_point, tree in mounted_trees(self.evidence.mount)]
        return list(paths_in_trees(str(path.path), trees))

    def _certainty(self, missing: MissingImport) -> tuple[bool, When]:
        return self.breaks_import(missing.location), missing.location.when


def _is_for_python_2(missing: MissingImport) -> bool:
    """Return whether an import under a condition names a module of Python 2: the condition is its version."""
    return missing.location.when is When.MAYBE and missing.missing_part in distribution_names.PYTHON_2


@dataclass(frozen=True, slots=True)
class FunctionFault:
    """A fault in one function; functions with the same `where` and `what` share one finding.

    Attributes:
        what: `{functions}` in it is replaced by the functions that share the fault; so in `fix`.
        about: the module that cannot be imported, if there is one.
        libraries: as in `Fault`.
    """

    where: str
    what: str
    fix: str
    severity: Severity = Severity.ERROR
    about: str = ""
    libraries: frozenset[tuple[str, str]] = frozenset()


def for_each_function(rule: Callable[[Case], Iterable[FunctionFault]]) -> Callable[[Subject], Iterator[Fault]]:
    """Return a check that applies a rule to every function and merges the faults that functions share."""

    def check(subject: Subject) -> Iterator[Fault]:
        shared: dict[tuple[str, str], list[tuple[str, FunctionFault]]] = {}
        for case in cases_of(subject):
            for fault in rule(case):
                shared.setdefault((fault.where, fault.what), []).append((case.name, fault))

        for (where, what), holders in shared.items():
            names = list(dict.fromkeys(name for name, _ in holders))
            severity = min(fault.severity for _, fault in holders)
            about = tuple(dict.fromkeys(fault.about for _, fault in holders if fault.about))
            libraries = frozenset(chain.from_iterable(fault.libraries for _, fault in holders))
            yield Fault(where, what.replace("{functions}", some(names)), _fixes(holders), severity, about, libraries)

    return check


def _fixes(holders: list[tuple[str, FunctionFault]]) -> str:
    """Return each different fix, with the functions that need it."""
    names_by_fix: dict[str, list[str]] = {}
    for name, fault in holders:
        names_by_fix.setdefault(fault.fix, []).append(name)
    fixes = (fix.replace("{functions}", _all(list(dict.fromkeys(names)))) for fix, names in names_by_fix.items())
    return "; ".join(fixes)


def _all(names: list[str]) -> str:
    """Return `A`, `A and B`, or `A, B and C`: what must be edited is never left out."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def cases_of(subject: Subject) -> list[Case]:
    return [Case(subject, evidence, evidence.scan) for evidence in subject.evidence if evidence.scan is not None]


def some(names: list[str]) -> str:
    """Return `A`, `A and B`, or `A, B and 3 more`."""
    if len(names) <= 2:
        return " and ".join(names)
    return f"{', '.join(names[:2])} and {len(names) - 2} more"
