"""What the simulator reads of the templates, and when the schedules fire."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest

from tests.simulation.book import MODULES
from tests.simulation.calendar_events import firings
from tests.simulation.deployment import Rule, Schedule, read_deployment
from tests.simulation.system import is_match

WEDNESDAY, SATURDAY = date(2022, 6, 15), date(2022, 6, 18)


def test_deployment_has_every_function_with_its_queue() -> None:
    deployment = read_deployment()

    assert set(deployment.functions) == set(MODULES)
    assert {function.queue for function in deployment.functions.values()} == set(deployment.queues)
    for function in deployment.functions.values():
        queue = deployment.queues[function.queue]
        assert queue.visibility_s > function.timeout_s
        assert (queue.receives, bool(queue.dead_letters)) == (3, True)


def test_deployment_names_resources_by_their_logical_ids() -> None:
    deployment = read_deployment()
    execution, data = deployment.functions["execution_v2"], deployment.functions["data_v2"]

    assert (execution.concurrency, execution.batch_size) == (4, 1)
    assert execution.environment["LEDGER_TABLE"] == "Ledger"
    assert execution.environment["KILL_SWITCH_PARAMETER"] == deployment.switch == "/alchemiser/dev/trading"
    assert data.environment["CLAIMS_TABLE"] == "DataClaims"
    assert execution.environment["BUS_NAME"] == data.environment["BUS_NAME"] == "Bus"
    assert deployment.queues["TradeInbox"].is_fifo
    assert deployment.tables["Runs"].indexes == {"by-date": ("trading_date", "pk")}


def test_every_variable_is_resolved() -> None:
    for function in read_deployment().functions.values():
        assert not [value for value in function.environment.values() if "{" in value or "Fn::" in value]


def test_firings_are_in_new_york_time() -> None:
    fired = list(firings(read_deployment().schedules, WEDNESDAY))

    starts = sorted(at for at, schedule in fired if "start-run" in schedule.body)
    assert starts == [datetime(2022, 6, 15, 16, 45, tzinfo=UTC), datetime(2022, 6, 15, 19, 45, tzinfo=UTC)]
    assert Counter(schedule.name for _, schedule in fired)["DayCheck"] == 24


def test_firings_leave_out_the_weekend() -> None:
    assert {schedule.name for _, schedule in firings(read_deployment().schedules, SATURDAY)} == {"DayCheck"}


def test_firings_of_an_unknown_expression_are_an_error() -> None:
    schedule = Schedule("Hourly", "rate(1 hour)", "America/New_York", "CoordinatorInbox", "{}")

    with pytest.raises(ValueError, match=r"Hourly: rate\(1 hour\)"):
        list(firings([schedule], WEDNESDAY))


@pytest.mark.parametrize(
    ("event", "matches"),
    [
        ({"source": "a", "detail-type": "X", "detail": {"passed": False}}, True),
        ({"source": "a", "detail-type": "X", "detail": {"passed": True}}, False),
        ({"source": "b", "detail-type": "X", "detail": {"passed": False}}, False),
        ({"source": "a", "detail-type": "X"}, False),
    ],
)
def test_rule_matches_source_type_and_detail(event: dict[str, object], matches: bool) -> None:
    rule = Rule({"source": ["a"], "detail-type": ["X", "Y"], "detail": {"passed": [False]}}, ("Inbox",))

    assert is_match(rule, event) == matches
