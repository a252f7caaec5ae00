"""The parts of the SDK that trees ship are compared with each other and with those of the runtime."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from automation.proof import sdk
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD, one_layer, two_layers
from tests.faults.bakery import install, put


def faults(rule: str, subject: Subject, *modules: str) -> list[Fault]:
    """Return the faults when every function imports these modules; by default boto3."""
    return subjects.faults(sdk.RULES, rule, subjects.importing(subject, *(modules or ("boto3",))))


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
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore>=1.50", "botocore<1.40"])}, ["error"]),
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore<1.40", "botocore>=1.50"])}, ["error"]),
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore>1.40.4"])}, ["warning"]),
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore==1.50.*"])}, ["warning"]),
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore~=1.50"])}, ["warning"]),
        ("python3.12", {"s3transfer": ("0.13.1", ["botocore~=1.40.0,!=1.40.4"])}, ["error"]),
        ("python3.12", {"jmespath": ("0.7.0", [])}, ["error"]),
        ("python3.12", {"urllib3": ("2.6.0rc1", [])}, []),
        ("python3.12", {"jmespath": ("2.0.0", []), "urllib3": ("3.0.0", [])}, ["error", "error"]),
        ("python3.12", {name: ("1.44.8", []) for name in CORE} | {"urllib3": ("1.0", [])}, []),
        ("python3.12", {"botocore": ("strange", ["nothing that can be parsed"])}, []),
    ],
)
def test_partial_sdk_is_compared_with_the_runtimes_versions(
    tmp_path: Path, runtime: str, shipped: Parts, severities: list[str]
) -> None:
    subject = one_layer(tmp_path, shipping(shipped), runtime=runtime)

    assert [str(fault.severity) for fault in faults("partial-sdk", subject)] == severities


@pytest.mark.parametrize(
    ("shipped", "modules", "severity"),
    [
        ({"urllib3": ("3.0.0", [])}, ("requests", "urllib3"), "warning"),
        ({"urllib3": ("3.0.0", [])}, ("json", "botocore"), "error"),
        ({"urllib3": ("3.0.0", [])}, ("s3transfer",), "error"),
        ({"urllib3": ("3.0.0", [])}, ("boto3",), "error"),
        ({"botocore": ("1.29.54", [])}, ("botocore",), "warning"),
        ({"botocore": ("1.29.54", [])}, ("boto3",), "error"),
        ({"s3transfer": ("0.13.1", ["botocore<1.40"])}, ("botocore",), "warning"),
        ({"s3transfer": ("0.13.1", ["botocore<1.40"])}, ("s3transfer",), "error"),
        ({"python_dateutil": ("2.9", ["jmespath>=9"]), "jmespath": ("1.1.0", [])}, ("boto3",), None),
    ],
)
def test_partial_sdk_is_an_error_for_functions_that_import_what_requires_it(
    tmp_path: Path, shipped: Parts, modules: tuple[str, ...], severity: str | None
) -> None:
    subject = one_layer(tmp_path, shipping(shipped))

    assert [str(fault.severity) for fault in faults("partial-sdk", subject, *modules)] == (
        [severity] if severity else []
    )


def test_partial_sdk_explains_failing_imports_only_as_an_error(tmp_path: Path) -> None:
    subject = one_layer(tmp_path, shipping({"urllib3": ("3.0.0", [])}))

    assert [fault.explains for fault in faults("partial-sdk", subject, "urllib3")] == [()]


def test_partial_sdk_without_evidence_is_a_warning(tmp_path: Path) -> None:
    subject = one_layer(tmp_path, shipping({"urllib3": ("3.0.0", [])}))

    assert [str(fault.severity) for fault in subjects.faults(sdk.RULES, "partial-sdk", subject)] == ["warning"]


def test_partial_sdk_of_a_shared_layer_is_as_severe_as_its_worst_function(tmp_path: Path) -> None:
    layers = [{"Ref": "Libs"}]
    resources = {name: subjects.function(Layers=layers) for name in ("A", "B")} | {"Libs": subjects.layer()}
    shipping({"urllib3": ("3.0.0", [])})(tmp_path / BUILD / "Libs" / "python")
    subject = subjects.importing(subjects.write(tmp_path, resources), "boto3")
    only_first = replace(subject, evidence=subject.evidence[:1])
    only_last = replace(subject, evidence=subject.evidence[1:])

    for proven in (only_first, only_last):
        found_faults = subjects.faults(sdk.RULES, "partial-sdk", proven)
        assert [(str(fault.severity), fault.where) for fault in found_faults] == [("error", "template.yaml: Libs")]


def test_partial_sdk_before_python_38_is_compared_with_nothing(tmp_path: Path) -> None:
    subject = one_layer(tmp_path, shipping({"urllib3": ("2.5.0", [])}), runtime="python3.7")

    assert faults("partial-sdk", subject) == []


@pytest.mark.parametrize(
    ("marker", "count"),
    [
        ('sys_platform == "linux"', 1),
        ('platform_system == "Linux"', 1),
        ('os_name == "posix"', 1),
        ('python_full_version == "3.11.0"', 1),
        ('python_version == "3.11"', 1),
        ('python_version < "3.11"', 0),
        ('sys_platform == "win32"', 0),
        ('extra == "crt"', 0),
        ('extra != ""', 0),
    ],
)
def test_partial_sdk_reads_the_markers_for_lambda(tmp_path: Path, marker: str, count: int) -> None:
    subject = one_layer(tmp_path, shipping({"s3transfer": ("0.11.0", [f"botocore<1; {marker}"])}), runtime="python3.11")

    assert len(faults("partial-sdk", subject)) == count


def test_partial_sdk_is_what_python_finds_first(tmp_path: Path) -> None:
    fits, fails = shipping({"urllib3": ("2.5", [])}), shipping({"urllib3": ("3.0", [])})
    assert faults("partial-sdk", two_layers(tmp_path / "a", fails, fits)) == []
    assert [fault.where for fault in faults("partial-sdk", two_layers(tmp_path / "b", fits, fails))] == [
        "template.yaml: Second"
    ]

    fits(tmp_path / "c" / BUILD / "App")
    assert faults("partial-sdk", two_layers(tmp_path / "c", fits, fails)) == []


def test_partial_sdk_names_both_versions_and_the_file_to_edit(tmp_path: Path) -> None:
    put(tmp_path / "layer" / "requirements.txt", "urllib3\n")

    found_faults = faults("partial-sdk", one_layer(tmp_path, shipping({"urllib3": ("3.0.0", [])})))

    assert found_faults == [
        Fault(
            "template.yaml: Libs",
            "ships urllib3 3.0.0, but botocore 1.40.4 of the runtime requires urllib3!=2.2.0,<3,>=1.25.4",
            "require urllib3!=2.2.0,<3,>=1.25.4 in layer/requirements.txt and run inv build",
            Severity.ERROR,
            ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
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

    assert faults("partial-sdk", two_layers(tmp_path / "fits", core, shipping({"urllib3": ("2.5", [])}))) == []
    found_faults = faults("partial-sdk", two_layers(tmp_path / "not", core, shipping({"urllib3": ("3.0", [])})))
    assert next((str(fault.severity), fault.where, fault.fix) for fault in found_faults) == (
        "error",
        "template.yaml: Second",
        "require urllib3<3 in layer/requirements.txt and run inv build",
    )


def test_partial_sdk_whose_core_is_in_two_layers_is_an_error(tmp_path: Path) -> None:
    older = shipping({"botocore": ("1.43.0", [])})
    newer = shipping({"boto3": ("1.44.8", ["botocore<1.45.0,>=1.44.8"])})

    found_faults = faults("partial-sdk", two_layers(tmp_path, older, newer))

    assert [(str(fault.severity), fault.where, fault.what) for fault in found_faults] == [
        (
            "error",
            "template.yaml: First",
            "ships botocore 1.43.0, but boto3 1.44.8 of Second requires botocore<1.45.0,>=1.44.8",
        )
    ]
    assert found_faults[0].fix == (
        "keep boto3, botocore and s3transfer in only one of layer/requirements.txt and layer/requirements.txt, "
        "and run inv build"
    )


def test_runtime_duplicate_counts_what_it_adds(tmp_path: Path) -> None:
    def fill(site: Path) -> None:
        shipping({name: ("1.44.8", []) for name in ("boto3", "botocore", "stone")})(site)
        (site / "botocore" / "__init__.py").write_bytes(bytes(2_300_000))
        (site / "stone" / "__init__.py").write_bytes(bytes(1_000_000))
        (site / "boto3" / "__init__.py").unlink()

    found_faults = faults("runtime-duplicate", one_layer(tmp_path, fill))

    assert found_faults == [
        Fault(
            "template.yaml: Libs",
            "ships boto3 1.44.8, botocore 1.44.8: 2.3 MB that the runtime already has",
            "remove boto3 and botocore from layer/requirements.txt and run inv build, unless the version matters",
            Severity.WARNING,
        )
    ]


def test_runtime_duplicate_of_two_versions_counts_and_names_each_file_once(tmp_path: Path) -> None:
    subject = subjects.write(tmp_path, {"App": subjects.function()}, {"App": {"app.py": ""}})
    for site in (tmp_path / "code", tmp_path / BUILD / "App"):
        for version in ("1.44.8", "1.44.9"):
            shipping({name: (version, []) for name in ("boto3", "botocore")})(site)
        (site / "botocore" / "__init__.py").write_bytes(bytes(2_300_000))

    assert [(fault.what, fault.fix) for fault in faults("runtime-duplicate", subject)] == [
        (
            "ships boto3 1.44.8, boto3 1.44.9, botocore 1.44.8 and 1 more: 2.3 MB that the runtime already has",
            "delete boto3 and botocore with their .dist-info from code, and run inv build, unless the version matters",
        )
    ]


@pytest.mark.parametrize("missing", ["boto3", "botocore"])
def test_runtime_duplicate_is_at_least_boto3_with_botocore(tmp_path: Path, missing: str) -> None:
    parts: Parts = {name: ("1.44.8", []) for name in (*CORE, "six", "urllib3") if name != missing}

    assert faults("runtime-duplicate", one_layer(tmp_path, shipping(parts))) == []


def test_runtime_duplicate_that_another_distribution_requires_is_accepted(tmp_path: Path) -> None:
    whole: Parts = {name: ("1.44.8", []) for name in CORE}
    required: Parts = {**whole, "aws_xray_sdk": ("2.15", ["wrapt", "botocore>=1.11.3"])}
    unrelated: Parts = {**whole, "aws_xray_sdk": ("2.15", ["wrapt"]), "dev": ("1", ["boto3; extra == 'dev'"])}

    assert faults("runtime-duplicate", one_layer(tmp_path / "a", shipping(required))) == []
    found_faults = faults("runtime-duplicate", one_layer(tmp_path / "b", shipping(unrelated)))
    assert [fault.fix.partition(" and run")[0] for fault in found_faults] == [
        "remove boto3, botocore and s3transfer from layer/requirements.txt"
    ]
