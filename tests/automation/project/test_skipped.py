from pathlib import Path

import pytest

from automation.project import model, skipped
from automation.project.model import Stack
from automation.project.skipped import Kind, Skipped
from tests.automation.projects import write_files

HEAD = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Rt: {Type: String}
  Kind: {Type: String, Default: Image}
Resources:
"""
GIVE = "give the parameter a Default, or a value in samconfig.toml"
PROPERTIES = "Handler: app.main, Runtime: python3.12"


def load(root: Path, resources: str, head: str = HEAD) -> Stack:
    write_files(root, {"template.yaml": head + resources})
    return model.load(root).stacks[0]


def function(properties: str, metadata: str = "") -> str:
    extra = f", Metadata: {{{metadata}}}" if metadata else ""
    return f"  Fn: {{Type: AWS::Serverless::Function, Properties: {{{properties}}}{extra}}}\n"


def plain(code: str) -> str:
    return f"  Fn: {{Type: AWS::Lambda::Function, Properties: {{Runtime: python3.12, Code: {{{code}}}}}}}\n"


def layer(properties: str, metadata: str = "") -> str:
    return f"  L: {{Type: AWS::Serverless::LayerVersion, Properties: {{{properties}}}, Metadata: {{{metadata}}}}}\n"


@pytest.mark.parametrize(
    ("resource", "why", "label", "is_built_by_sam"),
    [
        (function("PackageType: Image, CodeUri: src/"), "is a container image", "image", False),
        (function("PackageType: !Ref Kind"), "is a container image", "image", False),
        (function("ImageUri: acme/img:1"), "is a container image", "image", False),
        (plain("ImageUri: acme/img:1"), "is a container image", "image", False),
        (plain("ZipFile: x"), "has inline code", "inline", False),
        (plain("S3Bucket: b, S3Key: k"), "has its code at s3://b/k", "remote", False),
        (
            function("PackageType: Image", "Dockerfile: Dockerfile, DockerContext: src"),
            "is a container image; inv build --engine sam builds it with Docker",
            "image",
            True,
        ),
        (function("PackageType: Image", "Dockerfile: Dockerfile"), "is a container image", "image", False),
        (function(f"{PROPERTIES}, InlineCode: x"), "has inline code", "inline", False),
        (function(f"{PROPERTIES}, CodeUri: 's3://b/k'"), "has its code at s3://b/k", "remote", False),
        (function(f"{PROPERTIES}, CodeUri: 'https://b/k'"), "has its code at https://b/k", "remote", False),
        (function(f"{PROPERTIES}, CodeUri: {{Bucket: b, Key: k}}"), "has its code at s3://b/k", "remote", False),
        (
            function(f"{PROPERTIES}, CodeUri: {{Bucket: !GetAtt Zips.Name, Key: k}}"),
            "has its code at s3://${Zips.Name}/k",
            "remote",
            False,
        ),
        (function(f"{PROPERTIES}, CodeUri: src.zip"), "has the finished archive src.zip as its code", "archive", False),
        (function(f"{PROPERTIES}, CodeUri: a.jar"), "has the finished archive a.jar as its code", "archive", False),
        (function(f"{PROPERTIES}, CodeUri: a.war"), "has the finished archive a.war as its code", "archive", False),
        (
            function("Handler: index.main, Runtime: nodejs22.x, CodeUri: src"),
            "is built by nodejs22.x, not by Python; inv build --engine sam builds it",
            "nodejs22.x",
            True,
        ),
        (
            function(f"{PROPERTIES}, CodeUri: src", "BuildMethod: makefile"),
            "is built by makefile, not by Python; inv build --engine sam builds it",
            "makefile",
            True,
        ),
        (
            function("Handler: app.main, Runtime: !Ref Rt, CodeUri: src"),
            f"needs its Runtime, which is only known at deploy time (!Ref Rt); {GIVE}",
            "unknown",
            False,
        ),
        (
            function(f"{PROPERTIES}, CodeUri: src", "BuildMethod: !Ref Rt"),
            f"needs its BuildMethod, which is only known at deploy time (!Ref Rt); {GIVE}",
            "unknown",
            False,
        ),
        (
            function(f"{PROPERTIES}, CodeUri: !ImportValue code"),
            "needs its CodeUri, which is only known at deploy time (!ImportValue code)",
            "unknown",
            False,
        ),
        (
            function(f"{PROPERTIES}, CodeUri: src, Architectures: [!ImportValue chip]"),
            "needs its Architectures, which is only known at deploy time (!ImportValue chip)",
            "unknown",
            False,
        ),
    ],
)
def test_function_that_is_not_built_says_why(
    tmp_path: Path, resource: str, why: str, label: str, is_built_by_sam: bool
) -> None:
    assert load(tmp_path, resource).skipped == (Skipped("Fn", Kind.FUNCTION, why, label, is_built_by_sam),)


@pytest.mark.parametrize(
    ("resource", "why", "label"),
    [
        (layer("CompatibleRuntimes: [python3.12]"), "has no ContentUri", "empty"),
        (layer("ContentUri: l.zip"), "has the finished archive l.zip as its code", "archive"),
        (
            layer("ContentUri: !ImportValue l", "BuildMethod: makefile"),
            "needs its ContentUri, which is only known at deploy time (!ImportValue l)",
            "unknown",
        ),
        (
            layer("ContentUri: l, CompatibleArchitectures: [!ImportValue chip]"),
            "needs its BuildArchitecture, which is only known at deploy time (!ImportValue chip)",
            "unknown",
        ),
        (
            layer("ContentUri: l", "BuildMethod: makefile"),
            "is built by makefile, not by Python; inv build --engine sam builds it",
            "makefile",
        ),
        (
            layer("ContentUri: l", "BuildMethod: python3.12, BuildArchitecture: !ImportValue chip"),
            "needs its BuildArchitecture, which is only known at deploy time (!ImportValue chip)",
            "unknown",
        ),
    ],
)
def test_layer_that_is_not_built_says_why(tmp_path: Path, resource: str, why: str, label: str) -> None:
    assert [(entry.kind, entry.why, entry.label) for entry in load(tmp_path, resource).skipped] == [
        (Kind.LAYER, why, label)
    ]


@pytest.mark.parametrize(
    "resource",
    [
        function(f"{PROPERTIES}, CodeUri: src/"),
        function(PROPERTIES),
        function("Handler: app.main, Runtime: provided.al2023, CodeUri: src", "BuildMethod: python3.12"),
        function(f"{PROPERTIES}, CodeUri: src", "BuildMethod: python-uv"),
        layer("ContentUri: l"),
        layer("CompatibleRuntimes: [python3.12]", "BuildMethod: python3.12"),
        "  Queue: {Type: AWS::SQS::Queue}\n",
    ],
)
def test_what_our_builder_builds_is_not_skipped(tmp_path: Path, resource: str) -> None:
    assert load(tmp_path, resource).skipped == ()


@pytest.mark.parametrize(
    ("resource", "why", "label"),
    [
        (
            "AWS::Serverless::Application, Properties: {Location: {ApplicationId: a, SemanticVersion: 1.0.0}}",
            "comes from the AWS Serverless Application Repository",
            "published",
        ),
        (
            "AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://b/t.yaml'}",
            "has its template at https://b/t.yaml",
            "remote",
        ),
        ("AWS::Serverless::Application, Properties: {Location: 's3://b/t'}", "has its template at s3://b/t", "remote"),
        ("AWS::Serverless::Application, Properties: {Location: 'http://t'}", "has its template at http://t", "remote"),
        (
            "AWS::Serverless::Application, Properties: {Location: !ImportValue l}",
            "needs its Location, which is only known at deploy time (!ImportValue l)",
            "unknown",
        ),
        ("AWS::Serverless::Application", "names no template", "unknown"),
    ],
)
def test_nested_application_without_a_local_template_says_why(
    tmp_path: Path, resource: str, why: str, label: str
) -> None:
    stack = load(tmp_path, f"  App: {{Type: {resource}}}\n")

    assert stack.skipped == (Skipped("App", Kind.APPLICATION, why, label),)
    assert stack.nested == ()


def test_web_function_is_for_sam(tmp_path: Path) -> None:
    [entry] = load(tmp_path, "  Web: {Type: AWS::Serverless::WebFunction}\n").skipped

    assert (entry.kind, entry.label, entry.is_built_by_sam) == (Kind.FUNCTION, "web function", True)
    assert entry.why == "is a web function; inv build --engine sam builds it"


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (
            HEAD.replace("AWS::Serverless", "[AWS::LanguageExtensions, AWS::Serverless").replace("10-31", "10-31]"),
            "is not expanded: its collection is only known at deploy time",
        ),
        (HEAD, "is not expanded: add AWS::LanguageExtensions to Transform, before SAM's own"),
    ],
)
def test_loop_with_code_that_is_not_expanded_says_why(tmp_path: Path, head: str, why: str) -> None:
    code = "Fn::ForEach::Fns: [N, !ImportValue n, {'${N}Fn': {Type: AWS::Serverless::Function}}]"
    queues = "Fn::ForEach::Queues: [N, !ImportValue n, {'${N}Q': {Type: AWS::SQS::Queue}}]"

    stack = load(tmp_path, f"  {code}\n  {queues}\n", head)

    assert stack.skipped == (Skipped("Fn::ForEach::Fns", Kind.LOOP, why, "unknown"),)


@pytest.mark.parametrize(
    "kind",
    [
        "CloudFormation::Stack",
        "Lambda::Function",
        "Lambda::LayerVersion",
        "Serverless::Application",
        "Serverless::LayerVersion",
        "Serverless::WebFunction",
    ],
)
def test_contains_code_knows_every_type_at_any_depth(kind: str) -> None:
    assert skipped.contains_code(["N", {"Fn::ForEach::Inner": ["M", [], {"X": {"Type": f"AWS::{kind}"}}]}])


def test_include_among_the_resources_says_why(tmp_path: Path) -> None:
    include = "  Fn::Transform: {Name: AWS::Include, Parameters: {Location: more.yaml}}\n"

    assert load(tmp_path, include).skipped == (
        Skipped("Fn::Transform", Kind.INCLUDE, "adds resources only at deploy time", "unknown"),
    )


RESOURCES = (
    function(f"{PROPERTIES}, CodeUri: src")
    + "  Img: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}\n"
    + "  Img2: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}\n"
    + "  Raw: {Type: AWS::Serverless::Function, Properties: {InlineCode: x}}\n"
)


def test_counts_name_what_became_of_each_kind(tmp_path: Path) -> None:
    stack = load(tmp_path, RESOURCES + layer("ContentUri: l", "BuildMethod: makefile"))

    built = {("main", "Fn")}

    assert skipped.counts([stack], built) == (
        "4 functions: 1 built, 2 images skipped, 1 inline skipped; 1 layer: 1 makefile skipped"
    )
    assert skipped.counts([stack], set()).startswith("4 functions: 2 images skipped, 1 inline skipped, 1 not built; ")
    assert skipped.counts([stack], built | {("main", "L")}).endswith("; 1 layer: 1 built")


def test_counts_of_what_failed_say_so_even_beside_an_earlier_build(tmp_path: Path) -> None:
    stack = load(tmp_path, function(PROPERTIES) + layer("ContentUri: l"))

    counts = skipped.counts([stack], {("main", "Fn"), ("main", "L")}, failed={("main", "Fn")})

    assert counts == "1 function: 1 failed; 1 layer: 1 built"


REST = """
  Fn::ForEach::Fns: [N, !ImportValue n, {'${N}Fn': {Type: AWS::Serverless::Function}}]
  Fn::Transform: {Name: AWS::Include}
  App: {Type: AWS::Serverless::Application, Properties: {Location: {ApplicationId: a}}}
  Z: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: z.zip}}
  W1: {Type: AWS::Serverless::WebFunction}
  W2: {Type: AWS::Serverless::WebFunction}
"""


def test_counts_name_every_kind_in_order(tmp_path: Path) -> None:
    stack = load(tmp_path, REST + layer("ContentUri: l.zip"))

    assert skipped.counts([stack], set()) == (
        "2 functions: 2 web functions skipped; 2 layers: 2 archives skipped; 1 application: 1 published skipped; "
        "1 loop: 1 unknown skipped; 1 include: 1 unknown skipped"
    )


def test_counts_of_another_stacks_artifact_do_not_count(tmp_path: Path) -> None:
    assert skipped.counts([load(tmp_path, function(f"{PROPERTIES}"))], {("other", "Fn")}) == "1 function: 1 not built"


def test_counts_of_a_project_without_functions(tmp_path: Path) -> None:
    assert skipped.counts([load(tmp_path, "  Q: {Type: AWS::SQS::Queue}\n")], set()) == "0 functions"


def test_without_tree_leaves_out_what_sam_has_built(tmp_path: Path) -> None:
    stack = load(tmp_path, RESOURCES)

    pairs = skipped.without_tree([stack], {("main", "Img")})

    assert [(owner.name, entry.logical_id) for owner, entry in pairs] == [("main", "Img2"), ("main", "Raw")]


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        (
            function("Handler: app.main, Runtime: Python3.12, CodeUri: src"),
            "has the Runtime Python3.12, which does not exist; write python3.12",
        ),
        (
            layer("ContentUri: src", "BuildMethod: PYTHON3.12"),
            "has the BuildMethod PYTHON3.12, which does not exist; write python3.12",
        ),
    ],
)
def test_misspelt_runtime_is_a_fault(tmp_path: Path, resource: str, why: str) -> None:
    [entry] = load(tmp_path, resource).skipped

    assert (entry.why, entry.label, entry.is_fault, entry.is_built_by_sam) == (why, "misspelt", True, False)
