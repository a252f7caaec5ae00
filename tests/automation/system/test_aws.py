from datetime import UTC, datetime

from automation.system import aws
from automation.system.aws import StackState
from automation.system.targets import Target


def event(second: int, status: str, reason: str, resource: str = "Queue") -> dict[str, object]:
    return {
        "Timestamp": datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC),
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
        "LogicalResourceId": resource,
        "ResourceType": "AWS::SQS::Queue",
    }


def test_failure_reason_is_the_first_root_cause() -> None:
    events = [
        event(4, "UPDATE_ROLLBACK_COMPLETE", "", "stack"),
        event(3, "CREATE_FAILED", "a later one", "C"),
        event(2, "CREATE_FAILED", "name is taken", "B"),
        event(1, "CREATE_FAILED", "Resource creation cancelled", "A"),
        event(0, "CREATE_IN_PROGRESS", ""),
    ]

    assert aws.failure_reason(events) == "B (AWS::SQS::Queue): name is taken"


def test_failure_reason_without_failure_is_empty() -> None:
    assert aws.failure_reason([event(1, "CREATE_COMPLETE", "")]) == ""


def test_target_variables_point_a_child_to_the_endpoint() -> None:
    target = Target("us-east-1", "http://127.0.0.1:4566", "test", "secret")

    assert target.variables() == {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "NO_PROXY": "127.0.0.1,::1,localhost",
        "no_proxy": "127.0.0.1,::1,localhost",
    }
    assert "AWS_PROFILE" in target.hidden_variables()


def test_target_of_aws_keeps_ambient_credentials() -> None:
    target = Target("eu-west-1")

    assert target.variables() == {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1"}
    assert target.hidden_variables() == ()
    assert not target.is_loopback


def test_target_does_not_print_its_secret() -> None:
    assert "hidden" not in repr(Target("us-east-1", key_id="a", secret="hidden"))


def test_stack_state_without_status_does_not_exist() -> None:
    assert not StackState("x").exists
    assert StackState("x", "CREATE_COMPLETE").exists


def test_client_uses_endpoint_and_region_of_target() -> None:
    client = aws.client("sqs", Target("us-east-1", "http://127.0.0.1:4566", "test", "test"))

    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert client.meta.region_name == "us-east-1"
