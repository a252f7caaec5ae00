"""What code loads by name is compared with the trees and the runtime's list."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automation.proof import library_loads
from automation.proof.cases import Case, FunctionFault, for_each_function
from automation.proof.evidence import Evidence, ProofMethod
from automation.proof.imports import Frame, ImportResult, Outcome
from automation.proof.model import Severity
from automation.proof.scan import Scan
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import install, put

FAILURE = {"outcome": Outcome.FAILED, "kinds": ("ImportError",), "text": "failed to find libmagic", "name": "magic"}


def faults(
    root: Path, imported: ImportResult | None, contents: Mapping[str, str] | None = None, **properties: Any
) -> list[FunctionFault]:
    trees = {"App": {"app.py": "", **(contents or {})}}
    subject = subjects.write(root, {"App": subjects.function(**properties)}, trees)
    evidence = Evidence(subject.mounts[0], ProofMethod.IMPORTED, imported=imported, scan=Scan())
    return list(library_loads.check_loads(Case(subject, evidence, Scan())))


def failed(library: str = "libmagic.so.1", **changes: Any) -> ImportResult:
    fields: dict[str, Any] = {**FAILURE, "attempts": frozenset({f"library:{library}", "write"}), **changes}
    return ImportResult(**fields)


def loaded(root: Path, code: str, attempts: frozenset[str] = frozenset()) -> list[FunctionFault]:
    """Return the faults of a function that imports a module with this code."""
    foreign = (str((root / BUILD / "App" / "magic.py").resolve()),)
    return faults(root, ImportResult(Outcome.RESOLVED, foreign=foreign, attempts=attempts), {"magic.py": code})


def test_import_without_a_library_that_may_be_there_is_a_warning(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, failed())

    assert fault == FunctionFault(
        "template.yaml: App",
        "the import of {functions} loads libmagic.so.1, which is known in the container image of python3.12, but not "
        "in a function from a zip: ImportError: failed to find libmagic",
        "put libmagic.so.1 for x86_64 into code/lib/, which becomes /var/task/lib",
        Severity.WARNING,
        "magic",
        frozenset({("code", "libmagic.so.1")}),
    )


def test_import_without_a_library_that_the_runtime_lacks_is_an_error(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, failed(), Runtime="python3.11")

    assert fault.severity is Severity.ERROR
    assert "loads libmagic.so.1, which python3.11 does not have: ImportError" in fault.what


def test_import_without_a_library_that_an_unknown_layer_may_bring_is_a_warning(tmp_path: Path) -> None:
    layers = ["arn:aws:lambda:eu-central-1:123456789012:layer:libs:1"]

    (fault,) = faults(tmp_path, failed(), Runtime="python3.11", Layers=layers)

    assert fault.severity is Severity.WARNING


def test_import_without_a_library_is_shown_at_the_own_line(tmp_path: Path) -> None:
    put(tmp_path / "code" / "app.py", "")
    stack = (Frame((tmp_path / BUILD / "App" / "app.py").resolve(), 3),)

    (fault,) = faults(tmp_path, failed(stack=stack))

    assert fault.where.endswith("app.py:3")


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"kinds": ("OSError",), "text": "cannot load"}, 1),
        ({"kinds": ("ImportError",), "text": "cannot import name x"}, 0),
        ({"kinds": ("ModuleNotFoundError", "ImportError"), "text": "No module named 'magic'"}, 0),
        ({"kinds": ("ValueError",), "text": "libmagic"}, 0),
        ({"attempts": frozenset({"write"})}, 0),
        ({"kinds": ("FileNotFoundError", "OSError"), "text": "No such file: 'x.json'"}, 0),
    ],
)
def test_import_that_fails_for_another_reason_is_left_to_its_rule(
    tmp_path: Path, changes: dict[str, Any], count: int
) -> None:
    assert len(faults(tmp_path, failed(**changes))) == count


def test_error_that_names_many_libraries_is_shortened(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, failed(text="libmagic " * 40))

    assert fault.what.endswith(": " + f"ImportError: {'libmagic ' * 16}…")


def test_library_that_is_only_searched_for_must_be_loaded_by_its_name(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, failed("libzbar.so", text="Unable to find zbar shared library"))

    assert "loads libzbar.so.0, which python3.12 does not have: ImportError: Unable to find zbar" in fault.what
    assert fault.fix == (
        "find_library finds only the libraries of the runtime: load libzbar.so.0 by its file name from lib/, or deploy "
        "{functions} as a container image that has it"
    )
    assert fault.severity is Severity.ERROR


def test_names_of_one_library_on_several_systems_are_one_fault(tmp_path: Path) -> None:
    names = ("libcairo-2.dll", "libcairo.so", "libcairo.so.2")
    text = 'no library called "cairo-2" was found'

    (fault,) = faults(
        tmp_path,
        failed(kinds=("OSError",), text=text, attempts=frozenset(f"library:{name}" for name in names)),
    )

    assert "loads libcairo.so.2, which python3.12 does not have" in fault.what
    assert fault.fix == "put libcairo.so.2 for x86_64 into code/lib/, which becomes /var/task/lib"


def test_libraries_that_the_failed_module_loads_next_are_named_too(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere.py", "_dlopen(ffi, 'libGL.so.1')\n")
    tree = tmp_path / BUILD / "App"
    stack = tuple(Frame(file.resolve(), 1) for file in (tree / "magic.py", tmp_path / "elsewhere.py"))
    code = {"magic.py": "_dlopen(ffi, 'libmagic.so.1')\n_dlopen(ffi, 'libexpat.so.1')\n"}

    first, later = faults(tmp_path, failed(stack=stack), code)

    assert "loads libmagic.so.1, " in first.what
    assert (later.where, later.what) == (
        "/var/task/magic.py",
        "line 2 loads libexpat.so.1, which python3.12 does not have",
    )


@pytest.mark.parametrize(("package", "fix"), [("psycopg", "replace psycopg by psycopg[binary] in code"), ("pq", "")])
def test_distribution_that_has_a_wheel_with_its_library_is_replaced(tmp_path: Path, package: str, fix: str) -> None:
    tree = tmp_path / BUILD / "App"
    install(tree, package, "3.0", {f"{package}/__init__.py": ""})
    stack = (Frame((tree / package / "__init__.py").resolve(), 1), Frame((tmp_path / "elsewhere.py").resolve(), 1))

    (fault,) = faults(tmp_path, failed("libpq.so", text="libpq library not found", stack=stack))

    assert "loads libpq.so.5, which" in fault.what
    assert fault.fix == fix or (not fix and fault.fix.startswith("find_library"))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("magic_binary.libs/libexpat-e9b5c9ac.so.1.9", 0),
        ("magic.libs/libexpat-e9b5c9ac.so.1", 0),
        ("stone.libs/libexpat-e9b5c9ac.so.1", 1),
        ("magic.libs/libexpat-extra.so.1", 1),
        ("magic.libs/libexpat2-e9b5c9ac.so.1", 1),
        ("magic/libexpat-e9b5c9ac.so.1", 1),
    ],
)
def test_library_that_a_wheel_brings_is_loaded_by_the_wheel(tmp_path: Path, name: str, count: int) -> None:
    put(tmp_path / BUILD / "App" / name, "")

    assert len(loaded(tmp_path, "ctypes.CDLL('libexpat.so.1')\n")) == count


def test_library_that_a_wheel_of_the_package_brings_is_loaded_by_the_wheel(tmp_path: Path) -> None:
    tree = tmp_path / BUILD / "App"
    put(tree / "magic_binary.libs" / "libexpat-e9b5c9ac.so.1", "")
    foreign = (str((tree / "magic/pq/misc.py").resolve()),)
    imported = ImportResult(Outcome.RESOLVED, foreign=foreign)

    assert faults(tmp_path, imported, {"magic/pq/misc.py": "ctypes.CDLL('libexpat.so.1')\n"}) == []


def test_function_that_was_not_imported_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, None) == []


@pytest.mark.parametrize(
    "code",
    [
        "import ctypes\n\ndef late():\n    ctypes.CDLL('libexpat.so.1')\n",
        "from ctypes.util import find_library\n\ndef late():\n    find_library('expat')\n",
        "import cffi\n\ndef late():\n    _dlopen('libexpat.so.1')\n",
        "from cffi import FFI\n\ndef late():\n    FFI().dlopen('expat')\n",
        "from cffi import FFI\n\ndef late():\n    FFI().dlopen(name='expat')\n",
        "from cffi import FFI\n\ndef late():\n    ffi.dlopen(find_library('expat'))\n",
        "from cffi import FFI\n\ndef late():\n    ffi.dlopen(find_library('expat'), 'nowhere')\n",
    ],
)
def test_library_that_a_module_loads_later_is_a_warning(tmp_path: Path, code: str) -> None:
    (fault,) = loaded(tmp_path, code)

    assert fault.where == "/var/task/magic.py"
    assert fault.what == "line 4 loads libexpat.so.1, which python3.12 does not have"
    assert fault.severity is Severity.WARNING


@pytest.mark.parametrize(
    "code",
    [
        "ctypes.CDLL('libc.so.6')",
        "ctypes.CDLL(None)",
        "ctypes.CDLL(name)",
        "ctypes.CDLL('user32.dll')",
        "find_library('kernel32')",
        "find_library('c')",
        "_dlopen(ffi, 'libexpat.so.1', 'libc.so.6')",
        "ctypes.CDLL('libown.so')",
        "ctypes.CDLL('expat')",
        "ctypes.CDLL('x', mode='libexpat.so.1')",
        "FFI().dlopen('c')",
        "FFI().dlopen('lib/expat')",
        "FFI().dlopen('unlisted')",
        "ffi.dlopen(find_library('expat'), 'libc.so.6')",
        "ffi.dlopen(find_library('c'))",
        "print('libexpat.so.1')",
        "try:\n    ctypes.CDLL('libexpat.so.1')\nexcept OSError:\n    pass",
        "this does not parse: CDLL('libexpat.so.1')",
    ],
)
def test_library_that_is_there_or_optional_is_no_fault(tmp_path: Path, code: str) -> None:
    (tmp_path / BUILD / "App" / "lib").mkdir(parents=True)
    (tmp_path / BUILD / "App" / "lib" / "libown.so").touch()

    assert loaded(tmp_path, f"{code}\n") == []


def test_library_that_was_refused_and_survived_is_optional(tmp_path: Path) -> None:
    assert loaded(tmp_path, "ctypes.CDLL('libexpat.so.1')\n", frozenset({"library:libexpat.so.1"})) == []
    assert loaded(tmp_path, "find_library('expat')\n", frozenset({"library:libexpat.so"})) == []


def test_libraries_of_one_module_make_one_fault_per_reason(tmp_path: Path) -> None:
    code = "_dlopen(ffi, 'gl', 'libGL.so.1')\n\n_dlopen(ffi, 'libmagic.so.1')\n_dlopen(ffi, 'libX11.so.6')\n"

    found_faults = loaded(tmp_path, code)

    assert found_faults[0].libraries == {("code", "libGL.so.1"), ("code", "libX11.so.6")}
    absent, in_container = [fault.what for fault in found_faults]
    assert absent == "line 1 loads libGL.so.1, libX11.so.6, which python3.12 does not have"
    assert in_container.startswith("line 3 loads libmagic.so.1, which is known in the container image of python3.12, ")


def test_calls_of_one_line_are_judged_one_by_one(tmp_path: Path) -> None:
    (fault,) = loaded(tmp_path, "x = ffi.dlopen('c'), ffi.dlopen(find_library('expat')), ffi.dlopen('libGL.so.1')\n")

    assert fault.libraries == {("code", "libexpat.so.1"), ("code", "libGL.so.1")}


def test_fault_that_functions_share_has_the_library_of_each(tmp_path: Path) -> None:
    names = {"App": "one", "Other": "two"}
    resources = {name: subjects.function(CodeUri=folder) for name, folder in names.items()}
    subject = subjects.write(tmp_path, resources, {name: {"app.py": ""} for name in names})
    evidence = tuple(Evidence(mount, ProofMethod.IMPORTED, imported=failed(), scan=Scan()) for mount in subject.mounts)

    (fault,) = for_each_function(_shown_at_one_place)(replace(subject, evidence=evidence))

    assert fault.libraries == {("one", "libmagic.so.1"), ("two", "libmagic.so.1")}


def _shown_at_one_place(case: Case) -> list[FunctionFault]:
    return [replace(fault, where="layer.py:3") for fault in library_loads.check_loads(case)]
