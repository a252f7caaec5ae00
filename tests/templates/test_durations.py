"""The durations of every environment fit together, and leave time for the broker's limit of requests."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.templates.reading import load
from the_alchemiser.coordinator_v2.settlement import EXECUTION_WINDOW
from the_alchemiser.notifications_v2.lambda_handler import READ_S
from the_alchemiser.shared import aws
from the_alchemiser.shared.broker.rate_limit import Pacing
from the_alchemiser.shared.messaging.wiring import CLAIM_KEPT_S

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("local", "dev", "staging", "prod")
# A trade whose last request waits for the limit still needs a few requests to cancel its order and to read its fills.
CONFIRM_S = 5
# Lambda kills a function at its timeout, so what it does after the work on a trade must fit in between: the ledger, the
# message about the outcome, the claim.
AFTERWARDS_S = 15


@cache
def durations(environment: str, *, stack: str = "") -> Mapping[str, int]:
    """Return the parameters in seconds that a stack of an environment gets: `-data`, or the trading stack."""
    parameters = load("data-template.yaml" if stack else "template.yaml")["Parameters"]
    values = {name: parameter["Default"] for name, parameter in parameters.items() if parameter["Type"] == "Number"}
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment + stack]["deploy"]["parameters"]
    overrides = dict(override.split("=", 1) for override in settings["parameter_overrides"])
    return values | {name: int(value) for name, value in overrides.items() if name in values}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_durations_leave_time_for_the_limit_of_requests(environment: str) -> None:
    seconds = durations(environment)

    assert seconds["TradeWorkS"] >= Pacing().longest_wait_s + CONFIRM_S
    assert seconds["ExecutionTimeoutS"] >= seconds["TradeWorkS"] + AFTERWARDS_S


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("stack", ["", "-data"])
def test_durations_of_other_functions_cover_the_longest_wait(environment: str, stack: str) -> None:
    assert durations(environment, stack=stack)["HandlerTimeoutS"] >= Pacing().longest_wait_s + CONFIRM_S


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("function", ["Handler", "Strategy", "Execution"])
def test_durations_hide_a_message_longer_than_its_function_runs(environment: str, function: str) -> None:
    seconds = durations(environment)
    inbox = "Inbox" if function == "Handler" else function

    assert seconds[f"{inbox}VisibilityS"] > seconds[f"{function}TimeoutS"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_durations_leave_time_to_send_a_mail_after_its_figures(environment: str) -> None:
    """The wait for figures may end with a last read; then each channel is tried once."""
    seconds = durations(environment)

    last_read, sends = aws._CONNECT_S + READ_S, 2 * (aws._CONNECT_S + aws._READ_S)
    assert 0 < seconds["FiguresWaitS"] + last_read + sends + CONFIRM_S <= seconds["HandlerTimeoutS"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_durations_end_an_execution_before_its_run_counts_as_settled(environment: str) -> None:
    assert durations(environment)["ExecutionTimeoutS"] < EXECUTION_WINDOW.total_seconds()


@pytest.mark.parametrize("template", ["template.yaml", "data-template.yaml"])
def test_claims_are_kept_longer_than_any_queue_keeps_a_message(template: str) -> None:
    """Otherwise a dead letter that is sent again could be handled a second time."""
    queues = [resource for resource in load(template)["Resources"].values() if resource["Type"] == "AWS::SQS::Queue"]
    kept_s = {queue["Properties"]["MessageRetentionPeriod"] for queue in queues}

    assert max(kept_s) < CLAIM_KEPT_S == 15 * 24 * 3600
