"""The environment in `.tools/sam` expands the templates, all in one process, because its start takes half a second."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automation.deploying.changes import expansion
from automation.deploying.changes.expansion import SamTemplate
from automation.system.errors import ConfigurationError, ToolError

ROOT = Path(__file__).parents[4]
SAM = "AWS::Serverless-2016-10-31"
LOOPS = "AWS::LanguageExtensions"
BASE = {"Handler": "app.handler", "Runtime": "python3.12"}


def function(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::Function", "Properties": {**BASE, **properties}}


def layer(location: str) -> dict[str, Any]:
    return {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": location}}


CODE: Mapping[str, Any] = {
    "Local": function(CodeUri="functions/local/"),
    "Digested": function(CodeUri="functions/digested/"),
    "Default": function(),
    "Remote": function(CodeUri="s3://theirs/key"),
    "RemoteDigested": function(CodeUri="s3://theirs/key"),
    "Inline": function(InlineCode="def handler(event, context): ..."),
    "Image": {"Type": "AWS::Serverless::Function", "Properties": {"PackageType": "Image"}},
    "NamedImage": {"Type": "AWS::Serverless::Function", "Properties": {"PackageType": "Image", "ImageUri": "a:1"}},
    "Plain": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "functions/plain/"}},
    "PlainInline": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x"}}},
    "Made": function(CodeUri={"Fn::Sub": "functions/${Folder}/"}),
    "Parameter": function(CodeUri={"Ref": "Folder"}),
    "Located": function(CodeUri={"Bucket": "theirs", "Key": "key"}),
    "PlainLayer": {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": "layers/plain/"}},
    "Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": {"DefinitionUri": "a.json", "Role": "arn"}},
    "Shop": {
        "Type": "AWS::Serverless::Application",
        "Properties": {"Location": {"SemanticVersion": "1.0.0", "ApplicationId": "arn:shop"}},
    },
    "Queue": {"Type": "AWS::SQS::Queue"},
    "Bare": {"Type": "AWS::Lambda::Function", "Properties": None},
}
DIGESTS = {"Digested": "d1", "RemoteDigested": "d2", "Inline": "d3", "PlainInline": "d4", "NamedImage": "d5"}
TEMPLATES = {
    "code": SamTemplate("code.yaml", {"Transform": SAM, "Resources": CODE}, code_digests=DIGESTS),
    "inherited": SamTemplate(
        "inherited.yaml",
        {
            "Transform": [SAM],
            "Globals": {"Function": {"CodeUri": "s3://shared/key"}},
            "Resources": {"Own": function(CodeUri="own/"), "Shared": function(), "Digested": function()},
        },
        code_digests={"Digested": "d1"},
    ),
    "hash one": SamTemplate(
        "a.yaml", {"Transform": SAM, "Resources": {"Code": layer("layers/code/")}}, code_digests={"Code": "1"}
    ),
    "hash two": SamTemplate(
        "a.yaml", {"Transform": SAM, "Resources": {"Code": layer("layers/code/")}}, code_digests={"Code": "2"}
    ),
    "policies": SamTemplate(
        "policies.yaml",
        {"Transform": SAM, "Resources": {"Fn": function(Policies=["AWSLambdaSQSQueueExecutionRole", "OurOwn"])}},
    ),
    "parameters": SamTemplate(
        "parameters.yaml",
        {
            "Transform": SAM,
            "Parameters": {"Alias": {"Type": "String"}},
            "Resources": {"Fn": function(InlineCode="x", AutoPublishAlias={"Ref": "Alias"})},
        },
        {"Alias": "live"},
    ),
    "loop": SamTemplate(
        "loop.yaml",
        {
            "Transform": [LOOPS, SAM],
            "Resources": {
                "Fn::ForEach::Workers": ["Name", ["A", "B"], {"${Name}Fn": function(CodeUri={"Fn::Sub": "${Name}/"})}]
            },
        },
        code_digests={"BFn": "d"},
    ),
    "plain": SamTemplate("plain.yaml", {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}),
}


@pytest.fixture(scope="module")
def expansions() -> Mapping[str, Mapping[str, Any]]:
    return dict(zip(TEMPLATES, expansion.expand(list(TEMPLATES.values()), root=ROOT), strict=True))


@pytest.fixture
def code(expansions: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the properties of each resource of the template `code`."""
    resources = expansions["code"]["Resources"]
    return {name: resource.get("Properties") for name, resource in resources.items()}


@pytest.mark.parametrize(
    ("logical_id", "expected"),
    [
        ("Local", {"S3Bucket": "content", "S3Key": "Local"}),
        ("Digested", {"S3Bucket": "content", "S3Key": "d1"}),
        ("Default", {"S3Bucket": "content", "S3Key": "Default"}),
        ("Remote", {"S3Bucket": "theirs", "S3Key": "key"}),
        ("RemoteDigested", {"S3Bucket": "content", "S3Key": "d2"}),
        ("Inline", {"ZipFile": "def handler(event, context): ..."}),
        ("Image", {"ImageUri": "content:Image"}),
        ("NamedImage", {"ImageUri": "content:d5"}),
        ("Made", {"S3Bucket": "content", "S3Key": "Made"}),
        ("Parameter", {"S3Bucket": "content", "S3Key": "Parameter"}),
        ("Located", {"S3Bucket": "theirs", "S3Key": "key"}),
        ("Plain", {"S3Bucket": "content", "S3Key": "Plain"}),
        ("PlainInline", {"ZipFile": "x"}),
    ],
)
def test_expand_code_has_the_location_of_its_content(code: Mapping[str, Any], logical_id: str, expected: Any) -> None:
    assert code[logical_id]["Code"] == expected


def test_expand_other_locations_are_deterministic(code: Mapping[str, Any]) -> None:
    assert code["PlainLayer"]["Content"] == {"S3Bucket": "content", "S3Key": "PlainLayer"}
    assert code["Machine"]["DefinitionS3Location"] == {"Bucket": "content", "Key": "Machine"}
    assert code["Shop"]["TemplateURL"] == '{"ApplicationId": "arn:shop", "SemanticVersion": "1.0.0"}'


def test_expand_resources_without_code_stay(code: Mapping[str, Any]) -> None:
    assert code["Queue"] is None
    assert code["Bare"] == {}


def test_expand_code_of_the_globals_is_inherited(expansions: Mapping[str, Mapping[str, Any]]) -> None:
    resources = expansions["inherited"]["Resources"]

    keys = {name: resources[name]["Properties"]["Code"]["S3Key"] for name in ("Own", "Shared", "Digested")}

    assert keys == {"Own": "Own", "Shared": "key", "Digested": "d1"}


def test_expand_layer_id_follows_its_content(expansions: Mapping[str, Mapping[str, Any]]) -> None:
    ids = [next(iter(expansions[name]["Resources"])) for name in ("hash one", "hash two")]

    assert [logical_id[:-10] for logical_id in ids] == ["Code", "Code"]
    assert ids[0] != ids[1]


def test_expand_managed_policies_have_arns_without_a_call(expansions: Mapping[str, Mapping[str, Any]]) -> None:
    role = expansions["policies"]["Resources"]["FnRole"]

    assert role["Properties"]["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole",
        "arn:aws:iam::aws:policy/OurOwn",
    ]


def test_expand_parameters_reach_the_transform(expansions: Mapping[str, Mapping[str, Any]]) -> None:
    assert "FnAliaslive" in expansions["parameters"]["Resources"]


def test_expand_loop_becomes_its_resources(expansions: Mapping[str, Mapping[str, Any]]) -> None:
    resources = expansions["loop"]["Resources"]

    assert {name: resources[name]["Properties"]["Code"]["S3Key"] for name in ("AFn", "BFn")} == {
        "AFn": "AFn",
        "BFn": "d",
    }


def test_expand_without_transform_stays_as_it_is(expansions: Mapping[str, Mapping[str, Any]]) -> None:
    assert expansions["plain"] == TEMPLATES["plain"].template


def test_expand_changes_no_input(expansions: Mapping[str, Mapping[str, Any]]) -> None:
    assert TEMPLATES["code"].template["Resources"]["Local"]["Properties"]["CodeUri"] == "functions/local/"


def test_expand_without_transform_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert expansion.expand([TEMPLATES["plain"]], root=tmp_path) == (TEMPLATES["plain"].template,)


def test_expand_refused_template_says_why_and_where() -> None:
    template = {"Transform": SAM, "Resources": {"A": {"Type": "AWS::Serverless::Function"}, "B": layer("x")}}

    with pytest.raises(ConfigurationError) as raised:
        expansion.expand([TEMPLATES["plain"], SamTemplate("app.yaml", template)], root=ROOT)

    assert raised.value.where == "app.yaml"
    assert raised.value.message.startswith("SAM cannot expand it: Resource with id [A] is invalid. ")


def test_expand_region_and_profile_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is hidden; the region decides the partition of the managed policies."""
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "missing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    (expanded,) = expansion.expand([TEMPLATES["policies"]], root=ROOT, region="cn-north-1")

    arns = expanded["Resources"]["FnRole"]["Properties"]["ManagedPolicyArns"]
    assert arns[-1] == "arn:aws-cn:iam::aws:policy/OurOwn"


def write_program(folder: Path, first_line: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "sam"
    program.write_text(f"{first_line}\n")
    program.chmod(0o755)
    return program


def write_python(path: Path, script: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_find_interpreter_is_that_of_the_first_line(tmp_path: Path) -> None:
    python = write_python(tmp_path / "python3.11")
    write_python(tmp_path / "bin" / "python")

    assert expansion.find_interpreter(write_program(tmp_path / "bin", f"#!{python} -sE")) == python


def test_find_interpreter_through_env_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = write_python(tmp_path / "path" / "python3")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))

    assert expansion.find_interpreter(write_program(tmp_path / "bin", "#!/usr/bin/env python3")) == python


def test_find_interpreter_of_a_shell_script_lies_beside_it(tmp_path: Path) -> None:
    """A script whose path is long starts with a shell; a link leads to the folder with the interpreter."""
    python = write_python(tmp_path / "venv" / "python")
    program = write_program(tmp_path / "venv", "#!/bin/sh")
    (tmp_path / "sam").symlink_to(program)

    assert expansion.find_interpreter(tmp_path / "sam") == python


@pytest.mark.parametrize("first_line", ["#!/bin/sh", "#!", "\x7fELF", "#!/nowhere/python3", "#!/usr/bin/env python9"])
def test_find_interpreter_of_another_program_says_what_to_install(tmp_path: Path, first_line: str) -> None:
    program = write_program(tmp_path, first_line)

    with pytest.raises(ToolError) as raised:
        expansion.find_interpreter(program)

    assert raised.value.message == (
        f"{program} is not a Python script, so its packages cannot expand templates; pin SAM CLI in locks/sam.txt "
        "(inv lock), or install it with: pip install aws-sam-cli"
    )


def test_expand_with_sam_of_the_path_uses_its_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = write_python(tmp_path / "python", """printf '[{"template": {"Resources": {"Answer": {}}}}]'""")
    program = write_program(tmp_path / "bin", f"#!{python}")
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    (expanded,) = expansion.expand([TEMPLATES["policies"]], root=tmp_path)

    assert expanded == {"Resources": {"Answer": {}}}


def test_expand_without_samtranslator_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = write_python(tmp_path / "python", "echo \"No module named 'samtranslator'\" >&2; exit 1")
    program = write_program(tmp_path / "bin", f"#!{python}")
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    with pytest.raises(ToolError) as raised:
        expansion.expand([TEMPLATES["policies"]], root=tmp_path)

    assert raised.value.where == str(python)
    assert raised.value.message == (
        "cannot expand templates: No module named 'samtranslator'; pin SAM CLI in locks/sam.txt (inv lock)"
    )
