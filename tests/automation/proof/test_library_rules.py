"""What compiled files need is compared with the trees, the layers and the runtime's list, whatever this machine has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automation.proof import library_rules
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import ARM64, install, put
from tests.faults.elves import shared_object

MODULE = "stone/_mill.cpython-312-x86_64-linux-gnu.so"
APP: Mapping[str, str | bytes] = {"app.py": "import stone\n"}


def faults(subject: Subject) -> list[Fault]:
    return subjects.faults(library_rules.RULES, "missing-library", subject)


def one_function(root: Path, contents: Mapping[str, str | bytes], **properties: Any) -> Subject:
    """Write a function whose tree has these files."""
    return subjects.write(root, {"App": subjects.function(**properties)}, {"App": contents})


def with_layer(root: Path, layer: Mapping[str, str | bytes], **properties: Any) -> Subject:
    resources = {"App": subjects.function(Layers=[{"Ref": "Libs"}], **properties), "Libs": subjects.layer()}
    return subjects.write(root, resources, {"App": APP, "Libs": layer})


def distribution(root: Path, content: bytes, extension: str = MODULE, name: str = "stone") -> None:
    """Install a distribution with one compiled file into the tree of App."""
    site = root / BUILD / "App"
    install(site, name, "1.0", {f"{name.replace('-', '_')}/__init__.py": ""}, extension)
    put(site / extension, content)


def plant(root: Path, needed: str = "libexpat.so.1", **options: Any) -> Fault:
    """Return the only fault of a function with a distribution whose module needs a library."""
    distribution(root, shared_object([needed]), **options)
    (fault,) = faults(one_function(root, APP))
    return fault


def test_library_that_the_runtime_lacks_is_an_error(tmp_path: Path) -> None:
    fault = plant(tmp_path)

    assert fault.where == "template.yaml: App"
    assert fault.what == f"stone 1.0: needs libexpat.so.1, which python3.12 does not have: {MODULE}"
    assert fault.fix == (
        "put libexpat.so.1 for x86_64 into code/lib/, which becomes /var/task/lib, where the loader looks"
    )
    assert fault.severity is Severity.ERROR
    assert "stone._mill" in fault.explains
    assert fault.libraries == {("code", "libexpat.so.1")}


@pytest.mark.parametrize(
    ("library", "why"),
    [
        ("libmagic.so.1", "which is known in the container image of python3.12, but not in a function from a zip"),
        ("libbran.so.7", "which is in no list of the libraries of python3.12"),
    ],
)
def test_library_of_which_no_list_is_sure_is_a_warning(tmp_path: Path, library: str, why: str) -> None:
    fault = plant(tmp_path, library)

    assert fault.what == f"stone 1.0: needs {library}, {why}: {MODULE}"
    assert fault.severity is Severity.WARNING


@pytest.mark.parametrize("library", ["libc.so.6", "libz.so.1", "libc.musl-x86_64.so.1"])
def test_library_of_the_runtime_or_of_another_rule_is_no_fault(tmp_path: Path, library: str) -> None:
    distribution(tmp_path, shared_object([library]))

    assert faults(one_function(tmp_path, APP)) == []


def test_library_is_judged_by_the_runtime(tmp_path: Path) -> None:
    distribution(tmp_path, shared_object(["libffi.so.6"]), MODULE.replace("312", "311"))

    assert faults(one_function(tmp_path, APP, Runtime="python3.11")) == []


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"runpath": "$ORIGIN/../stone.libs"}, "stone.libs"),
        ({"rpath": "${ORIGIN}"}, "stone"),
        ({}, "lib"),
        ({}, "."),
        ({}, "another/folder"),
    ],
    ids=["RUNPATH", "RPATH", "/var/task/lib", "/var/task", "loaded by the distribution itself"],
)
def test_library_that_a_distribution_brings_is_no_fault(tmp_path: Path, options: dict[str, Any], place: str) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"], **options))
    put(tmp_path / BUILD / "App" / "stone-1.0.dist-info" / "RECORD", f"{MODULE},,\n{place}/libexpat.so.1,,\n")

    assert faults(one_function(tmp_path, {**APP, f"{place}/libexpat.so.1": shared_object()})) == []


@pytest.mark.parametrize(
    "options",
    [{"runpath": "$ORIGIN/../vendor"}, {"rpath": "/usr/lib:${ORIGIN}/../vendor"}, {"runpath": "/var/task/vendor"}],
)
def test_own_library_on_the_path_of_the_file_is_no_fault(tmp_path: Path, options: dict[str, Any]) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"], **options))

    assert faults(one_function(tmp_path, {**APP, "vendor/libexpat.so.1": shared_object()})) == []


@pytest.mark.parametrize(("place", "count"), [("lib", 0), (".", 0), ("vendor", 1)])
def test_own_library_must_be_where_the_loader_looks(tmp_path: Path, place: str, count: int) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"]))

    all_faults = faults(one_function(tmp_path, {**APP, f"{place}/libexpat.so.1": shared_object()}))

    assert [fault.severity for fault in all_faults] == [Severity.WARNING] * count
    assert all(
        "at /var/task/vendor/libexpat.so.1, where the loader does not look" in fault.what for fault in all_faults
    )


@pytest.mark.parametrize(("place", "count"), [("lib", 0), ("python", 1), ("python/lib", 1)])
def test_library_of_a_layer_must_be_in_its_lib_folder(tmp_path: Path, place: str, count: int) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"]))

    assert len(faults(with_layer(tmp_path, {f"{place}/libexpat.so.1": shared_object()}))) == count


def test_library_on_the_functions_own_path_is_no_fault(tmp_path: Path) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"]))
    environment = {"Variables": {"LD_LIBRARY_PATH": "/opt/lib:/var/task/vendor/"}}
    contents = {**APP, "vendor/libexpat.so.1": shared_object()}

    assert faults(one_function(tmp_path, contents, Environment=environment)) == []


def test_soname_of_a_distribution_satisfies_a_need(tmp_path: Path) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"]))
    put(tmp_path / BUILD / "App" / "stone-1.0.dist-info" / "RECORD", f"{MODULE},,\nstone/libe.so,,\n")

    assert faults(one_function(tmp_path, {**APP, "stone/libe.so": shared_object(soname="libexpat.so.1")})) == []


def test_need_of_a_library_that_a_module_loads_is_an_error(tmp_path: Path) -> None:
    distribution(tmp_path, shared_object(["libgdal.so"], runpath="$ORIGIN"))
    contents = {**APP, "stone/libgdal.so": shared_object(["libexpat.so.1"])}

    (fault,) = faults(one_function(tmp_path, contents))

    assert (fault.severity, fault.what.endswith("stone/libgdal.so")) == (Severity.ERROR, True)


@pytest.mark.parametrize(
    ("extension", "app"),
    [
        ("stone/libplugin.so", "import stone\n"),
        (MODULE, "import other\n"),
        ("stone/_mill.cpython-311-x86_64-linux-gnu.so", "import stone\n"),
    ],
    ids=["a plugin", "never imported", "for another Python"],
)
def test_need_of_a_file_that_may_never_be_loaded_is_a_warning(tmp_path: Path, extension: str, app: str) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"]), extension)

    (fault,) = faults(one_function(tmp_path, {"app.py": app}))

    assert fault.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("requirement", "severity"),
    [("stone>=1", Severity.ERROR), ('stone; extra == "all"', Severity.WARNING), ("not a name!", Severity.WARNING)],
)
def test_need_of_a_distribution_that_an_imported_one_requires(
    tmp_path: Path, requirement: str, severity: Severity
) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"]))
    install(tmp_path / BUILD / "App", "quarry", "2.0", {"quarry.py": ""})
    metadata = f"Metadata-Version: 2.1\nName: quarry\nVersion: 2.0\nRequires-Dist: {requirement}\n"
    put(tmp_path / BUILD / "App" / "quarry-2.0.dist-info" / "METADATA", metadata)

    (fault,) = faults(one_function(tmp_path, {"app.py": "from quarry import x\n"}))

    assert fault.severity is severity


def test_need_in_a_function_with_an_unknown_layer_is_a_warning(tmp_path: Path) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"]))
    layers = ["arn:aws:lambda:eu-central-1:123456789012:layer:libs:1"]

    (fault,) = faults(one_function(tmp_path, APP, Layers=layers))

    assert fault.severity is Severity.WARNING


def test_file_for_another_machine_is_left_to_its_rule(tmp_path: Path) -> None:
    distribution(tmp_path, shared_object(["libexpat.so.1"], machine=ARM64))

    assert faults(one_function(tmp_path, APP)) == []


def test_program_that_needs_a_library_is_a_warning(tmp_path: Path) -> None:
    subject = one_function(tmp_path, {**APP, "bin/convert": shared_object(["libexpat.so.1"])})
    assert faults(subject) == []
    (tmp_path / BUILD / "App" / "bin/convert").chmod(0o755)

    (fault,) = faults(subjects.gather(tmp_path))

    assert fault.what == "needs libexpat.so.1, which python3.12 does not have: bin/convert"
    assert fault.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("name", "alternative"),
    [
        ("opencv-python", "opencv-python-headless"),
        ("opencv-contrib-python", "opencv-contrib-python-headless"),
        ("psycopg", "psycopg[binary]"),
        ("psycopg2", "psycopg2-binary"),
    ],
)
def test_known_distribution_is_replaced_by_its_alternative(tmp_path: Path, name: str, alternative: str) -> None:
    fault = plant(tmp_path, "libGL.so.1", extension=f"{name.replace('-', '_')}/_cv.abi3.so", name=name)

    assert fault.fix == f"replace {name} by {alternative} in code"


def test_libraries_of_one_distribution_make_one_fault(tmp_path: Path) -> None:
    distribution(tmp_path, shared_object(["libxcb.so.1", "libGL.so.1"]))

    (fault,) = faults(one_function(tmp_path, APP))

    assert fault.what == f"stone 1.0: needs libGL.so.1, libxcb.so.1, which python3.12 does not have: {MODULE}"
    assert fault.fix.startswith("put libGL.so.1, libxcb.so.1 for x86_64 into")


def test_fix_lists_at_most_nine_libraries(tmp_path: Path) -> None:
    names = [f"libbran{number}.so.1" for number in range(10)]
    distribution(tmp_path, shared_object(names))

    (fault,) = faults(one_function(tmp_path, APP))

    assert fault.what.startswith("stone 1.0: needs libbran0.so.1, libbran1.so.1, libbran2.so.1 and 7 more, which is in")
    assert fault.fix.startswith(f"put {', '.join(names[:9])} and 1 more for x86_64 into")
