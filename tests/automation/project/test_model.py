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
    assert isinstance(function(loaded, "Inline2").code_uri, Unresolved)


def test_load_template_in_subfolder_gives_paths_from_root(tmp_path: Path) -> None:
    make_shop(tmp_path, pyproject_toml=PYPROJECT.replace("base.yaml", "infra/base.yaml"))
    write_files(tmp_path, {"infra/base.yaml": BASE})

    assert function(model.load(tmp_path), "Stock").code_uri == "infra/functions/stock"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pyproject_toml": "x = ["}, r"pyproject\.toml: is not valid TOML"),
        ({"pyproject_toml": PYPROJECT.replace('name = "app"', 'name = "base"')}, "two stacks have the name base"),
        ({"pyproject_toml": PYPROJECT.replace('name = "app"\n', "")}, "a stack needs a name and a template"),
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

    with pytest.raises(ConfigurationError, match=r"Till.*'lots' is not a positive number"):
        model.budget_bytes(function(loaded, "Till"), loaded.settings)
