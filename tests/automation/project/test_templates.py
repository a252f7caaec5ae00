from pathlib import Path
from typing import Any

import pytest

from automation.project import templates
from automation.project.templates import Unresolved
from automation.system import files
from automation.system.errors import ConfigurationError
from tests.automation.projects import write_files

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Colour: {Type: String}
  Flag: {Type: String, Default: true}
Mappings:
  Sizes: {dev: {Memory: 128}, 123456789012: {Memory: 512}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
"""


def resolved(value: Any, **parameters: str) -> Any:
    return templates.resolve(value, templates.parse(TEMPLATE, name="t.yaml"), parameters)


@pytest.mark.parametrize(
    ("definition", "hidden"),
    [({"NoEcho": True}, True), ({"NoEcho": "TRUE"}, True), ({"NoEcho": False}, False), ({}, False), (None, False)],
)
def test_is_no_echo_reads_texts_and_booleans(definition: Any, hidden: bool) -> None:
    assert templates.is_no_echo(definition) is hidden


def test_parse_short_forms_become_long_forms() -> None:
    text = """
      Resources:
        A:
          Type: X
          Properties:
            a: !Ref B
            b: !GetAtt B.Arn.Deep
            c: !Sub ["${x}", {x: !Ref C}]
            d: !If [Yes, 1, 2]
            e: 2010-09-09
    """

    properties = templates.parse(text, name="t.yaml").resources["A"]["Properties"]

    assert properties == {
        "a": {"Ref": "B"},
        "b": {"Fn::GetAtt": ["B", "Arn.Deep"]},
        "c": {"Fn::Sub": ["${x}", {"x": {"Ref": "C"}}]},
        "d": {"Fn::If": [True, 1, 2]},
        "e": "2010-09-09",
    }


def test_parse_resolves_anchors_and_skips_loops() -> None:
    text = """
      Resources:
        A: {Type: X, Properties: &shared {Size: 1}}
        B: {Type: X, Properties: {<<: *shared, More: 2}}
        Fn::ForEach::Each: [Name, [a, b], {}]
    """

    resources = templates.parse(text, name="t.yaml").resources

    assert resources["B"]["Properties"] == {"Size": 1, "More": 2}
    assert set(resources) == {"A", "B"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: [", r"t\.yaml:2: is not valid YAML"),
        ("a: \x00", r"t\.yaml: is not valid YAML"),
        ("just text", r"^t\.yaml: has no Resources, so it is not a template$"),
        ("{Resources: []}", r"^t\.yaml: has no Resources, "),
        ("Resources: {A: {Properties: {}}}", r"^t\.yaml: A: has no Type$"),
        ("Resources: {A: text}", r"^t\.yaml: A: has no Type$"),
        ("{Resources: {}, Parameters: {A: 1}}", r"^t\.yaml: Parameters is not a mapping of mappings$"),
        ("{Resources: {}, Conditions: {A: 1}}", r"^t\.yaml: Conditions is not a mapping of mappings$"),
        ("{Resources: {}, Globals: [1]}", r"^t\.yaml: Globals is not a mapping of mappings$"),
    ],
)
def test_parse_invalid_template_raises(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        templates.parse(text, name="t.yaml")


def test_read_missing_file_raises(tmp_path: Path) -> None:
    message = r"^t\.yaml: the template does not exist; see \[tool\.alchemiser\] in pyproject\.toml$"
    with pytest.raises(ConfigurationError, match=message):
        templates.read(tmp_path / "t.yaml", name="t.yaml")


def test_read_binary_file_raises(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigurationError, match=r"^t\.yaml: the template cannot be read: 'utf-8' codec"):
        templates.read(tmp_path / "t.yaml", name="t.yaml")


def test_resolve_parameter_value_overrides_default() -> None:
    assert resolved({"Ref": "Stage"}) == "dev"
    assert resolved({"Ref": "Stage"}, Stage="prod") == "prod"


def test_resolve_known_intrinsics_become_values() -> None:
    assert resolved({"Fn::Sub": "q-${Stage}-${!Literal}"}) == "q-dev-${Literal}"
    assert resolved({"Fn::Sub": ["${a}${Stage}", {"a": "x-"}]}) == "x-dev"
    assert resolved({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}) == "a-dev"
    assert resolved({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]}) == 128
    assert resolved({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "Memory"]}, Stage="123456789012") == 512
    assert resolved({"Fn::Select": ["1", ["a", {"Ref": "Stage"}]]}) == "dev"
    assert resolved({"Fn::Split": ["-", {"Fn::Sub": "${Stage}-a"}]}) == ["dev", "a"]


def test_resolve_flags_become_the_texts_of_cloudformation() -> None:
    assert resolved({"Ref": "Flag"}) == "true"
    assert resolved({"Fn::Sub": ["${ Flag }-${a}", {"a": False}]}) == "true-false"
    assert resolved({"Fn::Join": ["", [True, 1, "x"]]}) == "true1x"


def test_resolve_absent_values_leave_their_list() -> None:
    assert resolved([1, {"Ref": "AWS::NoValue"}, 2]) == [1, 2]
    assert resolved({"Ref": "AWS::NoValue"}) is None


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Queue"},
        {"Ref": "Colour"},
        {"Ref": "AWS::Region"},
        {"Fn::Sub": "${AWS::StackName}-bus"},
        {"Fn::Join": ["-", [{"Ref": "Queue"}]]},
        {"Fn::Sub": ["${a}", {"a": {"Ref": "Queue"}}]},
        {"Fn::Sub": ["${a}", {"a": ["x"]}]},
        {"Fn::Sub": ["${a}", {"Ref": "Queue"}]},
        {"Fn::FindInMap": ["Sizes", "prod", "Memory"]},
        {"Fn::FindInMap": ["Sizes", "dev", "Weight"]},
        {"Fn::FindInMap": ["Nowhere", "dev", "Memory"]},
        {"Fn::FindInMap": ["Sizes", {"Ref": "Colour"}, "Memory", {"DefaultValue": 256}]},
        {"Fn::FindInMap": ["Sizes", ["dev"], "Memory"]},
        {"Fn::FindInMap": ["Sizes", "prod", "Memory", {"Value": 256}]},
        {"Fn::Select": [2, ["a", "b"]]},
        {"Fn::Select": ["-1", ["a", "b"]]},
        {"Fn::Select": [0, {"Ref": "Queue"}]},
        {"Fn::Split": ["-", {"Ref": "Queue"}]},
        {"Fn::If": ["Nowhere", 1, 2]},
        {"Fn::GetAtt": ["Queue"]},
        {"Fn::ImportValue": "x"},
        {"Condition": "Yes"},
    ],
)
def test_resolve_deploy_time_value_stays_unresolved(value: dict[str, Any]) -> None:
    result = resolved(value)

    assert isinstance(result, Unresolved)
    assert result.expression == str(value)


def test_resolve_nested_values_keeps_their_shape() -> None:
    assert resolved({"a": [{"Ref": "Stage"}, 1], "b": {"c": {"Ref": "Stage"}}}) == {"a": ["dev", 1], "b": {"c": "dev"}}
    assert resolved({404: {"Ref": "Stage"}}) == {404: "dev"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("!Equals [!Ref Stage, dev]", "then"),
        ("!Equals [!Ref Stage, live]", "else"),
        ("!Equals [!Ref Colour, dev]", None),
        ("!Equals [!Ref Flag, 'true']", "then"),
        ("!Equals ['true', true]", "then"),
        ("!Equals [1, '1']", "then"),
        ("!Not [!Condition Open]", "else"),
        ("!Not [!Condition Shut]", "then"),
        ("!Not [!Condition Later]", None),
        ("!Condition Nowhere", None),
        ("!And [!Condition Open, !Condition Open]", "then"),
        ("!And [!Condition Later, !Condition Shut]", "else"),
        ("!And [!Condition Later, !Condition Open]", None),
        ("!Or [!Condition Shut, !Condition Shut]", "else"),
        ("!Or [!Condition Later, !Condition Open]", "then"),
        ("!Or [!Condition Later, !Condition Shut]", None),
        ("!Contains [[a], a]", None),
    ],
)
def test_resolve_choice_follows_its_condition(condition: str, expected: str | None) -> None:
    conditions = f"Conditions: {{C: {condition}, Open: true, Shut: false, Later: !Equals [!Ref Colour, blue]}}"
    choice = {"Fn::If": ["C", {"Fn::Sub": "then"}, {"Fn::Sub": "else"}]}

    value = templates.resolve(choice, templates.parse(f"{TEMPLATE}\n{conditions}", name="t.yaml"), {})

    assert (value.expression if isinstance(value, Unresolved) else value) == (expected or str(choice))


def test_references_are_found_at_any_depth() -> None:
    value = {"a": [{"Ref": "X"}, {"Fn::Sub": "${Y.Arn}-${!No}"}], "b": {"Fn::Sub": ["${Z}", {"Z": {"Ref": "W"}}]}}

    assert templates.references(value) == {"X", "Y", "Z", "W"}


def test_references_of_conditions_count_when_they_are_passed() -> None:
    conditions = {
        "IsBlue": {"Fn::Equals": [{"Ref": "Colour"}, "blue"]},
        "Both": [{"Condition": "IsBlue"}, {"Condition": "Both"}, {"Ref": "Stage"}],
    }
    choice = {"Fn::If": ["Both", {"Ref": "X"}, 1]}

    assert templates.references(choice) == {"X"}
    assert templates.references(choice, conditions) == {"X", "Colour", "Stage"}
    assert templates.references({"Type": "T", "Condition": "IsBlue"}, conditions) == {"Colour"}
    assert templates.references([{"Fn::If": []}, {"Condition": {"Ref": "Y"}}], conditions) == {"Y"}


def test_read_with_cache_gives_same_result_and_parses_once(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("Resources: {A: {Type: T, Properties: {Date: 2026-01-01, Name: !Ref B}}}\n")
    first = templates.read(tmp_path / "t.yaml", name="t.yaml", cache=tmp_path / "cache", remember=True)
    kept = [path.name for path in (tmp_path / "cache").iterdir()]

    assert templates.read(tmp_path / "t.yaml", name="t.yaml", cache=tmp_path / "cache", remember=True) == first
    assert first == templates.read(tmp_path / "t.yaml", name="t.yaml")
    assert kept == [f"{files.digest((tmp_path / 't.yaml').read_bytes())}.json"]


def test_read_remembers_only_when_asked_and_then_reads_the_cache(tmp_path: Path) -> None:
    text, cache = "Resources: {A: {Type: T}}\n", tmp_path / "cache"
    (tmp_path / "t.yaml").write_text(text)
    templates.read(tmp_path / "t.yaml", name="t.yaml", cache=cache)
    assert not cache.exists()

    write_files(cache, {f"{files.digest(text.encode())}.json": '{"Resources": {"B": {"Type": "T"}}}'})

    assert set(templates.read(tmp_path / "t.yaml", name="t.yaml", cache=cache).resources) == {"B"}
    assert set(templates.document(tmp_path / "t.yaml", name="t.yaml", cache=cache)["Resources"]) == {"B"}
    assert set(templates.document(tmp_path / "t.yaml", name="t.yaml")["Resources"]) == {"A"}


@pytest.mark.parametrize("damage", ["{", "", "[]", '{"Resources": 1}'])
def test_read_with_damaged_cache_parses_again(tmp_path: Path, damage: str) -> None:
    (tmp_path / "t.yaml").write_text("Resources: {A: {Type: T}}\n")
    first = templates.read(tmp_path / "t.yaml", name="t.yaml", cache=tmp_path / "cache", remember=True)
    next((tmp_path / "cache").iterdir()).write_text(damage)
    assert "A" in templates.document(tmp_path / "t.yaml", name="t.yaml", cache=tmp_path / "cache")["Resources"]
    assert templates.read(tmp_path / "t.yaml", name="t.yaml", cache=tmp_path / "cache", remember=True) == first


def test_read_template_json_cannot_store_is_not_cached(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("Resources: {A: {Type: T, Properties: {404: x}}}\n")

    read = templates.read(tmp_path / "t.yaml", name="t.yaml", cache=tmp_path / "cache", remember=True)

    assert read.resources["A"]["Properties"] == {404: "x"}
    assert not (tmp_path / "cache").exists()


def test_read_with_unwritable_cache_still_reads(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("Resources: {A: {Type: T}}\n")
    (tmp_path / "cache").write_text("a file in its place")

    read = templates.read(tmp_path / "t.yaml", name="t.yaml", cache=tmp_path / "cache", remember=True)

    assert read.resources["A"]["Type"] == "T"


def test_parse_json_with_tabs_and_escapes_is_read() -> None:
    text = '{\n\t"Resources": {\n\t\t"A": {"Type": "X", "Properties": {"a": {"Ref": "B"}, "b": "\\ud83d\\ude80"}}}}'

    assert templates.parse(text, name="t.json").resources["A"]["Properties"] == {"a": {"Ref": "B"}, "b": "🚀"}


def test_parse_yaml_in_braces_is_read() -> None:
    assert set(templates.parse("{Resources: {A: {Type: X}}}", name="t.yaml").resources) == {"A"}


def test_read_ignores_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("\ufeffResources: {A: {Type: X}}", encoding="utf-8")

    assert set(templates.read(tmp_path / "t.yaml", name="t.yaml").resources) == {"A"}


LOOPS = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters:
  Names: {Type: CommaDelimitedList, Default: "a,b"}
Conditions:
  Fn::ForEach::Flags: [N, [x], {"Is${N}": !Equals [1, 1]}]
Resources:
  Fn::ForEach::Each: [N, !Ref Names, {"${N}Q": {Type: X, Properties: {Name: !Sub "${N}/"}}}]
  Fn::ForEach::Unknown: [N, !ImportValue names, {"${N}Q": {Type: X}}]
"""


def test_parse_expands_loops_with_the_defaults() -> None:
    template = templates.parse(LOOPS, name="t.yaml")

    assert set(template.resources) == {"aQ", "bQ"}
    assert set(template.conditions) == {"Isx"}
    assert set(template.unexpanded) == {"Fn::ForEach::Unknown"}
    assert template.has_language_extensions
    assert templates.resolve(template.resources["aQ"], template, {})["Properties"] == {"Name": "a/"}


def test_expanded_follows_the_parameters() -> None:
    template = templates.expanded(templates.parse(LOOPS, name="t.yaml"), {"Names": "c"})

    assert set(template.resources) == {"cQ"}
    assert set(templates.expanded(template, {"Names": "d, e"}).resources) == {"dQ", "eQ"}
    assert template.path == "t.yaml"


def test_parse_without_the_transform_expands_nothing() -> None:
    text = LOOPS.replace("[AWS::LanguageExtensions, AWS::Serverless-2016-10-31]", "AWS::Serverless-2016-10-31")

    template = templates.parse(text, name="t.yaml")

    assert template.resources == {}
    assert template.source is None
    assert not template.has_language_extensions
    assert set(template.unexpanded) == {"Fn::ForEach::Each", "Fn::ForEach::Unknown"}


def test_expand_of_sections_leaves_what_is_not_chosen() -> None:
    template = templates.parse(LOOPS, name="t.yaml")
    assert template.source is not None

    expanded = templates.expand(template.source, template, {}, chosen=lambda body: "${N}Q" in body)

    assert list(expanded["Resources"]) == ["aQ", "bQ", "Fn::ForEach::Unknown"]
    assert list(expanded["Conditions"]) == ["Fn::ForEach::Flags"]


def test_parse_conditions_may_be_constants() -> None:
    text = "{Resources: {A: {Type: X}}, Conditions: {Open: true, Shut: 'false'}}"
    template = templates.parse(text, name="t.yaml")

    values = [{"Fn::If": [name, 1, 2]} for name in ("Open", "Shut")]

    assert [templates.resolve(value, template, {}) for value in values] == [1, 2]


def test_parse_outputs_are_kept() -> None:
    template = templates.parse("{Resources: {A: {Type: X}}, Outputs: {O: {Value: 1}}}", name="t.yaml")

    assert template.outputs == {"O": {"Value": 1}}


@pytest.mark.parametrize("written", ["App.Outputs.Arn", ["App", "Outputs.Arn"]])
def test_resolve_attribute_names_its_parts(written: Any) -> None:
    unresolved = resolved({"Fn::GetAtt": written})

    assert unresolved == Unresolved(str({"Fn::GetAtt": written}), attribute=("App", "Outputs.Arn"))


def test_resolve_parameter_without_a_value_names_it() -> None:
    assert resolved({"Ref": "Colour"}) == Unresolved("{'Ref': 'Colour'}", parameter="Colour")
    assert resolved({"Ref": "Queue"}) == Unresolved("{'Ref': 'Queue'}", resource="Queue")
    assert resolved({"Ref": "Elsewhere"}) == Unresolved("{'Ref': 'Elsewhere'}")


def test_resolve_mapping_may_have_a_default() -> None:
    look_up = ["Sizes", "live", "Memory"]

    assert resolved({"Fn::FindInMap": [*look_up, {"DefaultValue": 256}]}) == 256
    assert isinstance(resolved({"Fn::FindInMap": look_up}), Unresolved)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("{'Ref': 'Stage'}", "!Ref Stage"),
        ("{'Fn::GetAtt': ['A', 'B.C']}", "!GetAtt A.B.C"),
        ("{'Fn::GetAtt': 'A.B'}", "!GetAtt A.B"),
        ("{'Fn::Sub': '${A}/b'}", "!Sub ${A}/b"),
        ("{'a': 1, 'b': 2}", "{'a': 1, 'b': 2}"),
        ("s3://bucket/key", "s3://bucket/key"),
    ],
)
def test_unresolved_text_is_what_a_person_writes(expression: str, text: str) -> None:
    assert Unresolved(expression).text == text
