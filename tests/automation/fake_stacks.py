"""CloudFormation in memory: stacks of plain templates, their change sets, exports and events.

A change is finished at the look at its stack that `looks` says. It fails, and is rolled back, where `failing` has a
reason, and where it would take back or change an export that another stack imports.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from automation.system.errors import DeploymentError
from automation.system.stacks import (
    STACK_TYPE,
    NoSuchStackError,
    StackDescription,
    StackEvent,
    StackResource,
    StackState,
    Stage,
    StaleChangeSetError,
)
from tests.automation import fake_templates
from tests.automation.answers import validated
from tests.automation.fake_templates import Content, NoExportError

_START = datetime(2026, 1, 2, tzinfo=UTC)
_REVIEW = "REVIEW_IN_PROGRESS"
_DELETING = "DELETE_IN_PROGRESS"


@dataclass
class FakeStack:
    """A stack.

    Attributes:
        coming: what it becomes when the change that runs has succeeded; None when nothing runs.
        looks: how many looks the change that runs still takes.
    """

    name: str
    id: str
    status: str
    changed_at: str
    content: Content = field(default_factory=Content)
    tags: Mapping[str, str] = field(default_factory=dict)
    physical_ids: dict[str, str] = field(default_factory=dict)
    events: list[StackEvent] = field(default_factory=list)
    coming: "FakeChangeSet | None" = None
    looks: int = 0
    is_protected: bool = False

    @property
    def state(self) -> StackState:
        return StackState(self.name, self.status, self.id, self.changed_at)

    @property
    def exports(self) -> dict[str, str]:
        return self.content.exports(self.physical_ids)


@dataclass
class FakeChangeSet:
    """A change set; `actions` says what happens to each resource that changes."""

    id: str
    stack: FakeStack
    content: Content
    tags: Mapping[str, str]
    actions: Mapping[str, str]
    imports: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    is_obsolete: bool = False


@dataclass
class FakeStacks:
    """CloudFormation of one account.

    Attributes:
        read: returns the content at an URL.
        on_call: called before each call, with its name and its first argument; it may raise.
        calls: the calls that change something, such as `execute shop-live`.
        looks: how many looks at its stack a change takes.
        failing: why the changes of a stack fail, by its name.
    """

    read: Callable[[str], bytes]
    account: str = "123456789012"
    region: str = "eu-west-1"
    stacks: dict[str, FakeStack] = field(default_factory=dict)
    sets: dict[str, FakeChangeSet] = field(default_factory=dict)
    on_call: Callable[[str, str], None] = lambda _name, _argument: None
    calls: list[str] = field(default_factory=list)
    looks: int = 0
    failing: dict[str, str] = field(default_factory=dict)
    deleted: list[FakeStack] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def stack_state(self, stack: str) -> StackState:
        self.on_call("stack_state", stack)
        known = self._find(stack)
        if known is None:
            return StackState(stack)
        if known.coming is not None or known.status == _DELETING:
            known.looks -= 1
            if known.looks < 0:
                self.finish(known)
        return known.state

    def describe(self, stack: str) -> StackDescription:
        self.on_call("describe", stack)
        known = self._find(stack)
        if known is None:
            return StackDescription(StackState(stack))
        parameters = {name: value for name, value in known.content.values.items() if "::" not in name}
        outputs = known.content.outputs(known.physical_ids)
        return StackDescription(known.state, parameters, known.tags, outputs, known.is_protected)

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        self.on_call("resources", stack)
        known = self._require(stack)
        return tuple(
            StackResource(name, physical_id, str(known.content.resources[name]["Type"]))
            for name, physical_id in known.physical_ids.items()
        )

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> Mapping[str, Any]:
        self.on_call("template", f"{stack} {stage}" if stage is Stage.ORIGINAL else stack)
        return self.sets[change_set].content.template if change_set else self._require(stack).content.template

    def exports(self) -> Mapping[str, str]:
        self.on_call("exports", "")
        exports: dict[str, str] = {}
        for stack in self.stacks.values():
            exports |= stack.exports
        return exports

    def create_change_set(self, request: Mapping[str, Any]) -> tuple[str, str]:
        name, kind = request["StackName"], request["ChangeSetType"]
        self.on_call("create_change_set", name)
        if kind != "IMPORT" and self._is_new(name) != (kind == "CREATE"):
            raise DeploymentError(f"AWS refused the request: {kind} does not fit the stack", where=name)
        if name not in self.stacks:
            self.stacks[name] = FakeStack(name, self._new_id("stack", name), _REVIEW, self._now())
        self.calls.append(f"create {name}")
        change_set = self._compute(self.stacks[name], request)
        self.sets[change_set.id] = change_set
        return change_set.id, change_set.stack.id

    def describe_change_set(self, change_set: str) -> Mapping[str, Any]:
        self.on_call("describe_change_set", change_set)
        known = self._require_set(change_set)
        executable = "OBSOLETE" if known.is_obsolete else "UNAVAILABLE" if known.reason else "AVAILABLE"
        answer = {
            "ChangeSetId": known.id,
            "StackId": known.stack.id,
            "StackName": known.stack.name,
            "Status": "FAILED" if known.reason else "CREATE_COMPLETE",
            "StatusReason": known.reason,
            "ExecutionStatus": executable,
            "Changes": [_described(known, name, action) for name, action in known.actions.items()],
        }
        return validated("cloudformation", "DescribeChangeSet", answer)

    def change_sets(self, stack: str) -> tuple[str, ...]:
        self.on_call("change_sets", stack)
        known = self._require(stack)
        return tuple(change_set.id for change_set in self.sets.values() if change_set.stack is known)

    def delete_change_set(self, change_set: str) -> None:
        self.on_call("delete_change_set", change_set)
        known = self.sets.pop(change_set, None)
        if known is not None:
            self.calls.append(f"discard {known.stack.name}")

    def delete_stack(self, stack_id: str, *, retain: Sequence[str] = ()) -> None:
        self.on_call("delete_stack", stack_id)
        stack = self._require(stack_id)
        if stack.is_protected:
            raise DeploymentError("cannot be deleted while TerminationProtection is enabled", where=stack.name)
        self.calls.append(f"delete {stack.name}")
        if stack.status == _REVIEW:
            del self.stacks[stack.name]
            return
        stack.coming, stack.looks = None, self.looks
        self._move(stack, _DELETING)

    def execute_change_set(self, change_set: str, *, token: str) -> None:
        self.on_call("execute_change_set", change_set)
        known = self._require_set(change_set)
        if known.is_obsolete:
            raise StaleChangeSetError("the change set can no longer be used")
        stack = known.stack
        self.calls.append(f"execute {stack.name}")
        for sibling in [sibling for sibling in self.sets.values() if sibling.stack is stack]:
            sibling.is_obsolete = True
        stack.coming, stack.looks, stack.changed_at = known, self.looks, self._now()
        verb = "IMPORT" if known.imports else "CREATE" if stack.status == _REVIEW else "UPDATE"
        self._move(stack, f"{verb}_IN_PROGRESS")

    def events(self, stack: str) -> Iterator[StackEvent]:
        self.on_call("events", stack)
        yield from reversed(self._require(stack).events)

    def cancel_update(self, stack: str) -> None:
        self.on_call("cancel_update", stack)
        known = self._require(stack)
        self.calls.append(f"cancel {known.name}")
        known.looks, self.failing[known.name] = 0, "User Initiated"

    def protect(self, stack: str, *, on: bool) -> None:
        self.on_call("protect", stack)
        self.calls.append(f"{'protect' if on else 'unprotect'} {stack}")
        self._require(stack).is_protected = on

    def deleted_stacks(self, name: str) -> tuple[str, ...]:
        self.on_call("deleted_stacks", name)
        return tuple(stack.id for stack in reversed(self.deleted) if stack.name == name)

    def retained(self, stack_id: str) -> tuple[StackResource, ...]:
        return self.resources(stack_id)

    def owner(self, physical_id: str) -> str:
        self.on_call("owner", physical_id)
        owners = [stack.name for stack in self.stacks.values() if physical_id in stack.physical_ids.values()]
        return owners[0] if owners else ""

    def finish(self, stack: FakeStack) -> None:
        """Let the change that runs succeed or fail."""
        if stack.status == _DELETING:
            self._finish_deletion(stack)
            return
        change_set, verb = stack.coming, stack.status.partition("_")[0]
        assert change_set is not None
        stack.coming = None
        if reason := self.failing.get(stack.name) or self._export_in_use(change_set):
            self._event(stack, "Queue", f"{verb}_FAILED", reason)
            self._move(stack, "UPDATE_ROLLBACK_COMPLETE" if verb == "UPDATE" else "ROLLBACK_COMPLETE")
            return

        self.sets = {name: known for name, known in self.sets.items() if known.stack is not stack}
        stack.physical_ids = self._physical_ids(change_set)
        stack.content, stack.tags = change_set.content, change_set.tags
        for name in change_set.actions:
            self._event(stack, name, f"{verb}_COMPLETE")
        self._move(stack, f"{verb}_COMPLETE")

    def _finish_deletion(self, stack: FakeStack) -> None:
        if reason := self.failing.get(stack.name):
            self._event(stack, "Queue", "DELETE_FAILED", reason)
            self._move(stack, "DELETE_FAILED")
            return
        kept = {
            name
            for name, resource in stack.content.resources.items()
            if resource.get("DeletionPolicy", "").startswith("Retain")
        }
        stack.physical_ids = {name: entry for name, entry in stack.physical_ids.items() if name in kept}
        self.deleted.append(self.stacks.pop(stack.name))
        self._move(stack, "DELETE_COMPLETE")

    def edit(self, name: str, edit: Callable[[str], str]) -> None:
        """Change the template of a stack behind the back of everybody: nothing else about the stack moves."""
        stack = self.stacks[name]
        stack.content = replace(stack.content, template=json.loads(edit(json.dumps(stack.content.template))))

    def _compute(self, stack: FakeStack, request: Mapping[str, Any]) -> FakeChangeSet:
        is_sent_along = "TemplateBody" in request
        template = json.loads(request["TemplateBody"] if is_sent_along else self.read(request["TemplateURL"]))
        content = Content(template, self._values(stack, template, request.get("Parameters", [])))
        tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]} if "Tags" in request else stack.tags
        imports = {
            entry["LogicalResourceId"]: next(iter(entry["ResourceIdentifier"].values()))
            for entry in request.get("ResourcesToImport", ())
        }
        change_set = FakeChangeSet(self._new_id("changeSet", stack.name), stack, content, tags, {}, imports)
        if imports:
            change_set.actions = dict.fromkeys(imports, "Import")
            owned = [entry for entry in imports.values() if self.owner(entry)]
            change_set.reason = f"{owned[0]} already exists in stack {self.owner(owned[0])}" if owned else ""
            return change_set
        try:
            change_set.actions = fake_templates.changes(stack.content, content, self.exports())
        except NoExportError as cause:
            change_set.reason = str(cause)
            return change_set
        if not change_set.actions and tags != stack.tags:
            # A new tag of the stack is a change of every resource.
            change_set.actions = dict.fromkeys(content.resources, "Tags")
        if not change_set.actions and content.template.get("Outputs") == stack.content.template.get("Outputs"):
            change_set.reason = "The submitted information didn't contain changes."
        return change_set

    def _values(
        self, stack: FakeStack, template: Mapping[str, Any], parameters: list[Mapping[str, Any]]
    ) -> dict[str, str]:
        definitions = template.get("Parameters") or {}
        values = {name: str(entry["Default"]) for name, entry in definitions.items() if "Default" in entry}
        for entry in parameters:
            name = entry["ParameterKey"]
            values[name] = entry.get("ParameterValue", stack.content.values.get(name, ""))
        return {**values, "AWS::StackName": stack.name, "AWS::Region": self.region, "AWS::AccountId": self.account}

    def _physical_ids(self, change_set: FakeChangeSet) -> dict[str, str]:
        stack, ids = change_set.stack, {}
        for name, resource in change_set.content.resources.items():
            is_new = name not in stack.physical_ids or change_set.actions.get(name) == "Replace"
            ids[name] = change_set.imports.get(name) or (
                self._new_name(resource, f"{stack.name}-{name}") if is_new else stack.physical_ids[name]
            )
        return ids

    def _export_in_use(self, change_set: FakeChangeSet) -> str:
        stack = change_set.stack
        after = change_set.content.exports(self._physical_ids(change_set))
        for name, value in stack.exports.items():
            users = [user.name for user in self.stacks.values() if name in user.content.imports()]
            if users and after.get(name) != value:
                return f"Cannot update export {name} as it is in use by {users[0]}"
        return ""

    def _move(self, stack: FakeStack, status: str) -> None:
        stack.status = status
        event_id = f"event-{next(self.numbers)}"
        stack.events.append(StackEvent(event_id, stack.id, stack.name, stack.id, STACK_TYPE, status))

    def _event(self, stack: FakeStack, name: str, status: str, reason: str = "") -> None:
        event_id = f"event-{next(self.numbers)}"
        kind = str(stack.content.resources.get(name, {}).get("Type", "AWS::SQS::Queue"))
        stack.events.append(StackEvent(event_id, stack.id, name, name, kind, status, reason))

    def _is_new(self, name: str) -> bool:
        return name not in self.stacks or self.stacks[name].status == _REVIEW

    def _find(self, stack: str) -> FakeStack | None:
        live = next((known for known in self.stacks.values() if stack in {known.name, known.id}), None)
        return live or next((known for known in self.deleted if stack == known.id), None)

    def _require(self, stack: str) -> FakeStack:
        known = self._find(stack)
        if known is None:
            raise NoSuchStackError("there is no such stack", where=stack)
        return known

    def _require_set(self, change_set: str) -> FakeChangeSet:
        if change_set not in self.sets or self.sets[change_set].stack.name not in self.stacks:
            raise StaleChangeSetError("the change set can no longer be used")
        return self.sets[change_set]

    def _new_name(self, resource: Mapping[str, Any], name: str) -> str:
        """Return the name that a template gives a parameter, or a new id."""
        is_parameter = resource["Type"] == "AWS::SSM::Parameter" and "Name" in resource["Properties"]
        return str(resource["Properties"]["Name"]) if is_parameter else self._new_id(str(resource["Type"]), name)

    def _new_id(self, kind: str, name: str) -> str:
        return f"arn:aws:{kind}:{self.region}:{self.account}:{name}:{next(self.numbers)}"

    def _now(self) -> str:
        return (_START + timedelta(seconds=next(self.numbers))).isoformat()


def interrupt_changes(stacks: FakeStacks, stack: str) -> None:
    """Press Ctrl-C at the first look at a stack that changes; the change takes three looks more."""
    stacks.looks = 3

    def interrupt(name: str, argument: str) -> None:
        known = stacks.stacks.get(stack)
        if name == "stack_state" and known and argument == known.id and known.coming:
            stacks.on_call = lambda _name, _argument: None
            raise KeyboardInterrupt

    stacks.on_call = interrupt


def _described(change_set: FakeChangeSet, name: str, action: str) -> dict[str, Any]:
    """Return a change as an emulator describes it: without the values of properties."""
    resources = {**change_set.stack.content.resources, **change_set.content.resources}
    entry = {
        "Action": action if action in {"Add", "Remove", "Import"} else "Modify",
        "LogicalResourceId": name,
        "ResourceType": str(resources[name]["Type"]),
        "Scope": {"Add": [], "Remove": [], "Import": [], "Tags": ["Tags"]}.get(action, ["Properties"]),
    }
    if physical_id := change_set.stack.physical_ids.get(name):
        entry["PhysicalResourceId"] = physical_id
    if entry["Action"] == "Modify":
        entry["Replacement"] = "True" if action == "Replace" else "False"
    return {"Type": "Resource", "ResourceChange": entry}
