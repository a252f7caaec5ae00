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

    assert faults("too-many-layers", subject) == [
        Fault("template.yaml: App", "mounts 6 layers; Lambda allows 5", "merge layers; those of Globals count too")
    ]


def test_too_many_layers_accepts_five(tmp_path: Path) -> None:
    subject = subjects.write(tmp_path, {**LAYERS, "App": function(Layers=refs("ABCDE"))})

    assert faults("too-many-layers", subject) == []


def test_layer_reference_accepts_a_parameter_and_an_arn(tmp_path: Path) -> None:
    layers = [{"Ref": "Given"}, "arn:aws:lambda:eu-west-1:1:layer:x:3", {"Fn::Sub": "arn:${AWS::Partition}:x"}]

    subject = subjects.write(tmp_path, {"App": function(Layers=layers)}, Parameters={"Given": {"Type": "String"}})

    assert faults("layer-reference", subject) == []


def test_layer_reference_to_nothing_names_the_layers_of_the_template(tmp_path: Path) -> None:
    shared = {"Function": {"Layers": refs("Z")}}
    subject = subjects.write(tmp_path, {"App": function(Layers=refs("AY")), "A": layer()}, Globals=shared)

    assert faults("layer-reference", subject) == [
        Fault(
            "template.yaml: App",
            f"Layers names {name}, which this template does not define",
            "name one of the template's layers (A)",
        )
        for name in "YZ"
    ]
    (fault,) = faults("layer-reference", subjects.write(tmp_path / "b", {"App": function(Layers=refs("Y"))}))
    assert fault.fix == "name one of the template's layers (none)"


def test_layer_reference_to_another_resource_names_its_type(tmp_path: Path) -> None:
    resources = {
        "App": function(Layers=[*refs("ALQ"), {"Fn::ImportValue": "x"}]),
        "A": layer(),
        "L": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Bucket": "b", "S3Key": "k"}}},
        "Q": queue(),
    }

    assert faults("layer-reference", subjects.write(tmp_path, resources)) == [
        Fault(
            "template.yaml: App",
            "Layers names Q, which is of type AWS::SQS::Queue and not a layer",
            "remove Q from Layers",
        )
    ]


def test_layer_not_mounted_accepts_an_output(tmp_path: Path) -> None:
    resources = {"App": function(), "Shared": layer()}

    assert faults("layer-not-mounted", subjects.write(tmp_path, resources)) == [
        Fault(
            "template.yaml: Shared",
            "no function mounts this layer and nothing refers to it",
            "remove it, or name it in Layers",
            Severity.WARNING,
        )
    ]
    exported = subjects.write(tmp_path, resources, Outputs={"Arn": {"Value": {"Ref": "Shared"}}})
    assert faults("layer-not-mounted", exported) == []


def test_layer_not_mounted_is_not_asked_where_layers_are_all(tmp_path: Path) -> None:
    assert faults("layer-not-mounted", subjects.write(tmp_path, {"Shared": layer()})) == []


def test_too_many_layers_counts_those_of_one_branch(tmp_path: Path) -> None:
    either = {"Fn::If": ["Far", [*refs("ABCD"), {"Ref": "AWS::NoValue"}], refs("EFGHI")]}
    conditions = {"Far": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}
    resources = {"App": function(Layers=either), **dict.fromkeys("ABCDEFGHIJ", layer())}

    assert faults("too-many-layers", subjects.write(tmp_path, resources, Conditions=conditions)) == []
    either["Fn::If"][2] = refs("EFGHIJ")
    (fault,) = faults("too-many-layers", subjects.write(tmp_path, resources, Conditions=conditions))
    assert fault.what == "mounts 6 layers; Lambda allows 5"


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


def test_layer_unbuilt_names_what_cannot_be_imported(tmp_path: Path) -> None:
    resources = {
        "Node": function(Layers=refs("L"), Runtime="nodejs22.x"),
        "App": function(Layers=refs("L"), Runtime="python3.11"),
        "Last": function(Layers=refs("L")),
        "L": layer(),
    }
    names = (
        "six.py",
        "six-1.0.dist-info/METADATA",
        "stone/deep/a.py",
        "data/x.txt",
        "lib/b.py",
        "java/c.py",
        "ruby/d.py",
    )

    (fault,) = faults("layer-unbuilt", subjects.write(tmp_path, resources, {"L": dict.fromkeys(names, "")}))

    assert (fault.where, fault.what, fault.fix, fault.severity) == (
        "template.yaml: L",
        "has no python/ folder, so sys.path does not include six-1.0.dist-info, six.py, stone",
        "add Metadata: {BuildMethod: python3.11} and run inv build, or move its modules under python/",
        Severity.ERROR,
    )
    assert {"six", "stone.deep.a"} <= set(fault.explains)


@pytest.mark.parametrize(
    ("runtime", "files"),
    [("nodejs22.x", {"stone/a.py": ""}), ("python3.12", {"python/b.py": "", "stone/a.py": ""})],
    ids=["another language", "with a python folder"],
)
def test_layer_unbuilt_is_of_python_functions(tmp_path: Path, runtime: str, files: dict[str, str]) -> None:
    resources = {"App": function(Layers=refs("L"), Runtime=runtime), "L": layer()}

    assert faults("layer-unbuilt", subjects.write(tmp_path, resources, {"L": dict(files)})) == []


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


def test_stale_alias_of_a_layer_of_another_template_cannot_follow(tmp_path: Path) -> None:
    imported = [{"Fn::ImportValue": "layer"}, {"Ref": "Misspelt"}]
    resources = {"App": function(**ALIAS, Layers=imported)}

    assert faults("stale-alias", subjects.write(tmp_path, resources)) == [
        Fault(
            "template.yaml: App",
            "a new version of !ImportValue layer, which is outside this template, does not update the alias",
            "move the layer into this template",
            Severity.WARNING,
        )
    ]


def test_stale_alias_of_a_layer_of_cloudformation_needs_no_setting(tmp_path: Path) -> None:
    content = {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": {"S3Bucket": "b", "S3Key": "k"}}}
    resources = {"App": function(**ALIAS, Layers=refs("L")), "L": content}

    assert faults("stale-alias", subjects.write(tmp_path, resources)) == []


def test_stale_alias_lists_every_setting(tmp_path: Path) -> None:
    layers = {f"L{number}": layer() for number in range(1, 10)}
    resources = {"App": function(AutoPublishAlias="live", Layers=[{"Ref": name} for name in layers]), **layers}

    (fault,) = faults("stale-alias", subjects.write(tmp_path, resources))

    assert fault.what == "a change in a layer publishes no new version, so the alias keeps the old layer"
    assert fault.fix.endswith("PublishLambdaVersion: true in L8, PublishLambdaVersion: true in L9")


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
    assert fault.fix == ("set AutoPublishAliasAllProperties: true in A, B, C, D, E, PublishLambdaVersion: true in L")


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
