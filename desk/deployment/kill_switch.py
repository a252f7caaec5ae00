"""The command that sets the kill switch without this program: for messages, when a call has failed."""

from automation.system import aws_commands
from automation.system.targets import Target


def set_command(target: Target, name: str, value: str) -> str:
    """Return the aws command that sets a kill switch."""
    return aws_commands.line(target, "ssm", "put-parameter", "--name", name, "--value", value, "--overwrite")
