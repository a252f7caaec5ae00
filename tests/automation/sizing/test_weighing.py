"""The size of a function whose layers depend on a condition that is only known at deploy time."""

from pathlib import Path

import pytest

from automation.project import model
from automation.sizing import weighing
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import put

FAR = {"Far": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}


@pytest.mark.parametrize(("first", "second", "expected"), [(10, 20, "Second"), (20, 10, "First")])
def test_weigh_function_mounts_the_larger_branch(tmp_path: Path, first: int, second: int, expected: str) -> None:
    either = {"Fn::If": ["Far", {"Ref": "First"}, {"Ref": "Second"}]}
    names = ("First", "Second", "Always")
    layers = [{"Ref": "Always"}, either, {"Fn::ImportValue": "far"}]
    resources = {"App": subjects.function(Layers=layers), **dict.fromkeys(names, subjects.layer())}
    subjects.write(tmp_path, resources, {"App": {"app.py": ""}}, Conditions=FAR)
    for name, size_bytes in zip(names, (first, second, 5), strict=True):
        put(tmp_path / BUILD / name / "data.bin", "x" * size_bytes)

    sizes = weighing.weigh(model.load(tmp_path))

    [app] = sizes.functions
    assert [layer.logical_id for layer in app.layers] == ["Always", expected]
    assert app.unmeasured_layers == ("!ImportValue far",)
    assert len(sizes.layers) == 3
