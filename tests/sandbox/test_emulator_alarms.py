"""How the emulator is taught to evaluate alarms; tests/e2e/test_2_alarms.py has it on the real emulator."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.emulator_alarms import count_invocations, evaluated_first, evaluation, queue_figures


def alarm(state: str = "OK", **settings: Any) -> dict[str, Any]:
    return {
        "AlarmName": "errors",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "shop"}],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "StateValue": state,
        **settings,
    }


class CloudWatch:
    """The emulator's module, as far as the alarms use it; it remembers what it did."""

    def __init__(self, **metrics: float) -> None:
        now = time.time()
        self._metrics = {
            ("AWS/Lambda", "Errors", f"FunctionName={name}"): [{"Timestamp": now, "Value": value}]
            for name, value in metrics.items()
        }
        self.done: list[Any] = []

    def _dims_key(self, dimensions: dict[str, str]) -> str:
        return ",".join(f"{name}={value}" for name, value in dimensions.items())

    def _calc_stats(self, points: list[dict[str, float]]) -> dict[str, float]:
        return {"Sum": sum(point["Value"] for point in points)}

    def _stat_value(self, stats: dict[str, float], name: str, points: list[Any]) -> float:
        return stats[name] if name in stats else len(points)

    def _record_history(self, *change: str) -> None:
        self.done.append(("history", *change))

    def _dispatch_alarm_actions(self, alarm: dict[str, Any], *change: str) -> None:
        self.done.append(("notify", alarm["AlarmName"], *change))

    def _evaluate_parent_alarms(self, alarm: dict[str, Any]) -> None:
        self.done.append(("parents", alarm["AlarmName"]))

    def record_metric(self, namespace: str, metric: str, value: float, *, dimensions: dict[str, str]) -> None:
        self.done.append((namespace, metric, value, dimensions))

    def _evaluate_all_alarms(self) -> None:
        self.done.append("evaluate all")

    def _describe_alarms(self, *request: str) -> str:
        self.done.append("describe")
        return f"alarms of {', '.join(request)}"


def test_alarm_of_its_own_figure_changes_state_and_notifies() -> None:
    cloudwatch, watched = CloudWatch(shop=1), alarm()

    before = int(time.time())
    evaluation(cloudwatch)(watched)
    after = time.time()

    reason = "Threshold Crossed: Errors GreaterThanThreshold 0.0"
    assert (watched["StateValue"], watched["StateReason"]) == ("ALARM", reason)
    assert before <= watched["StateUpdatedTimestamp"] <= after
    assert cloudwatch.done == [
        ("history", "errors", "OK", "ALARM", reason),
        ("notify", "errors", "OK", "ALARM", reason),
        ("parents", "errors"),
    ]


@pytest.mark.parametrize(("metrics", "state"), [({"other": 1.0}, "OK"), ({"shop": 1.0}, "ALARM"), ({}, "OK")])
def test_alarm_whose_state_stays_notifies_nobody(metrics: dict[str, float], state: str) -> None:
    cloudwatch, watched = CloudWatch(**metrics), alarm(state)

    evaluation(cloudwatch)(watched)

    assert (watched["StateValue"], cloudwatch.done) == (state, [])


def test_alarm_with_an_extended_statistic_uses_it() -> None:
    watched = alarm(Statistic="Sum", ExtendedStatistic="p90", Threshold=0.5)

    evaluation(CloudWatch(shop=0))(watched)

    assert watched["StateValue"] == "ALARM"


def test_describing_alarms_records_queues_and_evaluates_first() -> None:
    cloudwatch = CloudWatch()
    sqs = SimpleNamespace(_queues={"url": {"name": "inbox", "messages": []}})

    answer = evaluated_first(cloudwatch, sqs)("all", "of them")

    assert answer == "alarms of all, of them"
    assert cloudwatch.done == [
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", 0.0, {"QueueName": "inbox"}),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", 0.0, {"QueueName": "inbox"}),
        "evaluate all",
        "describe",
    ]


@pytest.mark.parametrize("function", [{"FunctionName": "shop"}, {"config": {"FunctionName": "shop"}}])
def test_invocations_are_counted_with_their_log_and_throttles_alone(function: dict[str, Any]) -> None:
    done: list[Any] = []
    service = SimpleNamespace(
        _emit_lambda_metrics=lambda name, **figures: done.append((name, figures)),
        _emit_lambda_logs=lambda *log, **rest: done.append((*log, rest)),
    )
    count_invocations(service)

    service._emit_lambda_metrics("shop", duration_ms=9, error=True, throttle=False)
    service._emit_lambda_metrics("shop", duration_ms=0, error=False, throttle=True)
    service._emit_lambda_logs(function, "id", "text", True, 7, log_source=None)

    assert done == [
        ("shop", {"duration_ms": 0, "error": False, "throttle": True}),
        (function, "id", "text", True, 7, {"log_source": None}),
        ("shop", {"duration_ms": 7, "error": True, "throttle": False}),
    ]


def test_queue_figures_count_what_can_be_received_and_the_oldest() -> None:
    messages = [
        {"sent_at": 90.0, "visible_at": 100.0},
        {"sent_at": 40.0, "visible_at": 101.0},
        {"sent_at": 70.0, "visible_at": 70.0},
    ]

    figures = dict(queue_figures(messages, 100.0))

    assert figures == {"ApproximateNumberOfMessagesVisible": 2.0, "ApproximateAgeOfOldestMessage": 60.0}
