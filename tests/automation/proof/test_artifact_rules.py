"""The rules about artifacts: what they must accept, and cases that tests/faults does not plant."""

import importlib.util
import py_compile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automation.proof import artifact_rules
from automation.proof.imports import Frame, ImportResult, Outcome
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD, one_layer, two_layers
from tests.faults.bakery import ARM64, X86_64, elf, install, put

MODULE = "stone/_mill.cpython-312-x86_64-linux-gnu.so"


def faults(rule: str, subject: Subject) -> list[Fault]:
    return subjects.faults(artifact_rules.RULES, rule, subject)


def wheel(name: str = "stone", version: str = "1.0", extension: str = "", tag: str = "") -> Callable[[Path], None]:
    return lambda site: install(site, name, version, {f"{name}/__init__.py": version}, extension, tag=tag)


def files(contents: dict[str, bytes]) -> Callable[[Path], None]:
    def write(site: Path) -> None:
        for name, content in contents.items():
            put(site / name, content)

    return write


@pytest.mark.parametrize(
    "contents",
    [
        {MODULE: elf(X86_64), "stone/_mill.cpython-312-aarch64-linux-gnu.so": elf(ARM64)},
        {MODULE: elf(X86_64), "stone/attach_linux_arm64.dylib": bytes.fromhex("cffaedfe")},
        {MODULE: elf(X86_64), "stone.libs/libz.so.1": elf(ARM64)},
        {"stone/module.so.txt": b"", "stone/libm.so": b"/* GNU ld script */"},
    ],
    ids=["both machines", "another system's library", "another machine's library", "no compiled file"],
)
def test_wrong_machine_accepts_files_for_several_machines(tmp_path: Path, contents: dict[str, bytes]) -> None:
    assert faults("wrong-machine", one_layer(tmp_path, files(contents))) == []


def test_wrong_machine_accepts_windows_tools_in_a_pure_wheel(tmp_path: Path) -> None:
    def fill(site: Path) -> None:
        install(site, "stone", "1.0", {"stone/__init__.py": ""})
        put(site / "stone" / "launcher.dll", b"MZ")

    assert faults("wrong-machine", one_layer(tmp_path, fill)) == []


def test_wrong_machine_is_one_fault_per_distribution(tmp_path: Path) -> None:
    names = [f"stone/_mill{number}.cpython-312-aarch64-linux-gnu.so" for number in range(5)]

    found_faults = faults("wrong-machine", one_layer(tmp_path, files(dict.fromkeys(names, elf(ARM64)))))

    assert len(found_faults) == 1
    assert found_faults[0].what.startswith("built for arm64, not for x86_64 on Linux: python/stone/_mill0.")
    assert found_faults[0].what.endswith(" and 2 more")
    assert "stone._mill4" in found_faults[0].explains


@pytest.mark.parametrize(
    ("extension", "tag"),
    [
        ("stone/_mill.abi3.so", "cp39-abi3-manylinux_2_17_x86_64"),
        ("stone/_mill.abi3.so", "cp312-abi3-manylinux_2_17_x86_64"),
        ("stone/_mill.so", "py3-none-manylinux2014_x86_64"),
        ("", "py2.py3-none-any"),
        ("", "py38-none-any"),
    ],
)
def test_wrong_python_accepts_wheels_for_any_later_python(tmp_path: Path, extension: str, tag: str) -> None:
    assert faults("wrong-python", one_layer(tmp_path, wheel(extension=extension, tag=tag))) == []


def test_wrong_python_accepts_a_module_built_for_ours_too(tmp_path: Path) -> None:
    other = "stone/_mill.cpython-311-x86_64-linux-gnu.so"

    assert faults("wrong-python", one_layer(tmp_path, files({MODULE: elf(X86_64), other: elf(X86_64)}))) == []


def test_wrong_python_newer_stable_abi_is_an_error(tmp_path: Path) -> None:
    fill = wheel(extension="stone/_mill.abi3.so", tag="cp313-abi3-manylinux_2_17_x86_64")

    assert [fault.severity for fault in faults("wrong-python", one_layer(tmp_path, fill))] == [Severity.ERROR]


def test_wrong_python_tag_contradicted_by_files_is_a_warning(tmp_path: Path) -> None:
    fill = wheel(extension=MODULE, tag="cp311-cp311-manylinux_2_17_x86_64")

    assert [fault.severity for fault in faults("wrong-python", one_layer(tmp_path, fill))] == [Severity.WARNING]


@pytest.mark.parametrize(
    ("runtime", "tag", "count"),
    [
        ("python3.12", "cp312-cp312-manylinux_2_17_x86_64.manylinux_2_39_x86_64", 0),
        ("python3.12", "cp312-cp312-manylinux_2_34_x86_64", 0),
        ("python3.12", "cp312-cp312-manylinux2014_x86_64", 0),
        ("python3.11", "cp311-cp311-manylinux_2_28_x86_64", 1),
        ("python3.11", "cp311-cp311-manylinux_2_26_x86_64", 0),
    ],
)
def test_wrong_libc_compares_with_the_runtimes_glibc(tmp_path: Path, runtime: str, tag: str, count: int) -> None:
    extension = f"stone/_mill.cpython-{runtime[6:].replace('.', '')}-x86_64-linux-gnu.so"

    found_faults = faults("wrong-libc", one_layer(tmp_path, wheel(extension=extension, tag=tag), runtime=runtime))

    assert len(found_faults) == count


def test_missing_extension_accepts_a_missing_test_module(tmp_path: Path) -> None:
    def fill(site: Path) -> None:
        install(site, "stone", "1.0", {"stone/__init__.py": ""}, "stone/tests/_checks.so")
        (site / "stone/tests/_checks.so").unlink()

    assert faults("missing-extension", one_layer(tmp_path, fill)) == []


def test_missing_extension_names_the_module(tmp_path: Path) -> None:
    def fill(site: Path) -> None:
        install(site, "stone", "1.0", {"stone/__init__.py": ""}, MODULE)
        (site / MODULE).unlink()

    found_faults = faults("missing-extension", one_layer(tmp_path, fill))

    assert [(fault.what.split(",")[0], "stone._mill" in fault.explains) for fault in found_faults] == [
        (f"stone 1.0 lacks {MODULE}", True)
    ]


def test_layer_conflict_accepts_equal_and_unread_files(tmp_path: Path) -> None:
    def fill(text: bytes) -> Callable[[Path], None]:
        return files({"same.py": b"", "requirements.txt": text, "__pycache__/same.pyc": text, "LICENSE.txt": text})

    assert faults("layer-conflict", two_layers(tmp_path, fill(b"1"), fill(b"2"))) == []


def test_layer_conflict_two_versions_are_one_fault(tmp_path: Path) -> None:
    found_faults = faults("layer-conflict", two_layers(tmp_path, wheel(version="1.0"), wheel(version="2.0")))

    assert [(str(fault.severity), fault.what, fault.explains) for fault in found_faults] == [
        (
            "warning",
            "stone 2.0 of Second is mounted over stone 1.0 of First: the function runs a mixture of both",
            (),
        )
    ]


def failing(subject: Subject, **fields: Any) -> Subject:
    kinds = ("ImportError", "Exception")
    return subjects.importing(subject, failed=ImportResult(Outcome.FAILED, kinds=kinds, **fields))


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"name": "stone"}, "error"),
        ({"text": "module 'stone' has no attribute 'cut'"}, "error"),
        ({"name": "sand"}, "warning"),
    ],
)
def test_layer_conflict_is_an_error_when_an_import_fails_in_it(
    tmp_path: Path, fields: dict[str, Any], severity: str
) -> None:
    subject = two_layers(tmp_path, wheel(version="1.0"), wheel(version="2.0"))

    found_faults = faults("layer-conflict", failing(subject, **fields))

    assert [(str(fault.severity), "stone" in fault.explains) for fault in found_faults] == [
        (severity, severity == "error")
    ]


@pytest.mark.parametrize("layer", ["First", "Second"])
def test_layer_conflict_is_an_error_when_one_of_its_files_fails(tmp_path: Path, layer: str) -> None:
    subject = two_layers(tmp_path, wheel(version="1.0"), wheel(version="2.0"))
    inside = tmp_path.resolve() / BUILD / layer / "python" / "stone" / "__init__.py"

    assert [str(fault.severity) for fault in faults("layer-conflict", failing(subject, stack=(Frame(inside, 1),)))] == [
        "error"
    ]
    beside = inside.parents[1] / "pebble.py"
    assert [str(fault.severity) for fault in faults("layer-conflict", failing(subject, stack=(Frame(beside, 1),)))] == [
        "warning"
    ]


def test_layer_conflict_of_files_is_an_error_when_their_module_fails(tmp_path: Path) -> None:
    subject = two_layers(tmp_path, files({"same.py": b"1"}), files({"same.py": b"2"}))

    assert [(str(fault.severity), fault.explains) for fault in faults("layer-conflict", subject)] == [("warning", ())]
    assert [
        (str(fault.severity), fault.explains) for fault in faults("layer-conflict", failing(subject, name="same"))
    ] == [("error", ("same",))]


@pytest.mark.parametrize(
    ("requirement", "broken"),
    [
        ("stone<2", "pebble 3.0 of First requires stone<2"),
        ("Stone==1.0", "pebble 3.0 of First requires Stone==1.0"),
        ("stone", ""),
        ("stone>2", ""),
        ("sand<2", ""),
        ('stone<2; python_version < "3.12"', ""),
    ],
)
def test_layer_conflict_is_an_error_when_a_requirement_breaks(tmp_path: Path, requirement: str, broken: str) -> None:
    def fill(site: Path) -> None:
        wheel(version="1.0")(site)
        install(site, "pebble", "3.0", {"pebble.py": ""})
        path = site / "pebble-3.0.dist-info" / "METADATA"
        path.write_text(f"{path.read_text()}Requires-Dist: {requirement}\n")

    subject = two_layers(tmp_path, fill, wheel(version="2.0"))

    assert severities_and_ends(subjects.importing(subject, "pebble")) == [("error" if broken else "warning", broken)]
    assert severities_and_ends(subjects.importing(subject, "sand")) == [("warning", "")]


def severities_and_ends(subject: Subject) -> list[tuple[str, str]]:
    found_faults = faults("layer-conflict", subject)
    return [(str(fault.severity), fault.what.partition(", and ")[2]) for fault in found_faults]


def test_layer_conflict_requirement_of_a_replaced_version_does_not_count(tmp_path: Path) -> None:
    def fill(site: Path) -> None:
        wheel(version="1.0")(site)
        install(site, "pebble", "3.0", {"pebble.py": ""})
        path = site / "pebble-3.0.dist-info" / "METADATA"
        path.write_text(f"{path.read_text()}Requires-Dist: stone<2\n")

    def replace(site: Path) -> None:
        wheel(version="2.0")(site)
        install(site, "pebble", "4.0", {"pebble.py": ""})

    subject = subjects.importing(two_layers(tmp_path, fill, replace), "pebble")

    assert severities_and_ends(subject) == [("warning", ""), ("warning", "")]


def test_layer_conflict_two_builds_of_one_version_are_a_fault(tmp_path: Path) -> None:
    subject = two_layers(tmp_path, wheel(), wheel())
    put(tmp_path / BUILD / "Second/python/stone/__init__.py", "another")

    assert len(faults("layer-conflict", subjects.gather(subject.project.root))) == 1


def test_layer_order_accepts_our_module_over_a_dependencys(tmp_path: Path) -> None:
    ours = files({"stone/__init__.py": b"ours"})

    assert faults("layer-order", two_layers(tmp_path, wheel(), ours)) == []
    assert len(faults("layer-order", two_layers(tmp_path / "other", ours, wheel()))) == 1


def test_double_nesting_of_a_function_names_the_right_code_uri(tmp_path: Path) -> None:
    put(tmp_path / "code" / "src" / "app.py", "")
    subject = subjects.write(tmp_path, {"App": subjects.function()}, {"App": {"src/app.py": "", "README.md": ""}})

    found_faults = faults("double-nesting", subject)

    assert [(fault.fix, fault.explains) for fault in found_faults] == [("change it to CodeUri: code/src/", ("app",))]


def test_double_nesting_accepts_a_package_called_python(tmp_path: Path) -> None:
    assert faults("double-nesting", one_layer(tmp_path, files({"python/__init__.py": b""}))) == []


def test_stale_bytecode_accepts_another_python_and_fresh_files(tmp_path: Path) -> None:
    def fill(site: Path) -> None:
        put(site / "stone.py", "x = 1\n")
        py_compile.compile(str(site / "stone.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        put(site / "__pycache__" / "gone.cpython-39.pyc", b"\x61\x0d\x0d\x0a" + bytes(12))

    assert importlib.util.MAGIC_NUMBER != b"\x61\x0d\x0d\x0a"
    assert faults("stale-bytecode", one_layer(tmp_path, fill)) == []


def test_symlink_outside_accepts_a_link_inside_the_tree(tmp_path: Path) -> None:
    def fill(site: Path) -> None:
        put(site / "stone.py", "")
        (site / "pebble.py").symlink_to("stone.py")

    assert faults("symlink-outside", one_layer(tmp_path, fill)) == []
