"""The rules about templates: what they must accept, and cases that tests/faults does not plant."""

from pathlib import Path
from typing import Any

import pytest

from automation.proof import template_rules
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import function, layer, queue, reading
from tests.faults.bakery import ARM64, X86_64, elf

LAYERS = {name: layer() for name in "ABCDEF"}


def faults(rule: str, subject: Subject) -> list[Fault]:
    return subjects.faults(template_rules.RULES, rule, subject)


def refs(names: str) -> list[dict[str, str]]:
    return [{"Ref": name} for name in names]


def test_too_many_layers_counts_those_of_globals(tmp_path: Path) -> None:
    resources = {**LAYERS, "App": function(Layers=refs("DEF"))}

    subject = subjects.write(tmp_path, resources, Globals={"Function": {"Layers": refs("ABC")}})

    assert len(faults("too-many-layers", subject)) == 1


def test_too_many_layers_accepts_five(tmp_path: Path) -> None:
    subject = subjects.write(tmp_path, {**LAYERS, "App": function(Layers=refs("ABCDE"))})

    assert faults("too-many-layers", subject) == []


def test_layer_reference_accepts_a_parameter_and_an_arn(tmp_path: Path) -> None:
    layers = [{"Ref": "Given"}, "arn:aws:lambda:eu-west-1:1:layer:x:3", {"Fn::Sub": "arn:${AWS::Partition}:x"}]

    subject = subjects.write(tmp_path, {"App": function(Layers=layers)}, Parameters={"Given": {"Type": "String"}})

    assert faults("layer-reference", subject) == []


def test_layer_not_mounted_accepts_an_output(tmp_path: Path) -> None:
    resources = {"App": function(), "Shared": layer()}

    assert len(faults("layer-not-mounted", subjects.write(tmp_path, resources))) == 1
    exported = subjects.write(tmp_path, resources, Outputs={"Arn": {"Value": {"Ref": "Shared"}}})
    assert faults("layer-not-mounted", exported) == []


@pytest.mark.parametrize(
    ("properties", "count"),
    [
        ({}, 0),
        ({"CompatibleRuntimes": ["python3.11", "python3.12"]}, 0),
        ({"CompatibleRuntimes": [{"Fn::ImportValue": "runtime"}]}, 0),
        ({"CompatibleRuntimes": ["python3.11"]}, 1),
        ({"CompatibleArchitectures": ["arm64"]}, 1),
    ],
)
def test_runtime_mismatch_ignores_unknown_values(tmp_path: Path, properties: dict[str, Any], count: int) -> None:
    subject = subjects.write(tmp_path, {"App": function(Layers=refs("L")), "L": layer(**properties)})

    assert len(faults("runtime-mismatch", subject)) == count


MODULE = "python/stone/_mill.so"


def mixed(root: Path, content: dict[str, str | bytes] | None, *, arm: str = "arm64", **properties: Any) -> list[Fault]:
    """Return the mismatches of a layer that two functions for x86_64 and one for another architecture mount."""
    resources = {
        "A": function(Layers=refs("L")),
        "B": function(Layers=refs("L"), Architectures=["x86_64"]),
        "C": function(Layers=refs("L"), Architectures=[arm]),
        "L": layer(**{"CompatibleArchitectures": ["arm64"], **properties}),
    }
    trees = {} if content is None else {"L": content}
    return faults("runtime-mismatch", subjects.write(root, resources, trees))


def test_runtime_mismatch_of_a_layer_for_both_architectures_is_one_error(tmp_path: Path) -> None:
    (fault,) = mixed(tmp_path, {MODULE: elf(ARM64)})

    assert fault == Fault(
        "template.yaml: L",
        f"CompatibleArchitectures (arm64) lacks x86_64 of A, B, for which {MODULE} cannot be loaded",
        "set Architectures: [arm64] for A, B: C mounts the layer too, and it is built for only one of them",
        Severity.ERROR,
        ("stone", "stone._mill"),
    )


def test_runtime_mismatch_of_a_layer_for_no_function_names_the_first_value(tmp_path: Path) -> None:
    (fault,) = mixed(tmp_path, {MODULE: elf(ARM64)}, arm="x86_64")

    assert fault.fix == "put x86_64 first in CompatibleArchitectures: the layer is built for the first value"
    assert fault.severity is Severity.ERROR


def test_runtime_mismatch_of_a_layer_without_compiled_files_is_a_warning(tmp_path: Path) -> None:
    (fault,) = mixed(tmp_path, {"python/stone.py": ""})

    assert fault.what == "CompatibleArchitectures (arm64) lacks x86_64 of A, B"
    assert fault.fix == "add x86_64 to CompatibleArchitectures: the layer has no compiled files"
    assert (fault.severity, fault.explains) == (Severity.WARNING, ())


def test_runtime_mismatch_of_files_that_load_all_the_same_is_a_warning(tmp_path: Path) -> None:
    (fault,) = mixed(tmp_path, {MODULE: elf(X86_64)})

    assert fault.severity is Severity.WARNING
    assert fault.fix.startswith("set Architectures: [arm64] for A, B: C mounts")


def test_runtime_mismatch_of_functions_with_several_pythons_keeps_those_that_fit(tmp_path: Path) -> None:
    resources = {
        "A": function(Layers=refs("L"), Runtime="python3.11"),
        "B": function(Layers=refs("L"), Runtime="python3.13"),
        "C": function(Layers=refs("L")),
        "L": layer(CompatibleRuntimes=["python3.12"]),
    }

    found_faults = faults("runtime-mismatch", subjects.write(tmp_path, resources, {"L": {MODULE: elf(X86_64)}}))

    assert [(fault.what, fault.fix, fault.severity) for fault in found_faults] == [
        (
            f"CompatibleRuntimes (python3.12) lacks {runtime} of {name}",
            f"set Runtime: python3.12 for {name}: C mounts the layer too, and it is built for only one of them",
            Severity.WARNING,
        )
        for name, runtime in (("A", "python3.11"), ("B", "python3.13"))
    ]


@pytest.mark.parametrize(
    ("files", "count"),
    [({"bin/tool": ""}, 0), ({"extensions/agent": ""}, 0), ({"nodejs/x.py": ""}, 0), ({"stone/a.py": ""}, 1)],
)
def test_layer_unbuilt_accepts_content_that_is_not_imported(tmp_path: Path, files: dict[str, str], count: int) -> None:
    resources = {"App": function(Layers=refs("L")), "L": layer()}

    subject = subjects.write(tmp_path, resources, {"L": dict(files)})

    assert len(faults("layer-unbuilt", subject)) == count


ALIAS: dict[str, Any] = {"AutoPublishAlias": "live", "AutoPublishAliasAllProperties": True}


@pytest.mark.parametrize(
    ("properties", "published", "severities"),
    [
        ({}, False, []),
        ({"AutoPublishAlias": "live", "Layers": []}, False, []),
        (ALIAS, True, []),
        (ALIAS, False, [Severity.WARNING]),
        ({"AutoPublishAlias": "live"}, True, [Severity.WARNING]),
        ({**ALIAS, "Layers": ["arn:aws:lambda:eu-west-1:1:layer:x:3"]}, False, []),
        ({**ALIAS, "Layers": [{"Fn::ImportValue": "layer"}]}, False, [Severity.WARNING]),
    ],
)
def test_stale_alias_needs_a_layer_that_publishes_no_version(
    tmp_path: Path, properties: dict[str, Any], published: bool, severities: list[Severity]
) -> None:
    resources = {"App": function(**{"Layers": refs("L"), **properties}), "L": layer(PublishLambdaVersion=published)}

    found_faults = faults("stale-alias", subjects.write(tmp_path, resources))

    assert [fault.severity for fault in found_faults] == severities


def test_stale_alias_is_an_error_for_a_project_that_names_its_package(tmp_path: Path) -> None:
    resources = {"App": function(Layers=refs("L"), **ALIAS), "L": layer(PublishLambdaVersion=False)}
    settings = '[tool.alchemiser]\npackage = "shop"\n'

    found_faults = faults("stale-alias", subjects.write(tmp_path, resources, settings=settings))

    assert [fault.severity for fault in found_faults] == [Severity.ERROR]


def test_stale_alias_of_many_functions_is_one_fault(tmp_path: Path) -> None:
    stale = function(Layers=refs("L"), AutoPublishAlias="live")
    resources = {**dict.fromkeys("ABCDE", stale), "L": layer()}

    (fault,) = faults("stale-alias", subjects.write(tmp_path, resources))

    assert fault.where == "template.yaml: A, B, C and 2 more"
    assert fault.fix == (
        "set AutoPublishAliasAllProperties: true in A, B, C and 2 more, PublishLambdaVersion: true in L"
    )


def test_stale_alias_with_different_advice_stays_apart(tmp_path: Path) -> None:
    resources = {
        "A": function(Layers=refs("L"), AutoPublishAlias="live"),
        "B": function(Layers=refs("L"), **ALIAS),
        "L": layer(),
    }

    assert [fault.fix for fault in faults("stale-alias", subjects.write(tmp_path, resources))] == [
        "set AutoPublishAliasAllProperties: true in A, PublishLambdaVersion: true in L",
        "set PublishLambdaVersion: true in L",
    ]


def test_environment_too_large_counts_globals_and_known_values(tmp_path: Path) -> None:
    own = {"Variables": {"B": "b" * 2000, "C": {"Fn::ImportValue": "c" * 5000}}}
    shared = {"Function": {"Environment": {"Variables": {"A": "a" * 2100, "B": "b" * 5000}}}}

    subject = subjects.write(tmp_path, {"App": function(Environment=own)}, Globals=shared)

    assert [fault.what.split(" bytes")[0] for fault in faults("environment-too-large", subject)] == [
        "its environment variables take at least 4,103"
    ]


def test_variable_reserved_accepts_variables_that_may_be_set(tmp_path: Path) -> None:
    variables = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap", "PYTHONPATH": "/opt/x", "TZ": "UTC"}

    subject = subjects.write(tmp_path, {"App": function(Environment={"Variables": variables})})

    assert faults("variable-reserved", subject) == []


@pytest.mark.parametrize(
    ("timeout", "visibility", "count"),
    [(30, {}, 0), (31, {}, 1), (60, {"VisibilityTimeout": 60}, 0), (60, {"VisibilityTimeout": {"Ref": "AWS::X"}}, 0)],
)
def test_timeout_over_visibility_uses_the_queues_default(
    tmp_path: Path, timeout: int, visibility: dict[str, Any], count: int
) -> None:
    resources = {"App": function(Timeout=timeout, Events=reading("Inbox")), "Inbox": queue(**visibility)}

    assert len(faults("timeout-over-visibility", subjects.write(tmp_path, resources))) == count
