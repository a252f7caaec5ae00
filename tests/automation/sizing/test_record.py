import json
from dataclasses import replace

import pytest

from automation.sizing import changes, record
from automation.sizing.model import FunctionSize, Sizes
from automation.system.errors import ConfigurationError
from tests.automation.weights import MB, part, till

SIZES = till(part("numpy", 2 * MB), part("h11", MB), budget_bytes=4 * MB)


def test_parse_of_what_as_json_made_is_the_same() -> None:
    elsewhere = FunctionSize(replace(SIZES.functions[0].own, logical_id="Far"), SIZES.layers, ("arn:x",))
    sizes = replace(SIZES, functions=(*SIZES.functions, elsewhere), not_built=("app.yaml: Image",))

    assert record.parse(json.dumps(record.as_json(sizes)), where="x.json") == sizes


def test_as_json_has_own_layers_effective_zipped_budget_headroom_and_limit() -> None:
    found = record.as_json(SIZES)["functions"][0]

    assert {name: found[name] for name in ("own_bytes", "layers", "effective_bytes", "zipped_bytes")} == {
        "own_bytes": 1_000,
        "layers": {"Wheels": 3 * MB},
        "effective_bytes": 3_001_000,
        "zipped_bytes": 1_000_333,
    }
    assert found["limit_headroom_bytes"] == 262_144_000 - 3_001_000


def test_as_json_layer_has_its_parts_and_what_is_left_of_its_budget() -> None:
    found = record.as_json(SIZES)["layers"][0]

    assert (found["budget_used"], found["budget_headroom_bytes"]) == (0.75, MB)
    assert [(one["name"], one["version"], one["bytes"]) for one in found["parts"]] == [
        ("numpy", "1.0", 2 * MB),
        ("h11", "1.0", MB),
    ]


def test_as_json_with_a_comparison_has_each_change() -> None:
    comparison = changes.compare(till(part("numpy", MB), part("h11", MB)), SIZES, label="then")

    found = record.as_json(SIZES, comparison)

    assert found["baseline"] == "then"
    assert found["functions"][0]["change"]["effective_bytes"] == MB
    assert found["layers"][0]["change"]["parts"][0]["to_bytes"] == 2 * MB
    assert found["deployment"]["change"] == {"bytes": MB, "zipped_bytes": 333_334}


def test_as_json_with_a_comparison_tells_what_was_removed() -> None:
    comparison = changes.compare(SIZES, Sizes(), label="then")

    assert [one["name"] for one in record.as_json(Sizes(), comparison)["removed"]] == ["Till", "Wheels"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is not what inv size --json prints"),
        ('{"format": 0}', "its format is not 1"),
        ('{"format": 1, "layers": [], "not_built": []}', "KeyError: 'functions'"),
        ('{"format": 1, "layers": 3, "functions": [], "not_built": []}', "TypeError"),
    ],
)
def test_parse_something_else_is_refused_and_named(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=f"x.json: .*{said}"):
        record.parse(text, where="x.json")
