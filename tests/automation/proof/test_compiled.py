"""The symbols that compiled files import are compared with the newest that the runtime's libraries define."""

from pathlib import Path
from typing import Any

import pytest

from automation.proof import compiled
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import one_layer
from tests.automation.proof.test_artifact_rules import MODULE, files
from tests.faults.bakery import ARM64, X86_64, elf, install, put
from tests.faults.elves import shared_object


def faults(rule: str, subject: Subject) -> list[Fault]:
    return subjects.faults(compiled.RULES, rule, subject)


@pytest.mark.parametrize(
    ("version", "what", "severity"),
    [
        ("GLIBC_2.35", "needs glibc 2.35; python3.12 has glibc 2.34", Severity.ERROR),
        ("GLIBCXX_3.4.34", "needs GLIBCXX_3.4.34; python3.12 has GLIBCXX_3.4.33", Severity.WARNING),
        ("CXXABI_1.3.16", "needs CXXABI_1.3.16; python3.12 has CXXABI_1.3.15", Severity.WARNING),
    ],
)
def test_wrong_libc_symbols_are_compared_whatever_the_tags_promise(
    tmp_path: Path, version: str, what: str, severity: Severity
) -> None:
    def fill(site: Path) -> None:
        install(site, "stone", "1.0", {}, MODULE, tag="cp312-cp312-manylinux_2_17_x86_64")
        put(site / MODULE, shared_object(versions={"libx.so.6": [version]}))

    (fault,) = faults("wrong-libc", one_layer(tmp_path, fill))

    assert fault.what == f"stone 1.0: python/{MODULE} {what}"
    assert fault.severity is severity


@pytest.mark.parametrize("version", ["GLIBC_2.34", "GLIBCXX_3.4.33", "CXXABI_1.3.15"])
def test_wrong_libc_newest_symbols_of_the_runtime_are_accepted(tmp_path: Path, version: str) -> None:
    content = shared_object(versions={"libx.so.6": [version]})

    assert faults("wrong-libc", one_layer(tmp_path, files({MODULE: content}))) == []


def test_wrong_libc_on_a_frozen_system_is_an_error(tmp_path: Path) -> None:
    module = MODULE.replace("312", "311")
    content = shared_object(versions={"libstdc++.so.6": ["GLIBCXX_3.4.25"]})

    (fault,) = faults("wrong-libc", one_layer(tmp_path, files({module: content}), runtime="python3.11"))

    assert fault.severity is Severity.ERROR


def test_wrong_libc_own_cpp_library_is_not_compared(tmp_path: Path) -> None:
    content = shared_object(versions={"libstdc++.so.6": ["GLIBCXX_3.4.99"]})

    fill = files({MODULE: content, "stone.libs/libstdc++.so.6": shared_object()})

    assert faults("wrong-libc", one_layer(tmp_path, fill)) == []


def test_wrong_libc_file_linked_to_musl_is_an_error(tmp_path: Path) -> None:
    fill = files({MODULE: shared_object(["libc.musl-x86_64.so.1"])})

    assert [fault.what for fault in faults("wrong-libc", one_layer(tmp_path, fill))] == [
        f"python/{MODULE} is linked to musl; python3.12 has glibc 2.34"
    ]


def test_wrong_libc_own_file_is_replaced(tmp_path: Path) -> None:
    fill = files({"lib/libx.so.1": shared_object(versions={"libc.so.6": ["GLIBC_2.36"]})})

    (fault,) = faults("wrong-libc", one_layer(tmp_path, fill))

    assert fault.fix == "replace it by one that was built on Amazon Linux 2023"


FOREIGN = ("cpython-39-darwin.so", "cpython-39-x86_64-linux-gnu.so", "cpython-312-x86_64-linux-musl.so")


@pytest.mark.parametrize("ending", FOREIGN)
@pytest.mark.parametrize("rule", ["wrong-machine", "wrong-python", "wrong-libc"])
def test_module_that_python_ignores_is_no_fault_with_its_source_beside_it(
    tmp_path: Path, ending: str, rule: str
) -> None:
    head = bytes.fromhex("cffaedfe") if "darwin" in ending else shared_object()
    contents = {f"stone/md.{ending}": head, f"stone/md__mypyc.{ending}": head, "stone/md.py": b""}

    assert faults(rule, one_layer(tmp_path, files(contents))) == []


def test_module_of_another_system_without_a_source_is_an_error(tmp_path: Path) -> None:
    contents = {"stone/md.cpython-39-darwin.so": bytes.fromhex("cffaedfe")}

    assert [fault.severity for fault in faults("wrong-machine", one_layer(tmp_path, files(contents)))] == [
        Severity.ERROR
    ]


def test_module_for_this_python_goes_before_its_source(tmp_path: Path) -> None:
    contents = {MODULE: bytes.fromhex("cffaedfe"), "stone/_mill.py": b""}

    assert len(faults("wrong-machine", one_layer(tmp_path, files(contents)))) == 1


def built_layer(root: Path, architectures: list[str], **properties: object) -> list[Fault]:
    """Return the faults of a layer that we build, with a module for arm64, mounted by a function per architecture."""
    resources = {
        f"App{name.title()}": subjects.function(Layers=[{"Ref": "Libs"}], Architectures=[name])
        for name in architectures
    }
    layer = subjects.layer(**properties) | {"Metadata": {"BuildMethod": "python3.12"}}
    trees = {"Libs": {f"python/{MODULE.replace('.cpython-312-x86_64-linux-gnu', '')}": elf(ARM64)}}
    return faults("wrong-machine", subjects.write(root, {**resources, "Libs": layer}, trees))


def test_wrong_machine_in_a_layer_for_both_architectures_is_for_the_functions(tmp_path: Path) -> None:
    (fault,) = built_layer(tmp_path, ["x86_64", "arm64"])

    assert fault.fix == "set the same Architectures for all functions that mount Libs: it is built for only one"


@pytest.mark.parametrize(
    ("declared", "fix"),
    [
        (["arm64", "x86_64"], "put x86_64 first in CompatibleArchitectures of Libs, and run inv build"),
        ([], "run inv build --force"),
        (["x86_64", "arm64"], "run inv build --force"),
    ],
)
def test_wrong_machine_in_a_layer_is_built_for_what_it_declares_first(
    tmp_path: Path, declared: list[str], fix: str
) -> None:
    (fault,) = built_layer(tmp_path, ["x86_64"], CompatibleArchitectures=declared)

    assert fault.fix == fix


def test_wrong_machine_in_a_layer_that_declares_another_is_left_to_runtime_mismatch(tmp_path: Path) -> None:
    assert built_layer(tmp_path, ["x86_64"], CompatibleArchitectures=["arm64"]) == []


def test_wrong_machine_of_functions_with_the_same_files_is_one_fault(tmp_path: Path) -> None:
    names = ("A", "B", "C", "D", "E")
    trees = {name: {"stone/_mill.so": elf(ARM64)} for name in names}

    (fault,) = faults("wrong-machine", subjects.write(tmp_path, dict.fromkeys(names, subjects.function()), trees))

    assert fault.where == "template.yaml: A, B, C and 2 more"
    assert fault.explains == ("stone", "stone._mill")


ARM_MODULE = MODULE.replace("x86_64", "aarch64")
COMMAND = "run uv pip install --only-binary :all:"


def vendored(root: Path, module: str, *, tag: str = "", machine: int = X86_64, **properties: object) -> Subject:
    """Return a function whose sources have a distribution; the build has copied it."""
    for folder in (root / "code", root / subjects.BUILD / "App"):
        install(folder, "stone", "1.0", {}, module, tag=tag, machine=machine)
    return subjects.write(root, {"App": subjects.function(**properties)})


@pytest.mark.parametrize(
    ("rule", "module", "changes", "options"),
    [
        ("wrong-machine", ARM_MODULE, {"machine": ARM64}, "--python-version 3.12 --python-platform x86_64-"),
        ("wrong-python", MODULE.replace("312", "311"), {}, "--python-version 3.12 --python-platform x86_64-"),
        ("wrong-python", "stone/_mill.so", {"tag": "cp311-cp311-manylinux_2_17_x86_64"}, "--python-version 3.12 --"),
        ("wrong-libc", MODULE, {"tag": "cp312-cp312-musllinux_1_1_x86_64"}, "--python-version 3.12 --python-platform"),
        (
            "wrong-machine",
            MODULE,
            {"Architectures": ["arm64"]},
            "--python-version 3.12 --python-platform aarch64-manylinux_2_34 --target code --reinstall --no-deps stone",
        ),
    ],
)
def test_fix_of_files_that_the_sources_have_is_a_command(
    tmp_path: Path, rule: str, module: str, changes: dict[str, Any], options: str
) -> None:
    fixes = [fault.fix for fault in faults(rule, vendored(tmp_path, module, **changes))]

    assert [fix.startswith(f"{COMMAND} {options}") for fix in fixes] == [True]


def test_missing_extension_of_the_sources_is_installed_again(tmp_path: Path) -> None:
    subject = vendored(tmp_path, MODULE)
    (tmp_path / subjects.BUILD / "App" / MODULE).unlink()

    assert [fault.fix for fault in faults("missing-extension", subject)] == ["run inv build --force"]
    (tmp_path / "code" / MODULE).unlink()
    (fault,) = faults("missing-extension", subjects.gather(tmp_path))
    options = "--python-version 3.12 --python-platform x86_64-manylinux_2_34 --target code"
    assert fault.fix == f"{COMMAND} {options} --reinstall --no-deps stone==1.0, then inv build"
