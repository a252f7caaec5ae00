from pathlib import Path

import pytest

from automation.project import model, selection
from automation.project.model import Project, Stack
from automation.project.selection import Chosen
from automation.system.errors import ConfigurationError, UsageError
from tests.automation.projects import write_files


def chosen_ids(shop: Project, chosen: Chosen) -> dict[str, list[str]]:
    return {one.name: sorted(selection.of_stack(one, chosen)) for one in selection.stacks(shop, chosen)}


def test_stacks_nothing_named_is_everything(shop: Project) -> None:
    assert chosen_ids(shop, Chosen()) == {
        "base": ["Code", "Stock"],
        "app": ["Code", "Ledger", "Till", "Wheels"],
    }


def test_stacks_named_function_brings_the_layers_it_is_mounted_with(shop: Project) -> None:
    assert chosen_ids(shop, Chosen(names=("Till",))) == {"app": ["Code", "Till", "Wheels"]}


def test_stacks_layer_of_both_stacks_is_taken_from_the_stack_that_is_asked_for(shop: Project) -> None:
    assert chosen_ids(shop, Chosen(names=("Code",), stack="base")) == {"base": ["Code"]}


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (Chosen(names=("Tull",)), "no function or layer 'Tull'; did you mean Till"),
        (Chosen(stack="nowhere"), "no stack 'nowhere'; the stacks are: base, app"),
        (Chosen(names=("Till",), stack="base"), "no function or layer 'Till'"),
        (Chosen(architecture="mips"), "no architecture 'mips'; there are: x86_64, arm64"),
    ],
)
def test_stacks_what_does_not_exist_is_refused_with_what_does(shop: Project, chosen: Chosen, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        selection.stacks(shop, chosen)


def test_parameters_of_code_are_those_that_artifacts_depend_on(shop: Project) -> None:
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


def test_for_architecture_sets_the_parameter_that_the_template_reads_it_from(tmp_path: Path) -> None:
    resolved, told = selection.for_architecture(stack_of(tmp_path, "[!Ref Chip]"), {}, "arm64")

    assert (resolved.functions[0].architectures, dict(told)) == (("arm64",), {"Chip": "arm64"})


def test_for_architecture_that_the_template_writes_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Greet: Architectures: the template sets x86_64"):
        selection.for_architecture(stack_of(tmp_path, "[x86_64]"), {}, "arm64")
