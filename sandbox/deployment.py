"""What is deployed: functions by module, inboxes and their dead-letter queues, schedules, tables, parameters.

Names come from the stacks' resources and outputs alone; nothing here knows a logical id.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from automation.system.aws import Target, client
from automation.system.errors import ConfigurationError, ToolError
from sandbox.exchange.sessions import NEW_YORK
from sandbox.schedules import Schedule

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

_USABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
MEND = "run inv deploy --env local"


@dataclass(frozen=True, slots=True)
class Queue:
    """A deployed queue: the module that reads it; for a dead-letter queue the one whose messages end there."""

    name: str
    url: str
    module: str
    is_dead_letter: bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """Both stacks as they stand.

    Attributes:
        functions: the deployed function's name, by module.
        queues: inboxes and dead-letter queues, by queue name.
        outputs, parameters: of both stacks together.
    """

    functions: Mapping[str, str]
    queues: Mapping[str, Queue]
    schedules: tuple[Schedule, ...]
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    def output(self, name: str) -> str:
        """An output of either stack.

        Raises:
            ConfigurationError: the deployed templates do not have it.
        """
        value = self.outputs.get(name)
        if value is None:
            raise ConfigurationError(f"the deployed stacks have no output {name}; {MEND}")
        return value

    def queue_url(self, arn: str) -> str:
        """The URL of a queue by its ARN."""
        return self.queues[_last(arn)].url


def find_deployment(target: Target, stacks: Sequence[str]) -> Deployment:
    """Ask CloudFormation, Lambda, SQS and the Scheduler what the stacks consist of.

    Raises:
        ConfigurationError: a stack is not there, or not in a state that can be used.
        ToolError: the endpoint does not answer.
    """
    try:
        return _find(target, stacks)
    except BotoCoreError as cause:
        raise ToolError(f"does not answer: {cause}; run inv sandbox.up", where=target.endpoint) from cause


def _find(target: Target, stacks: Sequence[str]) -> Deployment:
    cloudformation: CloudFormationClient = client("cloudformation", target)
    described = [_describe(cloudformation, stack) for stack in stacks]
    resources = [one for stack in stacks for one in _resources(cloudformation, stack)]
    functions = _functions(client("lambda", target), _physical(resources, "AWS::Lambda::Function"))
    return Deployment(
        functions=functions,
        queues=_queues(target, _physical(resources, "AWS::SQS::Queue"), functions),
        schedules=_schedules(client("scheduler", target), _physical(resources, "AWS::Scheduler::Schedule")),
        outputs={one["OutputKey"]: one["OutputValue"] for stack in described for one in stack.get("Outputs", ())},
        parameters={
            one["ParameterKey"]: one["ParameterValue"] for stack in described for one in stack.get("Parameters", ())
        },
    )


def _describe(cloudformation: "CloudFormationClient", stack: str) -> Mapping[str, Any]:
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as cause:
        if "does not exist" not in str(cause):
            raise ToolError(str(cause), where=stack) from cause
        raise ConfigurationError(f"is not deployed; {MEND}", where=stack) from cause
    if described["StackStatus"] not in _USABLE:
        raise ConfigurationError(f"is {described['StackStatus']}; {MEND}", where=stack)
    return described


def _resources(cloudformation: "CloudFormationClient", stack: str) -> Iterable[Mapping[str, Any]]:
    return cloudformation.describe_stack_resources(StackName=stack)["StackResources"]


def _physical(resources: Iterable[Mapping[str, Any]], kind: str) -> frozenset[str]:
    return frozenset(one["PhysicalResourceId"] for one in resources if one["ResourceType"] == kind)


def _functions(functions: "LambdaClient", names: frozenset[str]) -> Mapping[str, str]:
    pages = functions.get_paginator("list_functions").paginate()
    found = [one for page in pages for one in page["Functions"] if one["FunctionName"] in names]
    return {module_of(one["Handler"]): one["FunctionName"] for one in found}


def module_of(handler: str) -> str:
    """`the_alchemiser.data_v2.lambda_handler.lambda_handler` -> `data_v2`; of a handler without packages its file."""
    return handler.split(".")[max(-3, -handler.count(".") - 1)]


def _queues(target: Target, urls: frozenset[str], functions: Mapping[str, str]) -> Mapping[str, Queue]:
    sqs: SQSClient = client("sqs", target)
    modules = {name: module for module, name in functions.items()}
    readers = {source: modules[reader] for source, reader in _readers(target).items() if reader in modules}
    queues = {_last(url): Queue(_last(url), url, readers[_last(url)], False) for url in urls if _last(url) in readers}
    for inbox in tuple(queues.values()):
        name = _dead_letters(sqs, inbox.url)
        urls_of = {_last(url): url for url in urls}
        if name in urls_of:
            queues[name] = Queue(name, urls_of[name], inbox.module, is_dead_letter=True)
    return queues


def _readers(target: Target) -> Mapping[str, str]:
    """Which function reads which queue, by their names."""
    functions: LambdaClient = client("lambda", target)
    pages = functions.get_paginator("list_event_source_mappings").paginate()
    return {
        _last(one["EventSourceArn"]): _last(one["FunctionArn"]) for page in pages for one in page["EventSourceMappings"]
    }


def _dead_letters(sqs: "SQSClient", url: str) -> str:
    """The name of the queue that takes over what an inbox could not deliver; empty when there is none."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
    return _last(json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", ""))


def _schedules(scheduler: "EventBridgeSchedulerClient", names: frozenset[str]) -> tuple[Schedule, ...]:
    found = [scheduler.get_schedule(Name=name) for name in sorted(names)]
    # The emulator forgets a schedule's time zone; the templates write all of them in the exchange's.
    return tuple(
        Schedule(one["Name"], one["ScheduleExpression"], str(NEW_YORK), one["Target"]["Arn"], one["Target"]["Input"])
        for one in found
    )


def _last(arn_or_url: str) -> str:
    return arn_or_url.replace("/", ":").rpartition(":")[2]
