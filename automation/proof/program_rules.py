"""The rule about programs: what the code runs is mounted, has the run bit, and runs on Lambda's machine."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from automation.lambda_runtime import runtime
from automation.lambda_runtime.paths import LAYER_MODULES, OPT_ROOT, TASK_ROOT
from automation.proof import binaries
from automation.proof.binaries import Kind
from automation.proof.cases import Case, FunctionFault, for_each_function
from automation.proof.evidence import mounted_trees
from automation.proof.literals import LambdaPath
from automation.proof.model import Rule, Severity
from automation.proof.scan import CodeLocation
from automation.system import files

_ON_PATH = f"{OPT_ROOT}/bin"
_BESIDE_PACKAGES = (f"{TASK_ROOT}/bin", f"{OPT_ROOT}/{LAYER_MODULES}/bin")
# Programs that code often runs and that no runtime has. Source: base/base-2/fs.txt of github.com/lambci/docker-lambda,
# 2019-05-13, has none of them, and the images of Amazon Linux 2023 are smaller (AWS's blog, 2023-11-10).
_NOT_ON_LAMBDA = frozenset(
    {
        *("aws", "chromium", "convert", "docker", "ffmpeg", "ffprobe", "gcc", "git", "google-chrome", "gs", "helm"),
        *("java", "kubectl", "libreoffice", "magick", "make", "mysql", "mysqldump", "node", "npm", "pdftoppm"),
        *("pdftotext", "pg_dump", "pg_restore", "psql", "rsync", "soffice", "ssh", "terraform", "tesseract", "unzip"),
        *("wget", "wkhtmltopdf", "zip"),
    }
)
# The program that a package runs under a name which its caller may change. Source: each package's documentation.
_RUN_BY = {
    "ffmpeg": "ffmpeg",
    "git": "git",
    "pdf2image": "pdftoppm",
    "pdfkit": "wkhtmltopdf",
    "pydub": "ffmpeg",
    "pypandoc": "pandoc",
    "pytesseract": "tesseract",
}


def check_programs(case: Case) -> Iterator[FunctionFault]:
    yield from _check_packages(case)
    for location, path in case.scan.ran:
        if path.path.is_absolute():
            yield from _check_path(case, location, path)
        elif not case.scan.sets_path and "PATH" not in runtime.variables(case.evidence.mount):
            yield from _check_name(case, location, path.path.name)


def _check_packages(case: Case) -> Iterator[FunctionFault]:
    """Check the programs that imported packages run: anywhere in the trees, because the code may name the path."""
    mount = case.evidence.mount
    if mount.unknown or case.scan.sets_path or "PATH" in runtime.variables(mount):
        return
    run_by_name = {path.path.name for _, path in case.scan.ran}
    for package in sorted(case.scan.imported & _RUN_BY.keys()):
        name = _RUN_BY[package]
        is_there = any(_has_file(tree, name) for _, tree in mounted_trees(mount))
        if not is_there and name not in run_by_name:
            what = f"imports {package}, which runs {name}, and Lambda's image does not have that program"
            yield FunctionFault(mount.where, what, f"mount a layer that has bin/{name}", Severity.WARNING)


def _check_path(case: Case, location: CodeLocation, path: LambdaPath) -> Iterator[FunctionFault]:
    program = _built(case, path.path)
    if program is not None:
        yield from _check_file(case, location, path.path, program)
    elif any(path.path.is_relative_to(root) for root in (TASK_ROOT, OPT_ROOT)):
        what = f"runs {path.path}, which is missing in what {{functions}} mounts"
        # A layer from outside the template may bring it.
        may_exist = bool(case.evidence.mount.unknown) and path.path.is_relative_to(OPT_ROOT)
        severity = Severity.WARNING if may_exist else case.severity(location)
        yield FunctionFault(case.where(location), what, _where_it_is(case, path.path), severity)


def _check_name(case: Case, location: CodeLocation, name: str) -> Iterator[FunctionFault]:
    """Check a program that is run by its name: Lambda looks for it in /opt/bin and in the folders of the runtime."""
    on_path = PurePosixPath(_ON_PATH, name)
    if program := _built(case, on_path):
        yield from _check_file(case, location, on_path, program)
        return

    beside = next((f"{folder}/{name}" for folder in _BESIDE_PACKAGES if _built(case, PurePosixPath(folder, name))), "")
    if beside:
        what = f"runs {name} by its name, and {beside} is not on Lambda's PATH"
        yield FunctionFault(case.where(location), what, f"run {beside}", case.severity(location))
    elif name in _NOT_ON_LAMBDA and not case.evidence.mount.unknown:
        what = f"runs {name}, which Lambda's image does not have"
        yield FunctionFault(case.where(location), what, f"mount a layer that has bin/{name}", Severity.WARNING)


def _check_file(case: Case, location: CodeLocation, path: PurePosixPath, program: Path) -> Iterator[FunctionFault]:
    """Check that a file can be run: by its mode, its machine and its first line."""
    where, severity = case.where(location), case.severity(location)
    source = case.subject.origins.source_of(program) or str(path)
    with program.open("rb") as file:
        first_line = file.readline(200)

    architecture = case.evidence.mount.function.architectures[0]
    if not files.is_program(program):
        what = f"runs {path}, which has no run bit, so Lambda answers PermissionError"
        yield FunctionFault(where, what, f"run chmod +x {source}, then inv build", severity)
    elif first_line.startswith(b"#!") and first_line.endswith(b"\r\n"):
        what = f"runs {path}, whose lines end with CR LF, so its interpreter is not found"
        yield FunctionFault(where, what, f"save {source} with LF alone", severity)
    elif binaries.kind_of(first_line) not in {Kind.ELF, Kind.OTHER}:
        what = f"runs {path}, which is a program for {binaries.kind_of(first_line)}"
        yield FunctionFault(where, what, f"put one for {architecture} on Linux in its place", severity)
    elif binaries.kind_of(first_line) is Kind.ELF and binaries.machine_of(binaries.read_head(program)) != architecture:
        what = f"runs {path}, which is a program for {binaries.machine_of(binaries.read_head(program))}"
        yield FunctionFault(where, what, f"put one for {architecture} on Linux in its place", severity)


def _where_it_is(case: Case, path: PurePosixPath) -> str:
    """Return the fix for a program that is not where the code runs it."""
    for mount_point, tree in mounted_trees(case.evidence.mount):
        for folder in ("bin", f"{LAYER_MODULES}/bin"):
            if (tree / folder / path.name).is_file():
                return f"run {mount_point}/{folder}/{path.name}"
    return "add the program to the sources, or correct the path"


def _has_file(tree: Path, name: str) -> bool:
    return any(path.is_file() for path in tree.rglob(name))


def _built(case: Case, path: PurePosixPath) -> Path | None:
    return next((candidate for candidate in case.built_paths(LambdaPath(path)) if candidate.is_file()), None)


RULES: tuple[Rule, ...] = (
    Rule(
        "program-not-runnable",
        "Every program that the code runs is mounted and can be run",
        "The call raises FileNotFoundError, PermissionError or OSError at the first event that reaches it.",
        for_each_function(check_programs),
    ),
)
