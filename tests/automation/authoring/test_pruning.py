import pytest

from automation.authoring import pruning, text_edits, yaml_trees
from automation.authoring.pruning import Needs

NEEDS = Needs(
    wanted=frozenset({"Mine", "Kept"}),
    strangers=frozenset({"Other"}),
    resources=frozenset({"Mine", "Kept", "Other", "Table"}),
    events=frozenset({"SQS"}),
    has_grants=True,
)


def reduced(text: str, needs: Needs = NEEDS) -> str:
    root = yaml_trees.read(text, name="t")
    return text_edits.apply(text, pruning.edits(text, root, needs))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A: [!Ref Mine, !Ref Other]", "A: [!Ref Mine]"),
        ("A: [!Ref Mine, !Ref Table]", "A: [!Ref Mine, !Ref Table]"),
        ("A: 1\nB: !Ref Other", "A: 1\n"),
        ("A: 1\nB: [!Ref Other]", "A: 1\n"),
        ("A: 1\nB: {C: {D: [!Ref Other]}}", "A: 1\n"),
        ("A: [{X: 1, Y: !Ref Other}, {X: 2}]", "A: [{X: 2}]"),
        ("A: [{X: 1, Y: [!Ref Other]}, {X: 2}]", "A: [{X: 2}]"),
        ("A: [{X: 1, Y: [!Ref Other, !Ref Mine]}]", "A: [{X: 1, Y: [!Ref Mine]}]"),
        ('A: [!Join ["", [x, !Ref Other]], y]', "A: [y]"),
        ('A: !Join ["", [x, !Ref Mine]]', 'A: !Join ["", [x, !Ref Mine]]'),
        ('A: 1\nB: {"Fn::If": [x, !Ref Other, !Ref Mine]}', "A: 1\n"),
        ("A: 1\nDependsOn: Other", "A: 1\n"),
        ("A: []\nB: {}", "A: []\nB: {}"),
    ],
)
def test_edits_take_out_what_names_another_functions_resource(before: str, after: str) -> None:
    assert reduced(before) == after


@pytest.mark.parametrize(
    ("statement", "is_kept"),
    [
        ("{Effect: Allow, Resource: !GetAtt Mine.Arn}", True),
        ("{Effect: Allow, Resource: !GetAtt Kept.Arn}", True),
        ("{Effect: Allow, Resource: !GetAtt Table.Arn}", False),
        ("{Effect: Allow, Resource: !GetAtt Other.Arn}", False),
        ('{Effect: Allow, Resource: "*"}', False),
        ('{Effect: Allow, Resource: !Sub "arn:${AWS::StackName}-Mine-*"}', True),
        ("{Effect: Allow, Resource: !Ref Mine, Condition: {X: !Ref Table}}", False),
    ],
)
def test_edits_keep_only_grants_on_wanted_resources(statement: str, is_kept: bool) -> None:
    text = f"Properties:\n  Policies:\n    - Statement:\n        - {{Resource: !Ref Mine}}\n        - {statement}\n"

    assert (statement in reduced(text)) == is_kept


def test_edits_take_single_resources_out_of_a_grant() -> None:
    text = "Properties: {Policies: [{Statement: [{Resource: [!Ref Table, !Ref Mine]}]}]}\n"

    assert reduced(text) == "Properties: {Policies: [{Statement: [{Resource: [!Ref Mine]}]}]}\n"


def test_edits_drop_a_policy_without_statements() -> None:
    text = "Properties:\n  Path: /\n  Policies:\n    - PolicyName: a\n      Statement: [{Resource: !Ref Table}]\n"

    assert reduced(text) == "Properties:\n  Path: /\n"


@pytest.mark.parametrize(
    ("policy", "is_kept"),
    [
        ("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", True),
        ("arn:aws:iam::aws:policy/AmazonS3FullAccess", False),
    ],
)
def test_edits_keep_managed_policies_of_execution(policy: str, is_kept: bool) -> None:
    assert (policy in reduced(f"Properties:\n  Path: /\n  ManagedPolicyArns: ['{policy}']\n")) == is_kept


def test_edits_leave_a_trust_policy_alone() -> None:
    text = "Properties:\n  AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: x}}]}\n"

    assert reduced(text) == text


def test_edits_leave_the_statements_of_other_resources_alone() -> None:
    text = 'Properties:\n  Policy: {Statement: [{Resource: "*"}, {Resource: !Ref Table}]}\n'

    assert reduced(text, Needs(NEEDS.wanted, NEEDS.strangers, NEEDS.resources)) == text


@pytest.mark.parametrize(
    ("value", "is_kept"),
    [
        ("text", True),
        ("!Ref Mine", True),
        ("!Ref Kept", True),
        ("!Ref Table", False),
        ("!Ref Parameter", False),
        ('!Sub "${Mine}-${Table}"', False),
        ('{"Fn::ImportValue": x}', False),
    ],
)
def test_edits_keep_variables_that_are_literal_or_wanted(value: str, is_kept: bool) -> None:
    text = f"Properties:\n  Environment:\n    Variables:\n      ALWAYS: x\n      NAME: {value}\n"

    assert (f"NAME: {value}\n" in reduced(text)) == is_kept


def test_edits_drop_an_environment_without_variables() -> None:
    assert reduced("Properties:\n  Timeout: 3\n  Environment:\n    Variables:\n      T: !Ref Table\n") == (
        "Properties:\n  Timeout: 3\n"
    )


def test_edits_keep_events_of_the_trigger() -> None:
    text = "Properties:\n  Events:\n    In: {Type: SQS}\n    Web: {Type: Api}\n    Odd: {}\n"

    assert reduced(text) == "Properties:\n  Events:\n    In: {Type: SQS}\n"


def test_edits_leave_properties_named_events_of_other_resources_alone() -> None:
    text = "Properties:\n  Events:\n    Web: {Type: Api}\n"

    assert reduced(text, Needs(NEEDS.wanted, NEEDS.strangers, NEEDS.resources)) == text
