"""The rules about the code that a handler can reach."""

from collections.abc import Iterator
from pathlib import Path

from automation.lambda_runtime import runtime
from automation.proof import freshness, import_rules, suppliers
from automation.proof.cases import Case, Found, each, of_subject, trees_of
from automation.proof.literals import Place
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.scan import Missing


def siblings(case: Case) -> Iterator[Found]:
    for one, more in case.missing():
        if owners := import_rules.owners_of(case, one):
            holders = " and ".join(owners)
            what = f"imports {one.module}, which is in the tree of {holders} and not in that of {{functions}}"
            mend = "move what both need to code that both mount, in a layer"
            yield _import(case, one, what + import_rules.others(more), mend)


def undeclared(case: Case) -> Iterator[Found]:
    for one, more in case.missing():
        if import_rules.is_third_party(case, one):
            layers = case.suppliers.layers(one.absent, case.evidence.mount)
            held = f"; the layer {' and '.join(layers)} has it" if layers else ""
            what = f"imports {one.module}, which neither {{functions}}, its layers nor the runtime has{held}"
            mend = case.suppliers.declare(one.absent, case.evidence.mount)
            yield _import(case, one, what + import_rules.others(more), mend)


def unset(case: Case) -> Iterator[Found]:
    variables = runtime.variables(case.evidence.mount)
    if any(name.startswith("Fn::") for name in variables):
        return
    known = frozenset(variables) | runtime.LAMBDA_VARIABLES
    template = case.evidence.mount.stack.template.path
    wrapped = "AWS_LAMBDA_EXEC_WRAPPER" in variables
    for spot, name in case.scan.reads:
        if name not in known and not name.startswith("AWS_") and not case.is_refuted(spot):
            what = f"reads the environment variable {name}, which the template does not set for {{functions}}"
            mend = f"add {name} to Environment: Variables of {{functions}} in {template}, or read it with a default"
            severity = Severity.WARNING if wrapped else case.severity(spot)
            yield Found(case.where(spot), what, mend + suppliers.near(name, frozenset(variables)), severity)


def absent_files(case: Case) -> Iterator[Found]:
    for spot, place in case.scan.absent:
        if not case.is_refuted(spot):
            what = f"opens {place}, which is not in what {{functions}} mounts"
            yield Found(case.where(spot), what, _supply(case, place), case.severity(spot))


def data_files(subject: Subject) -> Iterator[Fault]:
    """What is opened and not there; and what was left out of an artifact, by whatever it may be opened."""
    yield from each(absent_files)(subject)
    told = {built for case in of_subject(subject) for _, place in case.scan.absent for built in _places(case, place)}
    severity = Severity.ERROR if subject.project.package else Severity.WARNING
    for built, source in freshness.left_out(subject):
        if built not in told:
            found = subject.origins.of(built)
            owner = found[0].owner if found else ""
            yield Fault(source, f"is not in the artifact of {owner}", "run inv build, which copies it", severity)


def stdlib_shadows(case: Case) -> Iterator[Found]:
    imported = case.evidence.imported
    for one in case.scan.shadows:
        holders = imported.borrowed.get(one.name, ()) if imported else ()
        others = [file for file in holders if not case.subject.origins.is_own(Path(file))]
        breaks = case.failed is not None and import_rules.is_about(case.failed, one.name, one.file)
        is_ours = bool(case.subject.project.package) and not one.is_distributed
        what = f"bears the name of the standard library's {one.name}, and stands in for it wherever that is imported"
        what += f", as in {Path(others[0]).name}" if others else ""
        what += f": {case.failed.error}" if breaks and case.failed else ""
        severity = Severity.ERROR if breaks or others or is_ours else Severity.WARNING
        yield Found(case.subject.origins.label(one.file), what, "give it another name", severity)


def hidden_parts(case: Case) -> Iterator[Found]:
    for one in case.scan.hidden:
        needed = [missing for missing in case.scan.missing if f"{missing.absent}.".startswith(f"{one.package}.")]
        more = f" and {len(one.modules) - 3} more" if len(one.modules) > 3 else ""
        by = case.subject.origins.label(one.by)
        lost = f"{_folder(case, one.folder)} ({', '.join(one.modules[:3])}{more})"
        what = f"is taken for the whole package {one.package}, and hides {lost}"
        severity = Severity.ERROR if case.subject.project.package or needed else Severity.WARNING
        yield Found(by, what, f"remove {by}: a package in several places has none at its root", severity)


def _import(case: Case, one: Missing, what: str, mend: str) -> Found:
    """A fault of an import, with the exception where that is what the whole import failed at."""
    error = f": {case.failed.error}" if case.failed is not None and case.breaks_import(one.spot) else ""
    return Found(case.where(one.spot), what + error, mend, case.import_severity(one.spot), one.absent)


def _supply(case: Case, place: Place) -> str:
    """What to do about a file that is not in the trees."""
    if place.package:
        return f"put it into the folder of {place.package}, or correct the name"
    sources = [source for built in _places(case, place) if (source := case.subject.origins.source(built))]
    if sources:
        return f"{sources[0]} is there, and the build left it out: build again"
    return "add the file to the sources, or correct the path"


def _places(case: Case, place: Place) -> list[Path]:
    """Where a path of Lambda's would be in the built trees."""
    trees = {runtime.TASK_ROOT: trees_of(case)[:1], runtime.OPT_ROOT: trees_of(case)[1:]}
    return [
        tree.resolve() / place.path.relative_to(root)
        for root, found in trees.items()
        for tree in found
        if place.path.is_relative_to(root)
    ]


def _folder(case: Case, folder: Path) -> str:
    root = case.subject.project.root.resolve()
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.as_posix()


RULES: tuple[Rule, ...] = (
    *import_rules.RULES,
    Rule(
        "sibling-import",
        "A function imports no module of another function's tree",
        "A function's zip holds its own module only, so the import works in every local test and fails on Lambda.",
        each(siblings),
    ),
    Rule(
        "undeclared-import",
        "Every third-party import is in the function's tree, in a layer of it, or in the runtime",
        "The development environment has it; Lambda has only what the function and its layers bring.",
        each(undeclared),
    ),
    Rule(
        "stdlib-shadowing",
        "No module at the root of a tree bears the name of one of the standard library's",
        "On Lambda the standard library comes last on sys.path, so every import of that name gets this module.",
        each(stdlib_shadows),
    ),
    Rule(
        "namespace-shadowing",
        "A package whose parts lie in several trees has no __init__.py at its root",
        "Python takes the first folder that has an __init__.py for the whole package; the other parts do not exist.",
        each(hidden_parts),
    ),
    Rule(
        "variable-unset",
        "Every environment variable that is read without a default is set by the template",
        "The read raises KeyError on Lambda, at import or at the first event.",
        each(unset),
    ),
    Rule(
        "data-file-absent",
        "Every data file of the sources, and every file that the code opens, is in the built tree",
        "The file lies in the sources and not in the artifact, so opening it raises FileNotFoundError on Lambda.",
        data_files,
    ),
)
