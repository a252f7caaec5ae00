"""A composed answer that AWS could not give is refused."""

import pytest

from tests.automation import answers


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"Stacks": [{"StackNam": "shop"}]}, "Unknown parameter in Stacks"),
        ({"Stacks": "shop"}, "Invalid type for parameter Stacks"),
        ({"Stacks": [{"StackName": "shop", "CreationTime": "2026-01-01", "StackStatus": "DONE"}]}, "StackStatus: DONE"),
    ],
    ids=["unknown member", "wrong type", "unknown enum value"],
)
def test_validated_impossible_answer_fails(answer: dict[str, object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        answers.validated("cloudformation", "DescribeStacks", answer)


def test_validated_possible_answer_is_returned() -> None:
    answer = {"Stacks": [{"StackName": "shop", "CreationTime": "2026-01-01", "StackStatus": "CREATE_COMPLETE"}]}

    assert answers.validated("cloudformation", "DescribeStacks", answer) == answer


def test_enum_of_lists_the_states_of_a_stack() -> None:
    assert "UPDATE_ROLLBACK_FAILED" in answers.enum_of("cloudformation", "StackStatus")
