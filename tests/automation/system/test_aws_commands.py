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
