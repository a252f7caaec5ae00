"""Evaluate alarms as CloudWatch does; runs inside the emulator's process, before it serves.

The emulator compares an alarm with every metric of its name, whatever its dimensions, and ignores missing data. It
counts the errors of direct calls of functions, but none of event sources, and no messages of queues. Here, the figures
of queues are recorded and all alarms are evaluated when somebody asks for alarms, not every minute.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sandbox import alarm_rules


def apply() -> None:
    """Replace the emulator's functions that evaluate and describe alarms, and that count invocations."""
    from ministack.services import cloudwatch, lambda_svc, sqs  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment

    cloudwatch._evaluate_alarm = evaluation(cloudwatch)
    cloudwatch._describe_alarms = evaluated_first(cloudwatch, sqs)
    count_invocations(lambda_svc)


def evaluation(cloudwatch: Any) -> Callable[[dict[str, Any]], None]:
    """Return the function that evaluates an alarm, records a change of its state, and notifies its topics."""

    def evaluate(alarm: dict[str, Any]) -> None:
        name = alarm.get("ExtendedStatistic") or alarm["Statistic"]
        dimensions = cloudwatch._dims_key({entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]})
        points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []
        state = alarm_rules.state_of(
            alarm,
            points,
            now=time.time(),
            statistic=lambda chosen: float(cloudwatch._stat_value(cloudwatch._calc_stats(chosen), name, chosen)),
        )
        if state != alarm["StateValue"]:
            _change_state(cloudwatch, alarm, state)

    return evaluate


def _change_state(cloudwatch: Any, alarm: dict[str, Any], state: str) -> None:
    before = alarm["StateValue"]
    reason = f"Threshold Crossed: {alarm['MetricName']} {alarm['ComparisonOperator']} {alarm['Threshold']}"
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def evaluated_first(cloudwatch: Any, sqs: Any) -> Callable[..., Any]:
    """Return the function that describes alarms, which first records the queues' figures and evaluates every alarm."""
    describe = cloudwatch._describe_alarms

    def describe_evaluated(*request: Any) -> Any:
        now = time.time()
        for queue in list(sqs._queues.values()):
            for metric, value in queue_figures(queue["messages"], now):
                cloudwatch.record_metric("AWS/SQS", metric, value, dimensions={"QueueName": queue["name"]})
        cloudwatch._evaluate_all_alarms()
        return describe(*request)

    return describe_evaluated


def count_invocations(lambda_svc: Any) -> None:
    """Count every invocation where its log is written, instead of direct calls only; throttles stay as they are."""
    count, write_log = lambda_svc._emit_lambda_metrics, lambda_svc._emit_lambda_logs

    def count_throttle(name: str, *, throttle: bool, **figures: Any) -> None:
        if throttle:
            count(name, throttle=throttle, **figures)

    def write_and_count(
        function: Mapping[str, Any], request_id: str, log: str, error: bool, duration_ms: int, **rest: Any
    ) -> None:
        write_log(function, request_id, log, error, duration_ms, **rest)
        name = (function.get("config") or function)["FunctionName"]
        count(name, duration_ms=duration_ms, error=error, throttle=False)

    lambda_svc._emit_lambda_metrics, lambda_svc._emit_lambda_logs = count_throttle, write_and_count


def queue_figures(messages: Sequence[Mapping[str, Any]], now: float) -> Iterator[tuple[str, float]]:
    """Yield what CloudWatch shows of a queue: the messages that can be received, and the age of the oldest in seconds.

    Args:
        messages: the emulator's records, with `sent_at` and `visible_at` in seconds since the epoch.
        now: likewise.
    """
    yield "ApproximateNumberOfMessagesVisible", float(sum(message["visible_at"] <= now for message in messages))
    yield "ApproximateAgeOfOldestMessage", max((now - message["sent_at"] for message in messages), default=0.0)
