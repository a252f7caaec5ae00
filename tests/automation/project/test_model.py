import re
from pathlib import Path

import pytest

from automation.project import model
from automation.project.model import Project
from automation.project.settings import Settings
from automation.project.templates import Unresolved
from automation.system.errors import ConfigurationError
from tests.automation.projects import APP, BASE, PYPROJECT, make_shop, write_files


def function(loaded: Project, name: str) -> model.Function:
    return next(function for function in loaded.functions if function.logical_id == name)


def test_load_stacks_are_in_deployment_order(shop: Project) -> None:
    assert [(stack.name, stack.build_dir, stack.config_env) for stack in shop.stacks] == [
        ("base", ".aws-sam/base", "{env}-base"),
        ("app", ".aws-sam/build", "{env}"),
    ]


def test_load_function_merges_globals_with_their_layers_first(shop: Project) -> None:
    till = function(shop, "Till")

    assert (till.code_uri, till.handler, till.runtime) == ("functions/till", "shop.till.handler.main", "python3.12")
    assert till.layers == ("Code", "Wheels")
    assert till.timeout_s == 30
    assert till.architectures == ("x86_64",)


def test_load_with_parameters_resolves_their_references(tmp_path: Path) -> None:
    loaded = model.load(make_shop(tmp_path), parameters={"Machine": "arm64"})

    assert function(loaded, "Stock").architectures == ("arm64",)


def test_load_project_without_pyproject_has_one_stack(tmp_path: Path) -> None:
    template = """
      Resources:
        Plain:
          Type: AWS::Lambda::Function
          Properties: {Handler: app.main, Code: ./src, Runtime: python3.11, Layers: ["arn:aws:lambda:x:1:layer:l:1"]}
        Inline:
          Type: AWS::Serverless::Function
          Properties: {InlineCode: "pass", Handler: index.main}
        Stored:
          Type: AWS::Serverless::Function
          Properties: {CodeUri: "s3://bucket/key", Layers: [!ImportValue other]}
        Inline2:
          Type: AWS::Lambda::Function
          Properties: {Code: {ZipFile: "pass"}}
    """
    write_files(tmp_path, {"template.yml": template})

    loaded = model.load(tmp_path)

    assert [stack.name for stack in loaded.stacks] == ["main"]
    assert function(loaded, "Plain").code_uri == "src"
    assert function(loaded, "Plain").layers == ("arn:aws:lambda:x:1:layer:l:1",)
    assert function(loaded, "Inline").code_uri is None
    assert function(loaded, "Stored").code_uri == Unresolved("s3://bucket/key")
    assert isinstance(function(loaded, "Stored").layers[0], Unresolved)
    assert function(loaded, "Inline2").code_uri is None
    assert (function(loaded, "Inline2").handler, function(loaded, "Inline2").runtime) == ("", "")
    assert function(loaded, "Inline2").architectures == ("x86_64",)


def test_load_layer_says_what_it_fits(tmp_path: Path) -> None:
    template = """
      Globals: {LayerVersion: {CompatibleArchitectures: [arm64]}}
      Resources:
        Own: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: own, CompatibleRuntimes: [python3.13]}}
        Plain: {Type: AWS::Lambda::LayerVersion, Properties: {Content: {S3Bucket: b, S3Key: k}}}
    """
    write_files(tmp_path, {"template.yaml": template})

    own, plain = model.load(tmp_path).layers

    assert (own.stack, own.content_uri, own.runtimes, own.architectures) == ("main", "own", ("python3.13",), ("arm64",))
    assert (plain.content_uri, plain.runtimes) == (Unresolved("s3://b/k"), ())
    assert own.properties["CompatibleArchitectures"] == ["arm64"]


def test_owners_of_a_stack_are_functions_then_layers(shop: Project) -> None:
    assert [owner.logical_id for owner in shop.stacks[1].owners] == ["Till", "Ledger", "Code", "Wheels"]


def test_load_template_in_subfolder_gives_paths_from_root(tmp_path: Path) -> None:
    make_shop(tmp_path, pyproject_toml=PYPROJECT.replace("base.yaml", "infra/base.yaml"))
    write_files(tmp_path, {"infra/base.yaml": BASE})

    assert function(model.load(tmp_path), "Stock").code_uri == "infra/functions/stock"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pyproject_toml": "x = ["}, r"pyproject\.toml: is not valid TOML"),
        (
            {"pyproject_toml": PYPROJECT.replace('name = "app"', 'name = "base"')},
            r"^pyproject\.toml: \[\[tool\.alchemiser\.stacks\]\]: two stacks have the name base$",
        ),
        (
            {
                "pyproject_toml": PYPROJECT.replace('"{env}-base"', '"live"').replace(
                    "app.yaml", 'app.yaml"\nconfig_env = "live'
                )
            },
            "two stacks have the config_env live$",
        ),
        (
            {"pyproject_toml": PYPROJECT.replace(".aws-sam/base", ".aws-sam/build")},
            r"two stacks have the build_dir \.aws-sam/build$",
        ),
        ({"pyproject_toml": PYPROJECT.replace('name = "app"\n', "")}, "a stack needs a name and a template$"),
        ({"pyproject_toml": PYPROJECT.replace('"app.yaml"', "1")}, "a stack needs a name and a template$"),
        ({"pyproject_toml": PYPROJECT.replace("layer_mb = 2", "layer_mb = 0")}, "layer_mb: 0 is not a positive"),
        ({"app_yaml": "Resources: ["}, r"app\.yaml:2: is not valid YAML"),
    ],
)
def test_load_invalid_settings_raise(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    make_shop(tmp_path, **changes)

    with pytest.raises(ConfigurationError, match=message):
        model.load(tmp_path)


def test_budget_bytes_metadata_overrides_the_default(shop: Project) -> None:
    functions = {function.logical_id: model.budget_bytes(function, shop.settings) for function in shop.functions}
    layers = [model.budget_bytes(layer, shop.settings) for layer in shop.layers]

    assert functions == {"Stock": 1_000_000, "Till": 250_000, "Ledger": 1_000_000}
    assert layers == [500_000, 2_000_000, 2_000_000]


def test_budget_bytes_without_budget_is_none(shop: Project) -> None:
    assert model.budget_bytes(function(shop, "Ledger"), Settings()) is None


def test_budget_bytes_not_a_number_raises(tmp_path: Path) -> None:
    loaded = model.load(make_shop(tmp_path, app_yaml=APP.replace("BudgetMB: 0.25", "BudgetMB: lots")))

    message = r"^Till: Metadata: Alchemiser: BudgetMB: 'lots' is not a positive number"
    with pytest.raises(ConfigurationError, match=message):
        model.budget_bytes(function(loaded, "Till"), loaded.settings)


FUNCTION = "Fn: {Type: AWS::Serverless::Function, Properties: {Handler: app.main, Runtime: !Ref Rt, CodeUri: ../src/}}"


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["template.yaml", "template.yml", "template.json"], "template.yaml"),
        (["template.yml", "template.json"], "template.yml"),
        (["template.json"], "template.json"),
    ],
)
def test_load_takes_the_template_that_sam_takes(tmp_path: Path, names: list[str], taken: str) -> None:
    write_files(tmp_path, dict.fromkeys(names, '{"Resources": {}}'))

    assert model.load(tmp_path).stacks[0].template.path == taken


def test_load_template_and_parameters_of_samconfig(tmp_path: Path) -> None:
    samconfig = """
      [default.global.parameters]
      template_file = "./infra/sam.yaml"
      [default.build.parameters]
      parameter_overrides = ["Rt=python3.13", "Elsewhere=x"]
    """
    template = f"Parameters: {{Rt: {{Type: String, Default: python3.12}}}}\nResources:\n  {FUNCTION}"
    write_files(tmp_path, {"samconfig.toml": samconfig, "infra/sam.yaml": template})

    [stack] = model.load(tmp_path).stacks

    assert (stack.template.path, stack.parameters) == ("infra/sam.yaml", {"Rt": "python3.13"})
    assert (stack.functions[0].code_uri, stack.functions[0].runtime) == ("src", "python3.13")
    assert model.load(tmp_path, parameters={"Rt": "python3.11"}).functions[0].runtime == "python3.11"


@pytest.mark.parametrize(
    ("samconfig", "folder", "code"),
    [
        ('[default.build.parameters]\nbase_dir = "."', ".", "shop/src"),
        ('[default.global.parameters]\nbase_dir = "./code/"', "./code/", "code/shop/src"),
        ('[default.build.parameters]\nbase_dir = "../code"', "../code", "../code/shop/src"),
        ('[default.deploy.parameters]\nbase_dir = "."', "", "infra/shop/src"),
        ("[default.build.parameters]\nbase_dir = 1", "", "infra/shop/src"),
    ],
)
def test_load_code_lies_below_the_base_dir_of_samconfig(tmp_path: Path, samconfig: str, folder: str, code: str) -> None:
    """SAM takes the code folders of nested templates from there too, but no templates."""
    template = """
      Resources:
        Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shop/src}}
        Fn: {Type: AWS::Serverless::Function, Properties: {Handler: a.b, Runtime: python3.12, CodeUri: shop/src/}}
    """
    nesting = f"{template}    In: {{Type: AWS::Serverless::Application, Properties: {{Location: in/t.yaml}}}}\n"
    files = {"infra/t.yaml": nesting, "infra/in/t.yaml": template}
    write_files(tmp_path, {"samconfig.toml": samconfig, **files})
    write_files(tmp_path, {"pyproject.toml": '[[tool.alchemiser.stacks]]\nname = "a"\ntemplate = "infra/t.yaml"'})

    outer, inner = model.load(tmp_path).stacks

    assert (outer.code_folder, outer.functions[0].code_uri, outer.layers[0].content_uri) == (folder, code, code)
    assert inner.template.path == "infra/in/t.yaml"
    assert inner.functions[0].code_uri == (code if folder else "infra/in/shop/src")


def test_load_base_dir_is_that_of_the_stacks_own_section(tmp_path: Path) -> None:
    samconfig = '[default-base.build.parameters]\nbase_dir = "code"\n'

    loaded = model.load(make_shop(tmp_path, samconfig_toml=samconfig))

    assert [stack.code_folder for stack in loaded.stacks] == ["code", ""]


def test_load_each_stack_has_the_default_section_of_its_config_env(tmp_path: Path) -> None:
    samconfig = """
      [default.build.parameters]
      parameter_overrides = "Colour=blue"
      [default-base.build.parameters]
      parameter_overrides = "Machine=arm64"
    """

    loaded = model.load(make_shop(tmp_path, samconfig_toml=samconfig))

    assert [stack.parameters for stack in loaded.stacks] == [{"Machine": "arm64"}, {"Colour": "blue"}]
    assert function(loaded, "Stock").architectures == ("arm64",)


def test_load_unreadable_stack_raises_unless_it_may_be_left_out(tmp_path: Path) -> None:
    make_shop(tmp_path, base_yaml="Resources:\n  A: b: c\n")

    with pytest.raises(ConfigurationError, match=r"^base\.yaml:2: is not valid YAML"):
        model.load(tmp_path)
    loaded = model.load(tmp_path, keeps_going=True)

    assert [stack.name for stack in loaded.stacks] == ["app"]
    assert [(name, cause.where) for name, cause in loaded.unread.items()] == [("base", "base.yaml:2")]


def test_load_missing_stack_may_be_left_out_too(tmp_path: Path) -> None:
    make_shop(tmp_path)
    (tmp_path / "app.yaml").unlink()

    loaded = model.load(tmp_path, keeps_going=True)

    assert [stack.name for stack in loaded.stacks] == ["base"]
    assert str(loaded.unread["app"]).startswith("app.yaml: the template does not exist")


def test_load_without_any_readable_stack_raises_the_first_fault(tmp_path: Path) -> None:
    make_shop(tmp_path, base_yaml="a: 1", app_yaml="b: 1")

    with pytest.raises(ConfigurationError, match=r"^base\.yaml: has no Resources"):
        model.load(tmp_path, keeps_going=True)


def test_load_code_without_a_location_lies_beside_the_template(tmp_path: Path) -> None:
    template = """
      Resources:
        Fn: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
        Plain: {Type: AWS::Lambda::Function, Properties: {Handler: a.b}}
        L: {Type: AWS::Serverless::LayerVersion, Metadata: {BuildMethod: python3.12}}
        Img: {Type: AWS::Serverless::Function, Properties: {PackageType: Image, CodeUri: src/}}
    """
    write_files(
        tmp_path,
        {"infra/t.yaml": template, "samconfig.toml": '[default.build.parameters]\ntemplate_file = "infra/t.yaml"'},
    )

    loaded = model.load(tmp_path)

    assert [function.code_uri for function in loaded.functions] == ["infra", "infra", None]
    assert [layer.content_uri for layer in loaded.layers] == ["infra"]
    assert [function.is_image for function in loaded.functions] == [False, False, True]


def test_load_metadata_is_resolved(tmp_path: Path) -> None:
    template = """
      Parameters: {Rt: {Type: String, Default: python3.12}}
      Resources:
        Fn: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}, Metadata: {BuildMethod: !Ref Rt}}
        L: {Type: AWS::Serverless::LayerVersion, Metadata: {BuildMethod: !Sub "${Rt}"}}
    """
    write_files(tmp_path, {"template.yaml": template})

    loaded = model.load(tmp_path)

    assert loaded.functions[0].metadata == loaded.layers[0].metadata == {"BuildMethod": "python3.12"}


def test_with_parameters_expands_loops_anew(tmp_path: Path) -> None:
    template = """
      Transform: AWS::LanguageExtensions
      Parameters: {Names: {Type: CommaDelimitedList, Default: "a,b"}}
      Resources:
        Fn::ForEach::Fns:
          - N
          - !Ref Names
          - "${N}Fn": {Type: AWS::Serverless::Function, Properties: {CodeUri: !Sub "${N}/"}}
    """
    write_files(tmp_path, {"template.yaml": template})
    [stack] = model.load(tmp_path).stacks

    assert [(entry.logical_id, entry.code_uri) for entry in stack.functions] == [("aFn", "a"), ("bFn", "b")]
    assert [entry.logical_id for entry in model.with_parameters(stack, {"Names": "c"}).functions] == ["cFn"]


def test_load_template_of_another_name_says_how_to_name_it(tmp_path: Path) -> None:
    write_files(tmp_path, {"sam.yml": f"Transform: AWS::Serverless-2016-10-31{APP}"})
    message = "there is no template.yaml, template.yml or template.json here; write into pyproject.toml the line "

    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}") as caught:
        model.load(tmp_path)

    line = str(caught.value).partition("below it the line ")[2]
    write_files(tmp_path, {"pyproject.toml": f"[tool.alchemiser]\n{line}\n"})
    [stack] = model.load(tmp_path).stacks
    assert (stack.name, stack.template.path) == ("main", "sam.yml")


def test_load_stacks_get_a_build_and_a_section_of_their_own(tmp_path: Path) -> None:
    stacks = [f'{{name = "{name}", template = "{name}.yaml"}}' for name in "abc"]
    stacks[0] = stacks[0].replace("}", ', config_env = "{env}-b"}')
    stacks[2] = stacks[2].replace("}", ', build_dir = ".aws-sam/build"}')
    settings = f"[tool.alchemiser]\nstacks = [{', '.join(stacks)}]\n"
    write_files(tmp_path, {"pyproject.toml": settings, **{f"{name}.yaml": "Resources: {}" for name in "abc"}})

    assert [(stack.build_dir, stack.config_env) for stack in model.load(tmp_path).stacks] == [
        (".aws-sam/a", "{env}-b"),
        (".aws-sam/b", "{env}"),
        (".aws-sam/build", "{env}-c"),
    ]
