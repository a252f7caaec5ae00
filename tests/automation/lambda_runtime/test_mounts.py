"""The layers that Lambda mounts together."""

from pathlib import Path

import pytest

from automation.lambda_runtime.mounts import Mount, MountedLayer
from automation.project import model
from tests.automation.projects import write_files

TEMPLATE = """
Parameters: {Stage: {Type: String}, Passed: {Type: String}}
Conditions: {Live: !Equals [!Ref Stage, live]}
Resources:
  App:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Runtime: python3.12, Layers: LAYERS}
  A: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: a/}}
  B: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: b/}}
"""


def mount(root: Path, layers: str, *names: str) -> Mount:
    write_files(root, {"template.yaml": TEMPLATE.replace("LAYERS", layers)})
    [stack] = model.load(root).stacks
    return Mount(stack, stack.functions[0], root, tuple(MountedLayer(name, root / name) for name in names))


def names(layers: tuple[MountedLayer, ...]) -> tuple[str, ...]:
    return tuple(layer.logical_id for layer in layers)


@pytest.mark.parametrize(
    ("layers", "mounted", "variants", "optional"),
    [
        ("[!Ref A, !Ref B]", ("A", "B"), {("A", "B")}, ()),
        ("[!If [Live, !Ref A, !Ref B]]", ("A", "B"), {("A",), ("B",)}, ("A", "B")),
        ("[!If [Live, !Ref A, !Ref AWS::NoValue], !Ref B]", ("A", "B"), {("A", "B"), ("B",)}, ("A",)),
        (
            "[!If [Live, !Ref A, !Ref Passed]]",
            ("A", "of the parent"),
            {("A", "of the parent"), ("of the parent",)},
            ("A",),
        ),
        ("[!If [Live, 'arn:x', 'arn:y'], !Ref B]", ("B",), {("B",)}, ()),
        ("[]", (), {()}, ()),
    ],
)
def test_variants_are_the_layers_that_are_mounted_together(
    tmp_path: Path, layers: str, mounted: tuple[str, ...], variants: set[tuple[str, ...]], optional: tuple[str, ...]
) -> None:
    tried = mount(tmp_path, layers, *mounted)

    assert len(tried.variants) == len(variants)
    assert set(map(names, tried.variants)) == variants
    assert names(tried.optional) == optional
