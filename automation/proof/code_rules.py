"""The rules about the code that a handler can reach."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from automation.lambda_runtime import runtime
from automation.proof import freshness, import_rules, library_loads, program_rules, suppliers
from automation.proof.cases import Case, FunctionFault, cases_of, for_each_function
from automation.proof.literals import LambdaPath
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.scan import MissingImport


def check_sibling_imports(case: Case) -> Iterator[FunctionFault]:
    for missing, more in case.missing_imports():
        if owners := import_rules.owners_of(case, missing):
            what = f"imports {missing.module}, which is in the tree of {' and '.join(owners)} but not of {{functions}}"
            fix = "move the code that both need to a layer that both mount"
            yield _import_fault(case, missing, what + import_rules.other_lines(more), fix)


def check_undeclared_imports(case: Case) -> Iterator[FunctionFault]:
    for missing, more in case.missing_imports():
        if import_rules.is_third_party(case, missing):
            what, fix = _undeclared(case, missing)
            yield _import_fault(case, missing, what + import_rules.other_lines(more), fix)


def check_variables(case: Case) -> Iterator[FunctionFault]:
    variables = runtime.variables(case.evidence.mount)
    if any(name.startswith("Fn::") for name in variables):
        return

    known = frozenset(variables) | runtime.LAMBDA_VARIABLES
    template = case.evidence.mount.stack.template.path
    # A wrapper script may set any variable before Python starts, and a macro in the template.
    may_be_set = "AWS_LAMBDA_EXEC_WRAPPER" in variables or bool(case.evidence.mount.macros)
    for location, name in case.scan.reads:
        if name not in known and not name.startswith("AWS_") and not case.is_refuted(location):
            what = f"reads the environment variable {name}, which the template does not set for {{functions}}"
            fix = f"add {name} to Environment: Variables of {{functions}} in {template}, or read it with a default"
            severity = Severity.WARNING if may_be_set else case.severity(location)
            fix += suppliers.near(name, frozenset(variables))
            yield FunctionFault(case.where(location), what, fix, severity)


def check_opened_files(case: Case) -> Iterator[FunctionFault]:
    for location, path in case.scan.missing_files:
        if not case.is_refuted(location):
            what = f"opens {path}, which is missing in what {{functions}} mounts"
            yield FunctionFault(case.where(location), what, _file_fix(case, path), case.severity(location))


def check_data_files(subject: Subject) -> Iterator[Fault]:
    """Yield the files that are opened and missing, then the other data files that the artifacts lack."""
    yield from for_each_function(check_opened_files)(subject)

    reported: set[Path] = set()
    for case in cases_of(subject):
        reported.update(chain.from_iterable(case.built_paths(path) for _, path in case.scan.missing_files))
    severity = Severity.ERROR if subject.project.settings.package else Severity.WARNING
    for built, source in freshness.left_out(subject):
        if built not in reported:
            location = subject.origins.locate(built)
            owner = location[0].owner if location else ""
            yield Fault(
                source, f"is missing in the artifact of {owner}", "run inv build --force, which copies it", severity
            )


def check_stdlib_shadows(case: Case) -> Iterator[FunctionFault]:
    imported = case.evidence.imported
    for shadow in case.scan.shadows:
        holders = imported.borrowed.get(shadow.name, ()) if imported else ()
        users = [file for file in holders if not case.subject.origins.is_own(Path(file))]
        breaks = case.failed is not None and import_rules.is_about(case.failed, shadow.name, shadow.file)
        is_ours = bool(case.subject.project.settings.package) and not shadow.is_distributed

        what = f"has the name of the standard library's {shadow.name}, so every import of that name gets this file"
        what += f", as in {Path(users[0]).name}" if users else ""
        what += f": {case.failed.error}" if breaks and case.failed else ""
        severity = Severity.ERROR if breaks or users or is_ours else Severity.WARNING
        yield FunctionFault(case.subject.origins.label(shadow.file), what, "rename it", severity)


def check_hidden_parts(case: Case) -> Iterator[FunctionFault]:
    for part in case.scan.hidden:
        is_needed = any(
            f"{missing.missing_part}.".startswith(f"{part.package}.") for missing in case.scan.missing_imports
        )
        by = case.subject.origins.label(part.by)
        more = f" and {len(part.modules) - 3} more" if len(part.modules) > 3 else ""
        lost = f"{_folder_label(case, part.folder)} ({', '.join(part.modules[:3])}{more})"
        what = f"makes Python take its folder for the whole package {part.package}, which hides {lost}"
        severity = Severity.ERROR if case.subject.project.settings.package or is_needed else Severity.WARNING
        fix = f"remove {by}: a package that is split over several trees needs no __init__.py at its root"
        yield FunctionFault(by, what, fix, severity)


def _undeclared(case: Case, missing: MissingImport) -> tuple[str, str]:
    """Return what is wrong with an import of a third-party module, and its fix."""
    mount, suppliers_of_case = case.evidence.mount, case.suppliers
    if change := suppliers_of_case.stdlib_change(missing, mount):
        return f"imports {change[0]} in its standard library", change[1]

    layers = suppliers_of_case.layers(missing.missing_part, mount)
    what = f"imports {missing.module}, which is missing in {{functions}}, the mounted layers and the runtime"
    what += f"; the layer {' and '.join(layers)} has it" if layers else ""
    return what, case.or_check(suppliers_of_case.declare(missing, mount))


def _import_fault(case: Case, missing: MissingImport, what: str, fix: str) -> FunctionFault:
    """Return the fault of an import, with the exception when the whole import failed at this line."""
    location = missing.location
    error = f": {case.failed.error}" if case.failed is not None and case.breaks_import(location) else ""
    return FunctionFault(case.where(location), what + error, fix, case.import_severity(missing), missing.missing_part)


def _file_fix(case: Case, path: LambdaPath) -> str:
    if path.package:
        return f"put it into the folder of {path.package}, or correct the name"
    sources = [source for built in case.built_paths(path) if (source := case.subject.origins.source_of(built))]
    if sources:
        return f"{sources[0]} exists, but the build left it out: run inv build --force"
    return "add the file to the sources, or correct the path"


def _folder_label(case: Case, folder: Path) -> str:
    root = case.subject.project.root.resolve()
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.as_posix()


RULES: tuple[Rule, ...] = (
    *import_rules.RULES,
    *library_loads.RULES,
    *program_rules.RULES,
    Rule(
        "sibling-import",
        "A function imports no module from another function's tree",
        "A function's zip contains only its own tree, so the import works in local tests and fails on Lambda.",
        for_each_function(check_sibling_imports),
    ),
    Rule(
        "undeclared-import",
        "Every third-party import is in the function's tree, in a mounted layer or in the runtime",
        "What is installed on a developer's machine is not on Lambda, which has only the function, its layers and the "
        "runtime.",
        for_each_function(check_undeclared_imports),
    ),
    Rule(
        "stdlib-shadowing",
        "No module at the root of a tree has the name of a standard library module",
        "On Lambda the standard library comes last on sys.path, so every import of that name gets this module.",
        for_each_function(check_stdlib_shadows),
    ),
    Rule(
        "namespace-shadowing",
        "A package that is split over several trees has no __init__.py at its root",
        "Python takes the first folder with an __init__.py for the whole package and does not see the other parts.",
        for_each_function(check_hidden_parts),
    ),
    Rule(
        "variable-unset",
        "The template sets every environment variable that the code reads without a default",
        "The read raises KeyError on Lambda, at import or at the first event.",
        for_each_function(check_variables),
    ),
    Rule(
        "data-file-absent",
        "Every data file of the sources, and every file that the code opens, is in the built tree",
        "The file is in the sources but not in the artifact, so opening it raises FileNotFoundError on Lambda.",
        check_data_files,
    ),
)
