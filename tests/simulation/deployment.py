"""The deployed system as both templates describe it: functions, queues, rules, schedules and tables, in plain values.

A resource is called by its logical id; ids that both templates use get the prefix `Data` in the data stack.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from automation.project import templates

ROOT = Path(__file__).parents[2]
STAGE = "dev"
QUEUE_URL = "https://sqs.simulated/"
_SECOND_NAMES = ("Ref", "Fn::GetAtt")


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its module, seconds until Lambda kills it, its environment, and how its queue feeds it."""

    module: str
    timeout_s: int
    environment: Mapping[str, str]
    queue: str
    batch_size: int
    window_s: int
    concurrency: int


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue with its dead-letter queue; `visibility_s` is how long a received message stays hidden."""

    name: str
    visibility_s: int
    receives: int
    dead_letters: str
    is_fifo: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the bus, and the queues that it feeds."""

    pattern: Mapping[str, Any]
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One schedule: its cron expression, its time zone, its queue and the exact body that it sends."""

    name: str
    expression: str
    time_zone: str
    queue: str
    body: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table: the names of its key attributes, and of those of its indexes."""

    name: str
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]
    keys_only: frozenset[str]


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that the simulator needs to know about both stacks."""

    functions: Mapping[str, Function]
    queues: Mapping[str, Queue]
    rules: tuple[Rule, ...]
    schedules: tuple[Schedule, ...]
    tables: Mapping[str, Table]
    switch: str


@cache
def read_deployment() -> Deployment:
    """Read both templates once per process."""
    stacks = _read_stacks()
    return Deployment(
        functions={function.module: function for function in _each(stacks, "AWS::Serverless::Function", _function)},
        queues={queue.name: queue for queue in _each(stacks, "AWS::SQS::Queue", _queue) if queue.dead_letters},
        rules=tuple(_each(stacks, "AWS::Events::Rule", _rule)),
        schedules=tuple(_each(stacks, "AWS::Scheduler::Schedule", _schedule)),
        tables={table.name: table for table in _each(stacks, "AWS::DynamoDB::Table", _table)},
        switch=next(iter(_each(stacks, "AWS::SSM::Parameter", lambda stack, _name, found: stack.plain(found["Name"])))),
    )


@dataclass(frozen=True, slots=True)
class _Stack:
    template: templates.Template
    exports: Mapping[str, str]
    shared_ids: frozenset[str]

    def name(self, logical_id: str) -> str:
        return f"Data{logical_id}" if logical_id in self.shared_ids else logical_id

    def plain(self, value: Any) -> Any:
        """Return a value without intrinsics: a resource becomes its name."""
        match value:
            case {"Ref": str() as name} if name in self.template.resources:
                return self._reference(name)
            case {"Fn::GetAtt": [str() as name, *_]}:
                return self.name(name)
            case {"Fn::ImportValue": {"Fn::Sub": str() as name}}:
                return self.exports[name.rpartition("-")[2]]
            case dict():
                resolved = templates.resolve(value, self.template, {"Stage": STAGE})
                if resolved != value or len(value) != 1:
                    return resolved if not isinstance(resolved, dict) else self._inside(value)
                return self._inside(value)
            case list():
                return [self.plain(item) for item in value]
        return value

    def _inside(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return {key: self.plain(item) for key, item in value.items()}

    def _reference(self, logical_id: str) -> str:
        resource = self.template.resources[logical_id]
        if resource["Type"] == "AWS::SSM::Parameter":
            return str(self.plain(resource["Properties"]["Name"]))
        prefix = QUEUE_URL if resource["Type"] == "AWS::SQS::Queue" else ""
        return prefix + self.name(logical_id)


def _read_stacks() -> tuple[_Stack, ...]:
    trading = templates.read(ROOT / "template.yaml", name="template.yaml")
    document = templates.document(ROOT / "data-template.yaml", name="data-template.yaml")
    data = templates.read(ROOT / "data-template.yaml", name="data-template.yaml")
    exports = {name: output["Value"].get("Ref", "") for name, output in document["Outputs"].items()}
    shared = frozenset(trading.resources.keys() & data.resources.keys())
    return _Stack(trading, exports, frozenset()), _Stack(data, {}, shared)


def _each(stacks: tuple[_Stack, ...], kind: str, read: Any) -> Iterator[Any]:
    for stack in stacks:
        for logical_id, resource in stack.template.resources.items():
            if resource["Type"] == kind:
                yield read(stack, logical_id, resource["Properties"])


def _function(stack: _Stack, _: str, properties: Mapping[str, Any]) -> Function:
    shared = stack.template.globals["Function"]
    variables = {**shared["Environment"]["Variables"], **properties.get("Environment", {}).get("Variables", {})}
    source = properties["Events"]["Inbox"]["Properties"]
    return Function(
        module=properties["Handler"].split(".")[1],
        timeout_s=int(stack.plain(properties.get("Timeout", shared["Timeout"]))),
        environment={name: str(stack.plain(value)) for name, value in variables.items()},
        queue=str(stack.plain(source["Queue"])),
        batch_size=int(source["BatchSize"]),
        window_s=int(stack.plain(source.get("MaximumBatchingWindowInSeconds", 0))),
        concurrency=int(stack.plain(source.get("ScalingConfig", {}).get("MaximumConcurrency", 1000))),
    )


def _queue(stack: _Stack, logical_id: str, properties: Mapping[str, Any]) -> Queue:
    redrive = properties.get("RedrivePolicy", {})
    return Queue(
        name=stack.name(logical_id),
        visibility_s=int(stack.plain(properties.get("VisibilityTimeout", 30))),
        receives=int(redrive.get("maxReceiveCount", 0)),
        dead_letters=str(stack.plain(redrive.get("deadLetterTargetArn", ""))),
        is_fifo=bool(properties.get("FifoQueue", False)),
    )


def _rule(stack: _Stack, _: str, properties: Mapping[str, Any]) -> Rule:
    return Rule(properties["EventPattern"], tuple(str(stack.plain(row["Arn"])) for row in properties["Targets"]))


def _schedule(stack: _Stack, logical_id: str, properties: Mapping[str, Any]) -> Schedule:
    target = properties["Target"]
    return Schedule(
        logical_id,
        properties["ScheduleExpression"],
        properties["ScheduleExpressionTimezone"],
        str(stack.plain(target["Arn"])),
        target["Input"],
    )


def _table(stack: _Stack, logical_id: str, properties: Mapping[str, Any]) -> Table:
    indexes = properties.get("GlobalSecondaryIndexes", [])
    return Table(
        name=stack.name(logical_id),
        key=_key(properties),
        indexes={index["IndexName"]: _key(index) for index in indexes},
        keys_only=frozenset(i["IndexName"] for i in indexes if i["Projection"]["ProjectionType"] == "KEYS_ONLY"),
    )


def _key(properties: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row["AttributeName"]) for row in properties["KeySchema"])
