import json
from dataclasses import replace

import pytest

from automation.sizing import changes, record
from automation.sizing.model import FunctionSize, Sizes
from automation.system.errors import ConfigurationError
from tests.automation.weights import MB, part, till

SIZES = till(part("numpy", 2 * MB), part("h11", MB), budget_bytes=4 * MB)


def test_parse_of_as_json_returns_the_same_sizes() -> None:
    own = replace(SIZES.functions[0].own, logical_id="Far", pruned_bytes=7)
    function = FunctionSize(own, SIZES.layers, ("arn:x",))
    sizes = replace(SIZES, functions=(*SIZES.functions, function), not_built=("app.yaml: Image",))

    assert record.parse(json.dumps(record.as_json(sizes)), where="x.json") == sizes


def test_as_json_function_has_its_bytes_with_and_without_layers() -> None:
    function = record.as_json(SIZES)["functions"][0]

    assert {name: function[name] for name in ("own_bytes", "layers", "effective_bytes", "zipped_bytes")} == {
        "own_bytes": 1_000,
        "layers": {"Wheels": 3 * MB},
        "effective_bytes": 3_001_000,
        "zipped_bytes": 1_000_333,
    }
    assert function["pruned_bytes"] == 0
    assert function["limit_headroom_bytes"] == 262_144_000 - 3_001_000


def test_as_json_layer_has_its_parts_and_budget_headroom() -> None:
    layer = record.as_json(SIZES)["layers"][0]

    assert (layer["budget_used"], layer["budget_headroom_bytes"]) == (0.75, MB)
    assert [(part["name"], part["version"], part["bytes"]) for part in layer["parts"]] == [
        ("numpy", "1.0", 2 * MB),
        ("h11", "1.0", MB),
    ]


def test_as_json_with_a_comparison_has_each_change() -> None:
    comparison = changes.compare(till(part("numpy", MB), part("h11", MB)), SIZES, label="then")

    document = record.as_json(SIZES, comparison)

    assert document["baseline"] == "then"
    assert document["functions"][0]["change"]["effective_bytes"] == MB
    assert document["layers"][0]["change"]["parts"][0]["to_bytes"] == 2 * MB
    assert document["deployment"]["change"] == {"bytes": MB, "zipped_bytes": 333_334}


def test_as_json_with_a_comparison_lists_removed_artifacts() -> None:
    comparison = changes.compare(SIZES, Sizes(), label="then")

    assert [artifact["name"] for artifact in record.as_json(Sizes(), comparison)["removed"]] == ["Till", "Wheels"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is not the output of inv size --json"),
        ('{"format": 0}', "in format 1; write the file again"),
        ('{"format": 1, "layers": [], "not_built": []}', "KeyError: 'functions'"),
        ('{"format": 1, "layers": 3, "functions": [], "not_built": []}', "TypeError"),
    ],
)
def test_parse_anything_else_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"x.json: .*{message}"):
        record.parse(text, where="x.json")
