"""Read what `inv status` shows of deployed stacks: drift, alarms and queues. Nothing is changed."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.overviews import Alarm, Drift, Queue
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_sqs import SQSClient

POLL_S = 2.0
MAX_POLLS = 300
_LOOPBACK_POLL_S = 0.1
_ALARMS_PER_CALL = 100  # the most that DescribeAlarms accepts


@dataclass(frozen=True, slots=True)
class StackOverview:
    """The calls to AWS for an overview of stacks."""

    target: Target

    @property
    def _cloudformation(self) -> "CloudFormationClient":
        client: CloudFormationClient = aws.client("cloudformation", self.target)
        return client

    def drift(self, stack: str) -> Drift:
        """Return the result of the last drift detection of a stack.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        with aws.translate_errors(stack, self.target):
            described = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            information = described.get("DriftInformation", {})
            status = information.get("StackDriftStatus", "NOT_CHECKED")
            resources = self._drifted_resources(stack) if status == "DRIFTED" else ()
        checked_at = information.get("LastCheckTimestamp")
        return Drift(status, checked_at.isoformat() if checked_at else "", resources)

    def detect_drift(self, stack: str, *, sleep: Callable[[float], None] = time.sleep) -> Drift:
        """Compare a stack with what really exists, which takes minutes, and return the result.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: the detection failed or did not end, or CloudFormation did not answer.
        """
        poll_s = _LOOPBACK_POLL_S if self.target.is_loopback else POLL_S
        with aws.translate_errors(stack, self.target):
            detection = self._cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
            for _ in range(MAX_POLLS):
                answer = self._cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
                if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                    break
                sleep(poll_s)
        if answer["DetectionStatus"] != "DETECTION_COMPLETE":
            reason = answer.get("DetectionStatusReason", "no reason")
            raise DeploymentError(f"drift detection is {answer['DetectionStatus']}: {reason}", where=stack)
        return self.drift(stack)

    def ringing(self, names: Sequence[str]) -> tuple[Alarm, ...]:
        """Return those of the alarms with these names that are in state ALARM, by name.

        Raises:
            DeploymentError: CloudWatch did not answer.
        """
        cloudwatch: CloudWatchClient = aws.client("cloudwatch", self.target)
        alarms: list[Mapping[str, Any]] = []
        for batch in batched(names, _ALARMS_PER_CALL):
            with aws.translate_errors(batch[0], self.target):
                # Without a type, only metric alarms would be returned.
                pages = cloudwatch.get_paginator("describe_alarms").paginate(
                    AlarmNames=list(batch), StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
                )
                for page in pages:
                    alarms += [*page["MetricAlarms"], *page.get("CompositeAlarms", ())]
        return tuple(sorted(_alarm(alarm) for alarm in alarms))

    def queues(self, urls: Sequence[str]) -> tuple[Queue, ...]:
        """Return the depths of queues, in the order of their URLs; without those that do not exist.

        Raises:
            DeploymentError: SQS did not answer.
        """
        answers = {url: self._queue_attributes(url) for url in urls}
        dead_letter_arns = _dead_letter_arns(answers.values())
        return tuple(_queue(url, answer, dead_letter_arns) for url, answer in answers.items() if answer)

    def _queue_attributes(self, url: str) -> Mapping[str, str]:
        sqs: SQSClient = aws.client("sqs", self.target)
        with aws.translate_errors(url, self.target):
            try:
                answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            except sqs.exceptions.QueueDoesNotExist:
                return {}
        return {str(name): value for name, value in answer["Attributes"].items()}

    def _drifted_resources(self, stack: str) -> tuple[str, ...]:
        """Return the logical ids of the resources that differ, at most the first 100."""
        answer = self._cloudformation.describe_stack_resource_drifts(
            StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"], MaxResults=100
        )
        return tuple(sorted(drift["LogicalResourceId"] for drift in answer["StackResourceDrifts"]))


def _alarm(answer: Mapping[str, Any]) -> Alarm:
    updated_at = answer.get("StateUpdatedTimestamp")
    since = updated_at.isoformat() if updated_at else ""
    return Alarm(answer["AlarmName"], answer.get("StateReason", ""), since, answer.get("AlarmDescription", ""))


def _dead_letter_arns(answers: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """Return the ARNs of the queues that another queue of these sends its failed messages to."""
    policies = [json.loads(answer["RedrivePolicy"]) for answer in answers if answer.get("RedrivePolicy")]
    return frozenset(policy["deadLetterTargetArn"] for policy in policies)


def _queue(url: str, answer: Mapping[str, str], dead_letter_arns: frozenset[str]) -> Queue:
    return Queue(
        url=url,
        visible=int(answer["ApproximateNumberOfMessages"]),
        in_flight=int(answer["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(answer["ApproximateNumberOfMessagesDelayed"]),
        is_dead_letter=answer["QueueArn"] in dead_letter_arns,
    )
