from pathlib import Path

import pytest

from automation.project import model, selection
from automation.project.model import Project, Stack
from automation.project.selection import Chosen
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.projects import write_files


def chosen_ids(shop: Project, chosen: Chosen) -> dict[str, list[str]]:
    return {stack.name: sorted(selection.of_stack(stack, chosen)) for stack in selection.stacks(shop, chosen)}


def test_stacks_without_names_selects_everything(shop: Project) -> None:
    assert chosen_ids(shop, Chosen()) == {
        "base": ["Code", "Stock"],
        "app": ["Code", "Ledger", "Till", "Wheels"],
    }


def test_stacks_named_function_includes_its_layers(shop: Project) -> None:
    assert chosen_ids(shop, Chosen(names=("Till",))) == {"app": ["Code", "Till", "Wheels"]}


def test_stacks_shared_layer_comes_from_the_named_stack(shop: Project) -> None:
    assert chosen_ids(shop, Chosen(names=("Code",), stack="base")) == {"base": ["Code"]}


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (Chosen(names=("Tull",)), "no function or layer 'Tull'; did you mean Till"),
        (Chosen(stack="nowhere"), "no stack 'nowhere'; the stacks are: base, app"),
        (Chosen(names=("Till",), stack="base"), "no function or layer 'Till'"),
        (Chosen(architecture="mips"), "no architecture 'mips'; there are: x86_64, arm64"),
    ],
)
def test_stacks_unknown_choice_lists_known_ones(shop: Project, chosen: Chosen, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        selection.stacks(shop, chosen)


def test_parameters_of_code_are_those_artifacts_depend_on(shop: Project) -> None:
    assert [selection.parameters_of_code(stack) for stack in shop.stacks] == [{"Machine"}, set()]


def stack_of(root: Path, architectures: str) -> Stack:
    text = f"""
Parameters: {{Chip: {{Type: String, Default: x86_64}}}}
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties: {{CodeUri: greet, Handler: a.b, Runtime: python3.12, Architectures: {architectures}}}
"""
    write_files(root, {"template.yaml": text, "greet/a.py": ""})
    return model.load(root).stacks[0]


def test_for_architecture_sets_the_template_parameter(tmp_path: Path) -> None:
    resolved, parameters = selection.for_architecture(stack_of(tmp_path, "[!Ref Chip]"), {}, "arm64")

    assert (resolved.functions[0].architectures, dict(parameters)) == (("arm64",), {"Chip": "arm64"})


def test_for_architecture_fixed_in_template_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Greet: Architectures: the template sets x86_64"):
        selection.for_architecture(stack_of(tmp_path, "[x86_64]"), {}, "arm64")


def test_parameters_of_code_decide_loops_and_nested_stacks(tmp_path: Path) -> None:
    text = """
Transform: AWS::LanguageExtensions
Parameters:
  Names: {Type: CommaDelimitedList, Default: "a,b"}
  Queues: {Type: CommaDelimitedList, Default: "x"}
  Python: {Type: String, Default: python3.12}
  Stage: {Type: String, Default: dev}
Resources:
  Fn::ForEach::Fns: [N, !Ref Names, {"${N}Fn": {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}}]
  Fn::ForEach::Queues: [N, !Ref Queues, {"${N}Queue": {Type: AWS::SQS::Queue}}]
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Stage}}
  App: {Type: AWS::Serverless::Application, Properties: {Location: app.yaml, Parameters: {Runtime: !Ref Python}}}
"""
    write_files(tmp_path, {"template.yaml": text, "app.yaml": "Resources: {}"})

    assert selection.parameters_of_code(model.load(tmp_path).stacks[0]) == {"Names", "Python"}


def test_for_architecture_replaces_a_value_that_a_parameter_has(tmp_path: Path) -> None:
    stack = stack_of(tmp_path, "[!Ref Chip]")

    resolved, used = selection.for_architecture(stack, {"Chip": "x86_64"}, "arm64")

    assert (resolved.functions[0].architectures, used) == (("arm64",), {"Chip": "arm64"})


def test_parameters_of_code_decide_which_layers_are_mounted(tmp_path: Path) -> None:
    text = """
Parameters:
  Stage: {Type: String}
  Tools: {Type: String}
  Size: {Type: Number}
Conditions: {Live: !Equals [!Ref Stage, live]}
Globals: {Function: {Layers: !If [Live, ["arn:x"], !Ref AWS::NoValue]}}
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, Layers: [!Ref Tools], MemorySize: !Ref Size}
"""
    write_files(tmp_path, {"template.yaml": text})

    assert selection.parameters_of_code(model.load(tmp_path).stacks[0]) == {"Stage", "Tools"}
