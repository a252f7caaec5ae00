"""The rules about importing a handler: that it can be, and that what is found can be called."""

from collections.abc import Iterator
from pathlib import Path

from automation.proof import suppliers
from automation.proof.cases import Case, Found, each
from automation.proof.imports import Imported, Outcome
from automation.proof.model import Rule, Severity
from automation.proof.scan import Missing


def fails(case: Case) -> Iterator[Found]:
    """The import as it was run; and what reading has found where no import could show it."""
    found = case.failed
    if found is not None and not _is_handler_absent(case) and not _is_told_otherwise(case, found):
        yield _failure(case, found)
    yield from _read_failures(case, found)


def handlers(case: Case) -> Iterator[Found]:
    handler, where = str(case.evidence.mount.function.handler), case.evidence.mount.where
    name, _, attribute = handler.rpartition(".")
    imported, scan = case.evidence.imported, case.scan
    if not name or not attribute:
        yield Found(where, f"Handler {handler!r} is not module.function", "write it as module.function")
    elif imported is not None and imported.outcome is Outcome.BUILT_IN:
        yield Found(where, f"Handler {handler}: Python has a built-in module {name}", "give the module another name")
    elif _is_handler_absent(case):
        yield _absent_module(case, name.replace("/", "."))
    elif imported is not None and imported.outcome is Outcome.NO_ATTRIBUTE:
        yield _absent_attribute(case, attribute, frozenset(imported.names))
    elif imported is None and scan.names is not None and attribute not in scan.names:
        yield _absent_attribute(case, attribute, scan.names)


def uncallable(case: Case) -> Iterator[Found]:
    handler, imported = str(case.evidence.mount.function.handler), case.evidence.imported
    is_so = imported is not None and imported.outcome is Outcome.NOT_CALLABLE
    if is_so or (imported is None and handler.rpartition(".")[2] in case.scan.values):
        what = f"Handler {handler} names something that cannot be called"
        yield Found(case.evidence.mount.where, what, "name a function of two parameters, event and context")


def owners_of(case: Case, one: Missing) -> tuple[str, ...]:
    """The other functions that have a missing module as their own."""
    return case.suppliers.functions(one.absent, case.evidence.mount) if one.absent and not one.within else ()


def is_third_party(case: Case, one: Missing) -> bool:
    """Is a missing module of nobody's code in the project?"""
    if not one.absent or one.within or one.is_of_own:
        return False
    return not owners_of(case, one) and not case.suppliers.source(one.absent)


def others(more: int) -> str:
    """How many other lines want the same."""
    return f" ({more} other line{'s' if more > 1 else ''} too)" if more else ""


def is_about(found: Imported, name: str, file: Path) -> bool:
    """Does an exception name a module, or come from its file?"""
    return f"'{name}'" in found.text or file in {frame.file for frame in found.stack}


def _is_handler_absent(case: Case) -> bool:
    """Is it the handler's own module, or a package that it lies in, that is not there?"""
    if any(f"{case.scan.module}.".startswith(f"{one.package}.") for one in case.scan.hidden):
        return False
    return bool(case.scan.module) and not case.scan.is_found


def _is_told_otherwise(case: Case, found: Imported) -> bool:
    """Does another rule tell the very thing that this import failed of?"""
    spots = [one.spot for one, _ in case.missing() if owners_of(case, one) or is_third_party(case, one)]
    spots += [spot for spot, _ in [*case.scan.reads, *case.scan.absent]]
    if any(case.breaks_import(spot) for spot in spots):
        return True
    if any(is_about(found, one.name, one.file) for one in case.scan.shadows):
        return True
    hidden = any(f"{found.name}.".startswith(f"{one.package}.") for one in case.scan.hidden)
    return hidden or found.outcome is Outcome.MALFORMED or found.outcome is Outcome.BUILT_IN


def _failure(case: Case, found: Imported) -> Found:
    frame = case.own_frame(found.stack)
    where = case.where(frame) if frame else case.evidence.mount.where
    brought = "ModuleNotFoundError" in found.kinds and bool(case.evidence.mount.unknown)
    is_guess = not case.evidence.is_certain or brought
    what = f"the import of {{functions}} fails: {' '.join(found.error.split())}"
    return Found(where, what, _mend(case, found), Severity.WARNING if is_guess else Severity.ERROR, found.name)


def _mend(case: Case, found: Imported) -> str:
    if found.outcome in {Outcome.ENDED, Outcome.HUNG}:
        return "take it out of what runs at import, and do it in the handler; Lambda stops a start after 10 s"
    if "ModuleNotFoundError" in found.kinds:
        return _mend_module(case, found.name)
    if "ImportError" in found.kinds:
        return _mend_import(found)
    if found.key:
        return f"set {found.key} in the template when it is an environment variable, or read it with a default"
    for is_so, mend in (
        (
            "network" in found.attempts,
            "reach out at the first event: at import it delays every start",
        ),
        ("write" in found.attempts, "write under /tmp: all else is read-only on Lambda"),
        ("SyntaxError" in found.kinds, f"correct it for {case.evidence.mount.function.runtime}"),
        ("SystemExit" in found.kinds, "take the exit out of what runs at import"),
    ):
        if is_so:
            return mend
    return f"correct it, or do it in the handler; inv prove {case.name} tries again"


def _mend_import(found: Imported) -> str:
    if "circular import" in found.text:
        return "import it in the function that uses it, or move what both modules need to a third"
    if "relative import" in found.text:
        return "write the module's absolute name"
    if any(word in found.text for word in (".so", "ELF", "undefined symbol", "GLIBC")):
        return "run inv build --force: its compiled part is for another system, or a library that it needs is not there"
    return f"correct the name: {found.name or 'the module'} has none such"


def _mend_module(case: Case, module: str) -> str:
    """What to do about a module that is not there."""
    mount = case.evidence.mount
    if owners := case.suppliers.functions(module, mount):
        return f"it is in the tree of {' and '.join(owners)} alone: move what both need to a layer that both mount"
    if layers := case.suppliers.layers(module, mount):
        return f"add !Ref {layers[0]} to Layers of {case.name} in {mount.stack.template.path}"
    if source := case.suppliers.source(module):
        return f"{source} is in no artifact of {case.name}: run inv build"
    read = next((one for one in case.scan.missing if one.absent == module and one.is_of_own), None)
    if read is not None:
        return f"correct the name, or add the module{suppliers.near(module.rpartition('.')[2], read.beside)}"
    if "." in module:
        return f"run inv build --force: {module} is missing there, or is for another Python or machine"
    return case.suppliers.declare(module, mount)


def _read_failures(case: Case, found: Imported | None) -> Iterator[Found]:
    """Faults of modules that no import has shown, because they are imported later, or because nothing was run."""
    told = {frame.file for frame in found.stack[-1:]} if found else set()
    for spot, reason in case.scan.broken:
        if spot.file not in told and not case.is_refuted(spot):
            what = f"is no Python that {case.evidence.mount.function.runtime} takes: {reason}"
            yield Found(case.where(spot), what, "correct it", case.severity(spot))
    for one, more in case.missing():
        is_other_rules = bool(owners_of(case, one)) or is_third_party(case, one)
        is_told = found is not None and bool(found.name) and f"{one.absent}.".startswith(f"{found.name}.")
        if not is_other_rules and not is_told and not case.breaks_import(one.spot):
            yield _read_failure(case, one, more)


def _read_failure(case: Case, one: Missing, more: int) -> Found:
    where, severity = case.where(one.spot), case.import_severity(one.spot)
    if one.within:
        what = f"takes {one.absent} from {one.within}, which defines no such name"
        return Found(where, what, f"correct the name{suppliers.near(one.absent, one.beside)}", severity)
    if not one.absent:
        return Found(where, "has a relative import that leads out of its package", "write its absolute name", severity)
    what = f"imports {one.module}, which is not in what {{functions}} mounts{others(more)}"
    return Found(where, what, _mend_module(case, one.absent), severity, one.absent)


def _absent_module(case: Case, module: str) -> Found:
    mount = case.evidence.mount
    if not any(mount.task.rglob("*.py")) and not mount.layers:
        what = f"its built tree holds no Python, so there is no module {module}"
        return Found(mount.where, what, f"put the code into {mount.function.code_uri}, or correct CodeUri")
    what = f"Handler {mount.function.handler}: there is no module {module} in what it mounts"
    mend = f"correct Handler, or CodeUri {mount.function.code_uri}"
    return Found(mount.where, what, mend + suppliers.near(module.rpartition(".")[2], case.scan.near))


def _absent_attribute(case: Case, attribute: str, names: frozenset[str]) -> Found:
    mount = case.evidence.mount
    what = f"Handler {mount.function.handler}: {case.scan.module} has no {attribute}"
    return Found(mount.where, what, f"correct Handler, or define it{suppliers.near(attribute, names)}")


RULES: tuple[Rule, ...] = (
    Rule(
        "import-fails",
        "Everything that a handler imports can be imported from what Lambda mounts",
        "The function ends with Runtime.ImportModuleError, or the like, before it sees its first event.",
        each(fails),
    ),
    Rule(
        "handler-missing",
        "The handler that the template names is there",
        "Lambda answers every event with Runtime.HandlerNotFound or Runtime.ImportModuleError.",
        each(handlers),
    ),
    Rule(
        "handler-not-callable",
        "The handler can be called",
        "The import succeeds, and every event ends with TypeError.",
        each(uncallable),
    ),
)
