"""Commands of messages work when pasted: region, endpoint and quotes included."""

import pytest

from automation.system import aws_commands
from automation.system.targets import Target


@pytest.mark.parametrize(
    ("endpoint", "end"),
    [("", "--region eu-west-1"), ("http://127.0.0.1:4566", "--region eu-west-1 --endpoint-url http://127.0.0.1:4566")],
)
def test_line_goes_to_the_target(endpoint: str, end: str) -> None:
    target = Target("eu-west-1", endpoint)

    assert aws_commands.line(target, "s3", "mb", "s3://my shop") == f"aws s3 mb 's3://my shop' {end}"


def test_line_for_an_emulator_has_its_credentials() -> None:
    target = Target("eu-west-1", "http://127.0.0.1:1", "te st", "a secret")

    assert aws_commands.line(target, "s3", "ls") == (
        "AWS_ACCESS_KEY_ID='te st' AWS_SECRET_ACCESS_KEY='a secret' "
        "aws s3 ls --region eu-west-1 --endpoint-url http://127.0.0.1:1"
    )


@pytest.mark.parametrize("endpoint", ["", "https://proxy.shop.test"])
def test_line_for_anything_else_never_has_credentials(endpoint: str) -> None:
    line = aws_commands.line(Target("eu-west-1", endpoint, "a-key", "a-secret"), "s3", "ls")

    assert line.startswith("aws s3 ls ")
    assert "a-secret" not in line
