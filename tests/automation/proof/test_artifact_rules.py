"""The rules about artifacts: what they must accept, and cases that tests/faults does not plant."""

import importlib.util
import py_compile
from collections.abc import Callable
from pathlib import Path

import pytest

from automation.proof import artifact_rules
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import ARM64, X86_64, elf, install, put

MODULE = "stone/_mill.cpython-312-x86_64-linux-gnu.so"


def faults(rule: str, subject: Subject) -> list[Fault]:
    return subjects.faults(artifact_rules.RULES, rule, subject)


def one_layer(root: Path, fill: Callable[[Path], None], *, runtime: str = "python3.12") -> Subject:
    """Write a function and a layer; `fill` writes files into the layer's python/."""
    resources = {"App": subjects.function(Layers=[{"Ref": "Libs"}], Runtime=runtime), "Libs": subjects.layer()}
    fill(root / BUILD / "Libs" / "python")
    return subjects.write(root, resources, {"App": {"app.py": ""}, "Libs": {"python/known.py": ""}})


def two_layers(root: Path, first: Callable[[Path], None], second: Callable[[Path], None]) -> Subject:
    layers = [{"Ref": "First"}, {"Ref": "Second"}]
    resources = {"App": subjects.function(Layers=layers), "First": subjects.layer(), "Second": subjects.layer()}
    first(root / BUILD / "First" / "python")
    second(root / BUILD / "Second" / "python")
    return subjects.write(root, resources, {"First": {"python/one.py": ""}, "Second": {"python/two.py": ""}})


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

    assert len(found_faults) == 1
    assert "stone 2.0 of Second is mounted over stone 1.0 of First" in found_faults[0].what


def test_layer_conflict_two_builds_of_one_version_are_a_fault(tmp_path: Path) -> None:
    subject = two_layers(tmp_path, wheel(), wheel())
    put(tmp_path / BUILD / "Second/python/stone/__init__.py", "another")

    assert len(faults("layer-conflict", subjects.gather(subject.project.root))) == 1


def test_layer_order_accepts_our_module_over_a_dependencys(tmp_path: Path) -> None:
    ours = files({"stone/__init__.py": b"ours"})

    assert faults("layer-order", two_layers(tmp_path, wheel(), ours)) == []
    assert len(faults("layer-order", two_layers(tmp_path / "other", ours, wheel()))) == 1


def requiring(site: Path, name: str, version: str, *requirements: str) -> None:
    install(site, name, version, {f"{name}/__init__.py": ""})
    path = site / f"{name}-{version}.dist-info" / "METADATA"
    path.write_text(path.read_text() + "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements))


CORE = ("boto3", "botocore", "s3transfer")
Parts = dict[str, tuple[str, list[str]]]


def shipping(parts: Parts) -> Callable[[Path], None]:
    def fill(site: Path) -> None:
        for name, (version, requirements) in parts.items():
            requiring(site, name, version, *requirements)

    return fill


@pytest.mark.parametrize(
    ("runtime", "shipped", "severities"),
    [
        ("python3.12", {"powertools": ("3.0", ["jmespath>=1"]), "jmespath": ("1.1.0", [])}, []),
        ("python3.12", {"six": ("1.17.0", [])}, []),
        ("python3.12", {"urllib3": ("2.5.0", [])}, []),
        ("python3.10", {"urllib3": ("2.5.0", [])}, []),
        ("python3.12", {"urllib3": ("1.26.20", [])}, []),
        ("python3.12", {"jmespath": ("2.0.0", [])}, ["error"]),
        ("python3.12", {"urllib3": ("2.2.0", [])}, ["error"]),
        ("python3.12", {"python_dateutil": ("4.0.0", [])}, ["warning"]),
        ("python3.12", {"python_dateutil": ("2.0", [])}, ["error"]),
        ("python3.12", {"urllib3": ("3.0.0", [])}, ["error"]),
        ("python3.9", {"urllib3": ("2.5.0", [])}, ["error"]),
        ("python3.15", {"urllib3": ("3.0.0", [])}, ["error"]),
        ("python3.12", {"botocore": ("1.44.8", [])}, ["warning"]),
        ("python3.12", {"botocore": ("1.40.4", [])}, []),
        ("python3.12", {"botocore": ("1.40.3", [])}, ["error"]),
        ("python3.13", {"botocore": ("1.38.36", [])}, []),
        ("python3.13", {"botocore": ("1.38.35", [])}, ["error"]),
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore<2.0a.0,>=1.37.4"])}, []),
        ("python3.12", {"s3transfer": ("0.19.0", ["botocore<2.0a.0,>=1.43.0"])}, ["warning"]),
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore<1.40"])}, ["error"]),
        ("python3.12", {name: ("1.44.8", []) for name in CORE} | {"urllib3": ("1.0", [])}, []),
        ("python3.12", {"botocore": ("strange", ["nothing that can be parsed"])}, []),
    ],
)
def test_partial_sdk_is_compared_with_the_runtimes_versions(
    tmp_path: Path, runtime: str, shipped: Parts, severities: list[str]
) -> None:
    subject = one_layer(tmp_path, shipping(shipped), runtime=runtime)

    assert [str(fault.severity) for fault in faults("partial-sdk", subject)] == severities


def test_partial_sdk_names_both_versions_and_the_file_to_edit(tmp_path: Path) -> None:
    put(tmp_path / "layer" / "requirements.txt", "urllib3\n")

    found_faults = faults("partial-sdk", one_layer(tmp_path, shipping({"urllib3": ("3.0.0", [])})))

    assert [(fault.where, fault.what, fault.fix) for fault in found_faults] == [
        (
            "template.yaml: Libs",
            "ships urllib3 3.0.0, but botocore 1.40.4 of the runtime requires urllib3!=2.2.0,<3,>=1.25.4",
            "require urllib3!=2.2.0,<3,>=1.25.4 in layer/requirements.txt and run inv build",
        )
    ]


def test_partial_sdk_of_the_core_is_completed_by_boto3(tmp_path: Path) -> None:
    put(tmp_path / "layer" / "requirements.in", "aws-xray-sdk\n")
    parts: Parts = {"botocore": ("1.39.0", []), "aws_xray_sdk": ("2.15", ["botocore>=1.11.3"])}

    found_faults = faults("partial-sdk", one_layer(tmp_path, shipping(parts)))

    assert [(fault.what, fault.fix) for fault in found_faults] == [
        (
            "ships botocore 1.39.0, but boto3 1.40.4 of the runtime requires botocore<1.41.0,>=1.40.4",
            "add boto3 to layer/requirements.in and run inv lock and inv build, so that the SDK comes whole",
        )
    ]


def test_partial_sdk_of_the_core_that_nothing_requires_is_removed(tmp_path: Path) -> None:
    parts: Parts = {"botocore": ("1.39.0", []), "s3transfer": ("0.13.1", [])}

    found_faults = faults("partial-sdk", one_layer(tmp_path, shipping(parts)))

    assert [fault.fix for fault in found_faults] == [
        "remove botocore and s3transfer from layer/requirements.txt and run inv build"
    ]


def test_partial_sdk_that_needs_a_later_runtime_says_so(tmp_path: Path) -> None:
    found_faults = faults("partial-sdk", one_layer(tmp_path, shipping({"s3transfer": ("0.13.1", ["botocore>=1.50"])})))

    assert [(str(fault.severity), fault.what) for fault in found_faults] == [
        ("warning", "s3transfer 0.13.1 requires botocore>=1.50, and the runtime has botocore 1.40.4")
    ]


def test_partial_sdk_with_an_unknown_layer_is_a_warning(tmp_path: Path) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:sdk:1"
    resources = {"App": subjects.function(Layers=[{"Ref": "Libs"}, arn]), "Libs": subjects.layer()}
    shipping({"urllib3": ("3.0.0", [])})(tmp_path / BUILD / "Libs" / "python")

    found_faults = faults("partial-sdk", subjects.write(tmp_path, resources))

    assert [str(fault.severity) for fault in found_faults] == ["warning"]


def test_partial_sdk_of_functions_with_one_source_is_one_fault(tmp_path: Path) -> None:
    names = ("A", "B", "C", "D")
    for name in names:
        shipping({"urllib3": ("3.0.0", [])})(tmp_path / BUILD / name)

    found_faults = faults("partial-sdk", subjects.write(tmp_path, {name: subjects.function() for name in names}))

    assert [fault.where for fault in found_faults] == ["template.yaml: A, B, C and 1 more"]


def test_partial_sdk_that_functions_require_themselves_is_one_fault(tmp_path: Path) -> None:
    for name in ("A", "B"):
        shipping({"s3transfer": ("0.13.1", ["botocore>=1.50"])})(tmp_path / BUILD / name)

    found_faults = faults("partial-sdk", subjects.write(tmp_path, {name: subjects.function() for name in ("A", "B")}))

    assert [(fault.where, fault.what) for fault in found_faults] == [
        ("template.yaml: A, B", "s3transfer 0.13.1 requires botocore>=1.50, and the runtime has botocore 1.40.4")
    ]


def test_partial_sdk_in_two_layers_is_compared(tmp_path: Path) -> None:
    core = shipping({name: ("1.44.8", ["urllib3<3"]) for name in CORE})

    assert faults("partial-sdk", two_layers(tmp_path / "fits", core, wheel(name="urllib3", version="2.5"))) == []
    found_faults = faults("partial-sdk", two_layers(tmp_path / "not", core, wheel(name="urllib3", version="3.0")))
    assert next((str(fault.severity), fault.where, fault.fix) for fault in found_faults) == (
        "error",
        "template.yaml: Second",
        "require urllib3<3 in layer/requirements.txt and run inv build",
    )


def test_partial_sdk_whose_core_is_in_two_layers_is_an_error(tmp_path: Path) -> None:
    older = shipping({"botocore": ("1.43.0", [])})
    newer = shipping({"boto3": ("1.44.8", ["botocore<1.45.0,>=1.44.8"])})

    found_faults = faults("partial-sdk", two_layers(tmp_path, older, newer))

    assert [str(fault.severity) for fault in found_faults] == ["error"]
    assert found_faults[0].fix == (
        "keep boto3, botocore and s3transfer in only one of layer/requirements.txt and layer/requirements.txt, "
        "and run inv build"
    )


def test_runtime_duplicate_that_another_distribution_requires_is_accepted(tmp_path: Path) -> None:
    whole: Parts = {name: ("1.44.8", []) for name in CORE}
    required: Parts = {**whole, "aws_xray_sdk": ("2.15", ["wrapt", "botocore>=1.11.3"])}
    unrelated: Parts = {**whole, "aws_xray_sdk": ("2.15", ["wrapt"]), "dev": ("1", ["boto3; extra == 'dev'"])}

    assert faults("runtime-duplicate", one_layer(tmp_path / "a", shipping(required))) == []
    found_faults = faults("runtime-duplicate", one_layer(tmp_path / "b", shipping(unrelated)))
    assert [fault.fix.partition(" and run")[0] for fault in found_faults] == [
        "remove boto3, botocore and s3transfer from layer/requirements.txt"
    ]


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
