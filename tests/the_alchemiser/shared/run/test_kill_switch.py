"""The kill switch: an unreadable one is paused, and no answer is ever kept."""

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from the_alchemiser.shared.run.kill_switch import KillSwitch, SwitchMalformedError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class Parameters:
    """SSM's GetParameter: a value, or an error to raise."""

    def __init__(self, value: str | Exception) -> None:
        self.value = value
        self.reads = 0

    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - the vendor's name
        self.reads += 1
        if isinstance(self.value, Exception):
            raise self.value
        return {"Parameter": {"Name": Name, "Value": self.value}}


def kill_switch(parameters: Parameters) -> KillSwitch:
    return KillSwitch(cast("SSMClient", parameters), "/alchemiser/local/trading")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetParameter")


def test_is_enabled_when_enabled_is_true() -> None:
    assert kill_switch(Parameters("enabled")).is_enabled()


@pytest.mark.parametrize("value", ["paused", "", "Enabled", "true", "enabled "])
def test_is_enabled_when_anything_else_is_false(value: str) -> None:
    assert not kill_switch(Parameters(value)).is_enabled()


@pytest.mark.parametrize(
    "error",
    [
        refusal("ParameterNotFound"),
        refusal("AccessDeniedException"),
        EndpointConnectionError(endpoint_url="https://ssm"),
    ],
    ids=["missing", "refused", "unreachable"],
)
def test_is_enabled_when_unreadable_is_false(error: Exception) -> None:
    assert not kill_switch(Parameters(error)).is_enabled()


@pytest.mark.parametrize("value", ["enabled", "paused"])
def test_check_readable_switch_passes(value: str) -> None:
    kill_switch(Parameters(value)).check()


@pytest.mark.parametrize("value", ["", "Enabled", "on"])
def test_check_another_value_raises_and_quotes_it(value: str) -> None:
    with pytest.raises(SwitchMalformedError) as caught:
        kill_switch(Parameters(value)).check()

    assert str(caught.value) == f"/alchemiser/local/trading is {value!r}, expected enabled or paused"


def test_check_unreadable_switch_raises() -> None:
    with pytest.raises(ClientError, match="ParameterNotFound"):
        kill_switch(Parameters(refusal("ParameterNotFound"))).check()


def test_is_enabled_right_after_a_pause_is_false() -> None:
    parameters = Parameters("enabled")
    switch = kill_switch(parameters)
    before = switch.is_enabled()

    parameters.value = "paused"

    assert before
    assert not switch.is_enabled()
    assert parameters.reads == 2
