"""The rules about importing a handler: it can be imported, it exists, and it can be called."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from automation.building.references import TEST_FOLDERS
from automation.lambda_runtime import handlers, runtime
from automation.proof import built_trees, elsewhere, evidence, suppliers
from automation.proof.cases import Case, FunctionFault, for_each_function
from automation.proof.imports import ImportResult, Outcome
from automation.proof.model import Rule, Severity
from automation.proof.module_facts import When
from automation.proof.scan import CodeLocation, MissingImport
from automation.system import files, tools

_MOVE = "move it from import time into the handler; Lambda stops an initialisation after 10 s"
_ERROR_WIDTH = 400  # the SDK lists every service when it does not know one
_READ_OR_NONE = re.compile(r"""\b(?:getenv|environ\.get)\(\s*["'](\w+)["']\s*\)""")
_NOWHERE = CodeLocation(Path(), 0, When.MAYBE)


def check_import(case: Case) -> Iterator[FunctionFault]:
    """Yield the failed import, then the faults that only reading the code can find."""
    failed = case.failed
    if failed is not None and not _is_handler_module_missing(case) and not _is_reported_elsewhere(case, failed):
        yield _import_failure(case, failed)
    yield from _read_failures(case, failed)


def check_handler(case: Case) -> Iterator[FunctionFault]:
    """Yield the faults of the handler's name, as warnings when a macro may name another one."""
    for fault in _handler_faults(case):
        yield replace(fault, severity=Severity.WARNING) if case.evidence.mount.macros else fault


def _handler_faults(case: Case) -> Iterator[FunctionFault]:
    mount, where = case.evidence.mount, case.evidence.mount.where
    handler, label = str(mount.function.handler), case.handler_label
    name, _, attribute = handler.rpartition(".")
    imported, scan = case.evidence.imported, case.scan

    if program := handlers.program(mount.function, mount.stack):
        yield from _program_faults(case, program)
    elif not name or not attribute:
        yield FunctionFault(where, f"{label} is not module.function", "write it as module.function")
    elif imported is not None and imported.outcome is Outcome.BUILT_IN:
        yield FunctionFault(where, f"{label}: Python has a built-in module {name}", "rename the module")
    elif _is_handler_module_missing(case):
        yield from _missing_module(case, name.replace("/", "."))
    elif imported is not None and imported.outcome is Outcome.NO_ATTRIBUTE:
        yield _missing_attribute(case, attribute, frozenset(imported.names))
    elif imported is None and scan.names is not None and attribute not in scan.names:
        yield _missing_attribute(case, attribute, scan.names)


def check_callable(case: Case) -> Iterator[FunctionFault]:
    handler, imported = str(case.evidence.mount.function.handler), case.evidence.imported
    is_not_callable = imported is not None and imported.outcome is Outcome.NOT_CALLABLE
    if is_not_callable or (imported is None and handler.rpartition(".")[2] in case.scan.uncallable):
        what = f"{case.handler_label} names a value that cannot be called"
        severity = Severity.WARNING if case.evidence.mount.macros else Severity.ERROR
        fix = "name a function of two parameters, event and context"
        yield FunctionFault(case.evidence.mount.where, what, fix, severity)


def owners_of(case: Case, missing: MissingImport) -> tuple[str, ...]:
    """Return the other functions whose own code has a missing module."""
    if not missing.missing_part or missing.within:
        return ()
    mount = case.evidence.mount
    return case.suppliers.functions(missing.missing_part, mount) or case.suppliers.functions_by_folder(missing, mount)


def is_third_party(case: Case, missing: MissingImport) -> bool:
    """Return whether a missing module belongs to no code of the project."""
    if not missing.missing_part or missing.within or missing.is_of_own:
        return False
    if owners_of(case, missing) or case.suppliers.source(missing.missing_part):
        return False
    return not case.suppliers.own_fix(missing, case.evidence.mount)


def other_lines(more: int) -> str:
    """Return the part of a message that counts the other lines with the same import."""
    return f" ({more} other line{'s' if more > 1 else ''} too)" if more else ""


def is_about(failed: ImportResult, name: str, file: Path) -> bool:
    """Return whether an exception names a module or comes from its file."""
    return f"'{name}'" in failed.text or file in {frame.file for frame in failed.stack}


def _is_handler_module_missing(case: Case) -> bool:
    """Return whether the handler's own module, or a package that contains it, is missing."""
    if any(f"{case.scan.module}.".startswith(f"{part.package}.") for part in case.scan.hidden):
        return False
    return bool(case.scan.module) and not case.scan.is_found


def _is_reported_elsewhere(case: Case, failed: ImportResult) -> bool:
    """Return whether another rule reports the cause of a failed import."""
    missing_imports = [missing for missing, _ in case.missing_imports()]
    locations = [
        missing.location for missing in missing_imports if owners_of(case, missing) or is_third_party(case, missing)
    ]
    locations += [location for location, _ in [*case.scan.reads, *case.scan.missing_files]]
    if any(case.breaks_import(location) for location in locations):
        return True
    if any(is_about(failed, shadow.name, shadow.file) for shadow in case.scan.shadows):
        return True

    is_hidden = any(f"{failed.name}.".startswith(f"{part.package}.") for part in case.scan.hidden)
    is_provided = "ModuleNotFoundError" in failed.kinds and elsewhere.is_provided(case.evidence.mount, failed.name)
    if failed.refused_libraries:
        return True
    return is_hidden or is_provided or failed.outcome is Outcome.MALFORMED or failed.outcome is Outcome.BUILT_IN


def _import_failure(case: Case, failed: ImportResult) -> FunctionFault:
    frame = case.own_frame(failed.stack)
    where = case.where(frame) if frame else case.evidence.mount.where
    may_be_provided = "ModuleNotFoundError" in failed.kinds and bool(case.provider(failed.name))
    is_guess = not case.evidence.is_certain or may_be_provided
    error = textwrap.shorten(failed.error, _ERROR_WIDTH, placeholder=" …")
    what = f"the import of {{functions}} fails: {error}"
    severity = Severity.WARNING if is_guess else Severity.ERROR
    return FunctionFault(where, what, _fix(case, failed), severity, failed.name)


def _fix(case: Case, failed: ImportResult) -> str:
    if failed.outcome is Outcome.WAITED:
        return f"run inv prove {case.name} when this machine is at rest, or {_MOVE}"
    if failed.outcome in {Outcome.ENDED, Outcome.HUNG}:
        return _MOVE
    if "ImportError" in failed.kinds and (layer := _layer_of_other_architecture(case, failed)):
        own = case.evidence.mount.function.architectures[0]
        return f"follow the advice of runtime-mismatch: {layer} is not built for {own}"
    if package := evidence.versioned_package(failed, case.evidence.mount):
        return _fix_of_version(package)
    if "ModuleNotFoundError" in failed.kinds:
        return _fix_of_module(case, failed.name)
    if "ImportError" in failed.kinds:
        return _fix_of_import_error(case, failed)
    return _fix_of_other_error(case, failed)


def _layer_of_other_architecture(case: Case, failed: ImportResult) -> str:
    """Return the layer in which an import fails because it is built for another architecture; empty for none."""
    mount, innermost = case.evidence.mount, failed.stack[-1].file if failed.stack else Path()
    declared = {layer.logical_id: layer.architectures for layer in mount.stack.layers}
    layers = (layer for layer in mount.layers if innermost.is_relative_to(layer.tree.resolve()))
    return next(
        (
            layer.logical_id
            for layer in layers
            if built_trees.is_excluded(mount.function.architectures, declared.get(layer.logical_id, ()))
        ),
        "",
    )


def _fix_of_other_error(case: Case, failed: ImportResult) -> str:
    if failed.key:
        return f"if {failed.key} is an environment variable, set it in the template or read it with a default"
    if "outside" in failed.attempts:
        return "put the file or module into the sources of the function or of a layer that it mounts"
    if "network" in failed.attempts:
        return "use the network at the first event: at import it delays every cold start"
    if "semaphore" in failed.attempts:
        return "use threads, or processes with a pipe: Lambda has no shared memory for locks, queues and pools"
    if "write" in failed.attempts:
        return "write under /tmp: every other folder is read-only on Lambda"
    if "SyntaxError" in failed.kinds:
        return f"correct it for {case.evidence.mount.function.runtime}"
    if "SystemExit" in failed.kinds:
        return "remove the exit from the code that runs at import"
    return _fix_of_value(case, failed)


def _fix_of_value(case: Case, failed: ImportResult) -> str:
    if names := _unset_variables(case, failed):
        listed, template = built_trees.abbreviate(names), case.evidence.mount.stack.template.path
        fix = (
            f"add {listed}, which the code reads, to Environment: Variables of {case.name} in {template}, or correct it"
        )
        return fix + suppliers.near(names[0], frozenset(runtime.variables(case.evidence.mount)))
    return f"correct it, or move it into the handler; then run inv prove {case.name}"


def _unset_variables(case: Case, failed: ImportResult) -> list[str]:
    """Return the variables that the failing module reads as None, because the template does not set them."""
    frame = case.own_frame(failed.stack)
    if frame is None:
        return []
    set_names = runtime.LAMBDA_VARIABLES.union(runtime.variables(case.evidence.mount))
    names = dict.fromkeys(_READ_OR_NONE.findall(frame.file.read_text(encoding="utf-8", errors="replace")))
    return [name for name in names if name not in set_names and not name.startswith("AWS_")]


def _fix_of_import_error(case: Case, failed: ImportResult) -> str:
    if "circular import" in failed.text:
        return "import it in the function that uses it, or move what both modules need to a third"
    if "relative import" in failed.text:
        return "use the module's absolute name"
    if any(word in failed.text for word in (".so", "ELF", "undefined symbol", "GLIBC")):
        return "run inv build --force: its compiled part is for another system, or lacks a library that it needs"
    if "cannot import name" in failed.text:
        return f"correct the name: {failed.name or 'the module'} does not define it"
    # The code has raised it itself.
    return f"provide what the message asks for, then run inv build and inv prove {case.name}"


def _fix_of_module(case: Case, module: str) -> str:
    """Return the fix for a missing module."""
    mount = case.evidence.mount
    if owners := case.suppliers.functions(module, mount):
        return f"it is only in the tree of {' and '.join(owners)}: move the code that both need to a layer of both"
    if layers := case.suppliers.layers(module, mount):
        return f"add !Ref {layers[0]} to Layers of {case.name} in {mount.stack.template.path}"
    if source := case.suppliers.source(module):
        return f"{source} is in no artifact of {case.name}: run inv build"

    statements = [missing for missing in case.scan.missing_imports if missing.missing_part == module]
    if fix := next((fix for missing in statements if (fix := case.suppliers.own_fix(missing, mount))), ""):
        return fix
    own = next((missing for missing in statements if missing.is_of_own), None)
    if own is not None:
        return f"correct the name, or add the module{suppliers.near(module.rpartition('.')[2], own.candidates)}"
    if TEST_FOLDERS & set(module.split(".")[1:]):
        return f"import {module} in the code of {case.name}: inv build keeps the test modules that the code imports"
    if "." in module:
        return _fix_of_submodule(case, module)
    statement = next(iter(statements), MissingImport(_NOWHERE, module, module))
    return case.or_check(case.suppliers.declare(statement, mount))


def _fix_of_submodule(case: Case, module: str) -> str:
    top = module.partition(".")[0]
    if top in runtime.SDK_MODULES:
        return _fix_of_version(top)
    message = case.failed.text if case.failed is not None else ""
    if fix := case.suppliers.other_version(module, case.evidence.mount, message=message):
        return fix
    return f"run inv build --force: {module} is missing there, or is for another Python or machine"


def _fix_of_version(package: str) -> str:
    return f"correct the name, or ship the version of {package} that has it"


def _read_failures(case: Case, failed: ImportResult | None) -> Iterator[FunctionFault]:
    """Yield faults of modules that are imported later, or that nothing imported here."""
    reported_files = {frame.file for frame in failed.stack[-1:]} if failed else set()
    for location, reason in case.scan.unparsable:
        if location.file not in reported_files and not case.is_refuted(location):
            yield _unparsable(case, location, reason)

    for missing, more in case.missing_imports():
        is_of_other_rule = bool(owners_of(case, missing)) or is_third_party(case, missing)
        is_reported = (
            failed is not None and bool(failed.name) and f"{missing.missing_part}.".startswith(f"{failed.name}.")
        )
        if not is_of_other_rule and not is_reported and not case.breaks_import(missing.location):
            yield _read_failure(case, missing, more)


def _unparsable(case: Case, location: CodeLocation, reason: str) -> FunctionFault:
    """Return the fault of a file that cannot be parsed: a later Python may parse what this one cannot."""
    runtime_name, own = str(case.evidence.mount.function.runtime), tools.own_python_version()
    if elsewhere.minor_of(case.evidence.mount) > int(own.partition(".")[2]):
        what = f"cannot be parsed by Python {own}, so it is not checked for {runtime_name}: {reason}"
        fix = f"correct it, or run inv prove in an environment of {runtime_name}"
        return FunctionFault(case.where(location), what, fix, Severity.WARNING)
    what = f"cannot be parsed by {runtime_name}: {reason}"
    return FunctionFault(case.where(location), what, "correct it", case.severity(location))


def _read_failure(case: Case, missing: MissingImport, more: int) -> FunctionFault:
    where, severity = case.where(missing.location), case.import_severity(missing)
    if missing.within:
        what = f"imports {missing.missing_part} from {missing.within}, which does not define that name"
        fix = f"correct the name{suppliers.near(missing.missing_part, missing.candidates)}"
        return FunctionFault(where, what, fix, severity)
    if not missing.missing_part:
        return FunctionFault(
            where, "has a relative import that leads out of its package", "use its absolute name", severity
        )

    what = f"imports {missing.module}, which is missing in what {{functions}} mounts{other_lines(more)}"
    return FunctionFault(where, what, _fix_of_module(case, missing.missing_part), severity, missing.missing_part)


def _program_faults(case: Case, program: str) -> Iterator[FunctionFault]:
    """Yield the fault of a program that the web adapter cannot start."""
    mount, path = case.evidence.mount, case.evidence.mount.task / program
    if not path.is_file():
        what = f"Handler {program}: the program is missing in the function's tree"
        yield FunctionFault(mount.where, what, f"correct Handler, or add {program} to {mount.function.code_uri}")
    elif not files.is_program(path):
        label = case.subject.origins.label(path)
        what = f"Handler {program}: the program has no permission to run"
        yield FunctionFault(mount.where, what, f"run chmod +x {label}, then inv build")


def _missing_module(case: Case, module: str) -> Iterator[FunctionFault]:
    mount = case.evidence.mount
    provider = case.provider(module)
    if elsewhere.is_provided(mount, module.partition(".")[0]):
        return
    if not any(mount.task.rglob("*.py")) and not mount.layers and not provider:
        what = f"its built tree has no Python files, so the module {module} is missing"
        yield FunctionFault(mount.where, what, f"put the code into {mount.function.code_uri}, or correct CodeUri")
        return

    what = f"{case.handler_label}: the module {module} is missing in what the function mounts"
    fix = f"correct {case.handler_key}, or CodeUri {mount.function.code_uri}"
    fix += suppliers.near(module.rpartition(".")[2], case.scan.beside_handler)
    yield FunctionFault(mount.where, what, case.or_check(fix), Severity.WARNING if provider else Severity.ERROR)


def _missing_attribute(case: Case, attribute: str, names: frozenset[str]) -> FunctionFault:
    mount = case.evidence.mount
    what = f"{case.handler_label}: {case.scan.module} does not define {attribute}"
    return FunctionFault(
        mount.where, what, f"correct {case.handler_key}, or define it{suppliers.near(attribute, names)}"
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "import-fails",
        "Everything that a handler imports can be imported from what Lambda mounts",
        "The function fails with Runtime.ImportModuleError or a similar error before it handles its first event.",
        for_each_function(check_import),
    ),
    Rule(
        "handler-missing",
        "The handler that the template names exists",
        "Every invocation fails with Runtime.HandlerNotFound or Runtime.ImportModuleError.",
        for_each_function(check_handler),
    ),
    Rule(
        "handler-not-callable",
        "The handler can be called",
        "The import succeeds, and every event fails with TypeError.",
        for_each_function(check_callable),
    ),
)
