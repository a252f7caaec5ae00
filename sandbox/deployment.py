"""Read what is deployed: functions by module, inboxes and dead-letter queues, schedules, outputs, parameters.

All names come from the stacks' resources and outputs; no logical id is written here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from automation.system.aws import client
from automation.system.errors import ConfigurationError, ToolError
from automation.system.targets import Target
from sandbox.exchange.sessions import NEW_YORK
from sandbox.outages import UnreachableError
from sandbox.schedules import Schedule

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

_USABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
DEPLOY_HINT = "run inv deploy --env local"


@dataclass(frozen=True, slots=True)
class Queue:
    """A deployed queue. `module` reads it; of a dead-letter queue, it failed to handle the messages in it.

    Attributes:
        visibility_s: of an inbox, after how long a message returns that was received, but not handled.
        max_receives: of an inbox, how often a message is received before it becomes a dead letter; 0 without a limit.
    """

    name: str
    url: str
    module: str
    is_dead_letter: bool
    visibility_s: int = 0
    max_receives: int = 0


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contents of the deployed stacks.

    Attributes:
        functions: the deployed function's name, by module.
        log_groups: the name of the log group that a function writes to, by module.
        queues: inboxes and dead-letter queues, by queue name.
        outputs, parameters: of all stacks together.
    """

    functions: Mapping[str, str]
    log_groups: Mapping[str, str]
    queues: Mapping[str, Queue]
    schedules: tuple[Schedule, ...]
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    def output(self, name: str) -> str:
        """Return an output of any of the stacks.

        Raises:
            ConfigurationError: no deployed stack has it.
        """
        value = self.outputs.get(name)
        if value is None:
            raise ConfigurationError(f"the deployed stacks have no output {name}; {DEPLOY_HINT}")
        return value

    @property
    def longest_visibility_s(self) -> int:
        """Return after how long a message of any inbox has returned."""
        return max((queue.visibility_s for queue in self.queues.values()), default=0)

    @property
    def longest_retry_s(self) -> int:
        """Return how long the deployed functions try again before a message becomes a dead letter."""
        return max((queue.visibility_s * queue.max_receives for queue in self.queues.values()), default=0)

    def queue_url(self, arn: str) -> str:
        """Return the URL of a queue by its ARN."""
        return self.queues[_last_part(arn)].url


def find_deployment(target: Target, stacks: Sequence[str]) -> Deployment:
    """Ask CloudFormation, Lambda, SQS and the Scheduler what the stacks contain.

    Raises:
        ConfigurationError: a stack is not deployed, or is in a state that cannot be used.
        UnreachableError: the endpoint does not answer.
    """
    try:
        return _find_deployment(target, stacks)
    except BotoCoreError as cause:
        raise UnreachableError(f"does not answer: {cause}", where=target.endpoint) from cause


def _find_deployment(target: Target, stacks: Sequence[str]) -> Deployment:
    cloudformation: CloudFormationClient = client("cloudformation", target)
    described = [_describe(cloudformation, stack) for stack in stacks]
    resources = tuple(chain.from_iterable(_resources(cloudformation, stack) for stack in stacks))
    configurations = _functions(client("lambda", target), _physical_ids(resources, "AWS::Lambda::Function"))
    functions = {module: function["FunctionName"] for module, function in configurations.items()}

    outputs = chain.from_iterable(stack.get("Outputs", ()) for stack in described)
    parameters = chain.from_iterable(stack.get("Parameters", ()) for stack in described)
    return Deployment(
        functions=functions,
        log_groups={module: function["LoggingConfig"]["LogGroup"] for module, function in configurations.items()},
        queues=_queues(target, _physical_ids(resources, "AWS::SQS::Queue"), functions),
        schedules=_schedules(client("scheduler", target), _physical_ids(resources, "AWS::Scheduler::Schedule")),
        outputs={output["OutputKey"]: output["OutputValue"] for output in outputs},
        parameters={parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in parameters},
    )


def _describe(cloudformation: "CloudFormationClient", stack: str) -> Mapping[str, Any]:
    try:
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as cause:
        if "does not exist" not in str(cause):
            raise ToolError(str(cause), where=stack) from cause
        raise ConfigurationError(f"is not deployed; {DEPLOY_HINT}", where=stack) from cause
    if described["StackStatus"] not in _USABLE:
        raise ConfigurationError(f"cannot be used in state {described['StackStatus']}; {DEPLOY_HINT}", where=stack)
    return described


def _resources(cloudformation: "CloudFormationClient", stack: str) -> Iterable[Mapping[str, Any]]:
    # describe_stack_resources would return no more than the first 100.
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return chain.from_iterable(page["StackResourceSummaries"] for page in pages)


def _physical_ids(resources: Iterable[Mapping[str, Any]], resource_type: str) -> frozenset[str]:
    return frozenset(
        resource["PhysicalResourceId"] for resource in resources if resource["ResourceType"] == resource_type
    )


def _functions(lambda_client: "LambdaClient", names: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
    """Map each module to the configuration of its function."""
    pages = lambda_client.get_paginator("list_functions").paginate()
    functions = chain.from_iterable(page["Functions"] for page in pages)
    return {module_of(function["Handler"]): function for function in functions if function["FunctionName"] in names}


def module_of(handler: str) -> str:
    """Return the module that holds a handler; the handler's file when it is in no package.

    `the_alchemiser.data_v2.lambda_handler.lambda_handler` -> `data_v2`; `index.handler` -> `index`.
    """
    return handler.split(".")[max(-3, -handler.count(".") - 1)]


def _queues(target: Target, urls: frozenset[str], functions: Mapping[str, str]) -> Mapping[str, Queue]:
    sqs: SQSClient = client("sqs", target)
    modules = {name: module for module, name in functions.items()}
    readers = {queue: modules[function] for queue, function in _readers(target).items() if function in modules}
    urls_by_name = {_last_part(url): url for url in urls}

    queues: dict[str, Queue] = {}
    for name in sorted(readers.keys() & urls_by_name.keys()):
        url, module = urls_by_name[name], readers[name]
        attributes = _attributes(sqs, url)
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
        queues[name] = Queue(
            name,
            url,
            module,
            is_dead_letter=False,
            visibility_s=int(attributes["VisibilityTimeout"]),
            max_receives=int(redrive.get("maxReceiveCount", 0)),
        )
        dead = _last_part(redrive.get("deadLetterTargetArn", ""))
        if dead in urls_by_name:
            queues[dead] = Queue(dead, urls_by_name[dead], module, is_dead_letter=True)
    return queues


def _readers(target: Target) -> Mapping[str, str]:
    """Map the name of each queue to the name of the function that reads it."""
    functions: LambdaClient = client("lambda", target)
    pages = functions.get_paginator("list_event_source_mappings").paginate()
    mappings = chain.from_iterable(page["EventSourceMappings"] for page in pages)
    return {_last_part(mapping["EventSourceArn"]): _last_part(mapping["FunctionArn"]) for mapping in mappings}


def _attributes(sqs: "SQSClient", url: str) -> Mapping[str, str]:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy", "VisibilityTimeout"])
    return cast("Mapping[str, str]", answer["Attributes"])


def _schedules(scheduler: "EventBridgeSchedulerClient", names: frozenset[str]) -> tuple[Schedule, ...]:
    pages = scheduler.get_paginator("list_schedules").paginate()
    listed = chain.from_iterable(page["Schedules"] for page in pages)
    # The name alone would be looked up in the default group.
    groups = {schedule["Name"]: schedule["GroupName"] for schedule in listed if schedule["Name"] in names}
    described = [scheduler.get_schedule(Name=name, GroupName=groups[name]) for name in sorted(groups)]
    # The emulator drops a schedule's time zone; the templates use New York for all of them.
    return tuple(
        Schedule(
            schedule["Name"],
            schedule["ScheduleExpression"],
            str(NEW_YORK),
            schedule["Target"]["Arn"],
            schedule["Target"]["Input"],
        )
        for schedule in described
    )


def _last_part(arn_or_url: str) -> str:
    return arn_or_url.replace("/", ":").rpartition(":")[2]
