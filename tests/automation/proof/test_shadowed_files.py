"""Layers between which a condition chooses that is only known at deploy time."""

from pathlib import Path
from typing import Any

import pytest

from automation.proof import shadowed_files
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects

STAGE = {"Stage": {"Type": "String"}}
LIVE = {"Live": {"Fn::Equals": [{"Ref": "Stage"}, "live"]}}
FAR = {"Live": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}
EITHER = [{"Fn::If": ["Live", {"Ref": "First"}, {"Ref": "Second"}]}]
TREES: dict[str, dict[str, str | bytes]] = {
    "First": {"python/tools.py": "NAME = 1\n", "python/same.py": ""},
    "Second": {"python/tools.py": "NAME = 2\n", "python/same.py": ""},
}


def write(root: Path, layers: Any, **sections: Any) -> Subject:
    resources = {"App": subjects.function(Layers=layers), "First": subjects.layer(), "Second": subjects.layer()}
    return subjects.write(root, resources, TREES, **{"Parameters": STAGE, "Conditions": LIVE, **sections})


def faults(rule: str, subject: Subject) -> list[Fault]:
    return subjects.faults(shadowed_files.RULES, rule, subject)


def test_layers_of_two_branches_that_differ_are_a_warning(tmp_path: Path) -> None:
    subject = write(tmp_path, EITHER)

    [fault] = faults("layer-undecided", subject)

    first, second = (layer.logical_id for layer in subject.mounts[0].layers)
    assert fault == Fault(
        "template.yaml: App",
        f"mounts {first} or {second}, as a condition decides at deploy time, and these have different "
        f"python/tools.py; the import was tried with that of {second}",
        "give the parameter Stage a value in samconfig.toml, or a Default, and run inv build",
        Severity.WARNING,
    )
    assert faults("layer-conflict", subject) == []


def test_layers_of_two_branches_by_region_have_no_parameter(tmp_path: Path) -> None:
    [fault] = faults("layer-undecided", write(tmp_path, EITHER, Conditions=FAR))

    assert fault.fix == "give the files the same content, or different names"


@pytest.mark.parametrize(
    "layers",
    [
        [{"Ref": "First"}, {"Ref": "Second"}],
        [{"Fn::If": ["Live", {"Ref": "First"}, {"Ref": "AWS::NoValue"}]}, {"Ref": "Second"}],
    ],
)
def test_layers_that_are_mounted_together_are_a_conflict(tmp_path: Path, layers: list[Any]) -> None:
    subject = write(tmp_path, layers)

    assert len(faults("layer-conflict", subject)) == 1
    assert faults("layer-undecided", subject) == []


def test_layers_of_a_known_condition_are_one_of_the_two(tmp_path: Path) -> None:
    subject = write(tmp_path, EITHER, Parameters={"Stage": {"Type": "String", "Default": "live"}})

    assert faults("layer-undecided", subject) == faults("layer-conflict", subject) == []


def test_layers_of_two_branches_that_agree_are_no_fault(tmp_path: Path) -> None:
    subject = write(tmp_path, EITHER)
    (tmp_path / subjects.BUILD / "Second/python/tools.py").write_text("NAME = 1\n")

    assert faults("layer-undecided", subject) == []
