import pytest

from automation.project import intrinsics


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("{'Ref': 'Stage'}", "!Ref Stage"),
        ("{'Fn::GetAtt': ['Tools', 'Outputs.Arn']}", "!GetAtt Tools.Outputs.Arn"),
        ("{'Fn::GetAtt': 'Tools.Arn'}", "!GetAtt Tools.Arn"),
        (
            "{'Fn::If': ['Live', [{'Ref': 'Tools'}, 'arn:1'], {'Ref': 'AWS::NoValue'}]}",
            "!If [Live, [!Ref Tools, arn:1], !Ref AWS::NoValue]",
        ),
        ("{'Fn::Join': ['', ['a', 2]]}", "!Join ['', [a, 2]]"),
        ("{'Fn::Sub': ['${A}', {'A': 1, 'B': 2}]}", "!Sub [${A}, {'A': 1, 'B': 2}]"),
        ("{'a': 1, 'b': 2}", "{'a': 1, 'b': 2}"),
        ("['a']", "['a']"),
        ("s3://bucket/key", "s3://bucket/key"),
        ("7", "7"),
    ],
)
def test_short_form_is_that_of_yaml(expression: str, text: str) -> None:
    assert intrinsics.short_form(expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("{'Ref': 'Stage'}", "${Stage}"),
        ("{'Fn::GetAtt': ['Zips', 'Name']}", "${Zips.Name}"),
        ("{'Fn::Sub': 'zips-${AWS::AccountId}'}", "zips-${AWS::AccountId}"),
        ("{'Fn::ImportValue': 'zips'}", "!ImportValue zips"),
        ("zips", "zips"),
    ],
)
def test_variable_form_stands_inside_a_text(expression: str, text: str) -> None:
    assert intrinsics.variable_form(expression) == text


def test_parse_of_what_is_not_a_value_is_none() -> None:
    assert intrinsics.parse("{'Ref': 'A'}") == {"Ref": "A"}
    assert intrinsics.parse("!Ref A") is None
    assert intrinsics.parse("a b") is None
    assert intrinsics.parse("a.b") is None
