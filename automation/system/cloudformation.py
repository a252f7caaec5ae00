"""Call CloudFormation: read deployed stacks, create and execute change sets, and read the events of a change."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from automation.system import aws
from automation.system.leftovers import WaitingChangeSet
from automation.system.stacks import (
    NoSuchStackError,
    StackDescription,
    StackEvent,
    StackResource,
    StackState,
    Stage,
    StaleChangeSetError,
)
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ChangeSetSummaryTypeDef

_COMPUTED = frozenset({"CREATE_COMPLETE", "FAILED"})
_NOT_EXECUTED = frozenset({"AVAILABLE", "UNAVAILABLE", "OBSOLETE"})
_WITHOUT_RESOURCES = frozenset({"", "DELETE_COMPLETE", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"})
_UNDELETED = frozenset({"DELETE_FAILED", "DELETE_SKIPPED"})
_STALE = frozenset({"ChangeSetNotFound", "InvalidChangeSetStatus"})


@dataclass(frozen=True, slots=True)
class CloudFormation:
    """The calls to CloudFormation. A stack is named by its name or by its id; a deleted stack only by its id."""

    target: Target

    @property
    def _client(self) -> "CloudFormationClient":
        client: CloudFormationClient = aws.client("cloudformation", self.target)
        return client

    def stack_state(self, stack: str) -> StackState:
        """Return the current state of a stack.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        return aws.Cloud(self.target).stack_state(stack)

    def describe(self, stack: str) -> StackDescription:
        """Return a stack with its parameters, tags and outputs; without a status when there is no such stack.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        try:
            with aws.translate_errors(stack, self.target):
                answer = self._client.describe_stacks(StackName=stack)["Stacks"][0]
        except NoSuchStackError:
            return StackDescription(StackState(stack))
        parameters, outputs = answer.get("Parameters", ()), answer.get("Outputs", ())
        return StackDescription(
            aws.state_of(answer),
            parameters={entry["ParameterKey"]: entry["ParameterValue"] for entry in parameters},
            tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())},
            outputs={output["OutputKey"]: output["OutputValue"] for output in outputs},
            is_protected=answer.get("EnableTerminationProtection", False),
        )

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        """Return the resources of a stack, without those that were deleted or never created.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        return aws.Cloud(self.target).resources(stack)

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> str | Mapping[str, Any]:
        """Return the template of a stack, or of one of its change sets: its YAML text, or a mapping if it is JSON.

        Args:
            change_set: the id of a change set; empty for the template that is deployed.

        Raises:
            NoSuchStackError: there is no such stack.
            StaleChangeSetError: there is no such change set.
            DeploymentError: CloudFormation did not answer.
        """
        which: Mapping[str, Any] = {"ChangeSetName": change_set} if change_set else {}
        with aws.translate_errors(stack, self.target), _translate_stale():
            body: str | Mapping[str, Any] = self._client.get_template(
                StackName=stack, TemplateStage=stage.value, **which
            )["TemplateBody"]
        return body

    def exports(self) -> Mapping[str, str]:
        """Return the value of every export of the account in this region, by its name.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        pages = self._client.get_paginator("list_exports").paginate()
        with aws.translate_errors("exports", self.target):
            exports = pages.build_full_result()["Exports"]
        return {export["Name"]: export["Value"] for export in exports}

    def create_change_set(self, request: Mapping[str, Any]) -> tuple[str, str]:
        """Start to create a change set; return its id and the id of its stack.

        Args:
            request: the request of CreateChangeSet.

        Raises:
            DeploymentError: CloudFormation refused the request, or did not answer.
        """
        stack = request["StackName"]
        with aws.translate_errors(stack, self.target):
            answer = self._client.create_change_set(**request)
        return answer["Id"], answer["StackId"]

    def describe_change_set(self, change_set: str) -> Mapping[str, Any]:
        """Return the answer of DescribeChangeSet with the values of properties, the changes of all pages together.

        Args:
            change_set: its id.

        Raises:
            StaleChangeSetError: there is no such change set.
            DeploymentError: CloudFormation did not answer.
        """
        paginator = self._client.get_paginator("describe_change_set")
        pages = paginator.paginate(ChangeSetName=change_set, IncludePropertyValues=True)
        with aws.translate_errors(change_set, self.target), _translate_stale():
            return dict(pages.build_full_result())

    def change_sets(self, stack: str) -> tuple[str, ...]:
        """Return the ids of the change sets of a stack.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        return tuple(summary["ChangeSetId"] for summary in self._change_sets(stack))

    def waiting_change_sets(self, stack: str) -> tuple[WaitingChangeSet, ...]:
        """Return the change sets of a stack that were computed, or failed to be, and that nobody has executed.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        return tuple(
            WaitingChangeSet(
                id=summary["ChangeSetId"],
                name=summary["ChangeSetName"],
                stack_id=summary["StackId"],
                stack_name=summary["StackName"],
                created_at=summary["CreationTime"],
            )
            for summary in self._change_sets(stack)
            if summary["Status"] in _COMPUTED and summary["ExecutionStatus"] in _NOT_EXECUTED
        )

    def _change_sets(self, stack: str) -> "list[ChangeSetSummaryTypeDef]":
        pages = self._client.get_paginator("list_change_sets").paginate(StackName=stack)
        with aws.translate_errors(stack, self.target):
            summaries: list[ChangeSetSummaryTypeDef] = pages.build_full_result()["Summaries"]
        return summaries

    def delete_change_set(self, change_set: str) -> None:
        """Delete a change set by its id; do nothing when it is missing.

        Raises:
            DeploymentError: CloudFormation refused the request, or did not answer.
        """
        with suppress(StaleChangeSetError), aws.translate_errors(change_set, self.target), _translate_stale():
            self._client.delete_change_set(ChangeSetName=change_set)

    def execute_change_set(self, change_set: str, *, token: str) -> None:
        """Start the change. The same token again does not start it twice.

        Raises:
            StaleChangeSetError: it is gone, or can no longer be executed.
            DeploymentError: CloudFormation refused the request, or did not answer.
        """
        with aws.translate_errors(change_set, self.target), _translate_stale():
            self._client.execute_change_set(ChangeSetName=change_set, ClientRequestToken=token)

    def events(self, stack: str) -> Iterator[StackEvent]:
        """Yield the events of a stack, the newest first; a page is only read when it is needed.

        An event may come twice when the stack changes between two pages.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        pages = iter(self._client.get_paginator("describe_stack_events").paginate(StackName=stack))
        while True:
            with aws.translate_errors(stack, self.target):
                page = next(pages, None)
            if page is None:
                return
            yield from (_event(answer) for answer in page["StackEvents"])

    def cancel_update(self, stack: str) -> None:
        """Ask CloudFormation to cancel the running update of a stack and to roll it back.

        Raises:
            DeploymentError: CloudFormation refused the request, or did not answer.
        """
        with aws.translate_errors(stack, self.target):
            self._client.cancel_update_stack(StackName=stack)

    def delete_stack(self, stack_id: str, *, retain: Sequence[str] = ()) -> None:
        """Start to delete a stack.

        Args:
            retain: the logical ids of resources that stay; only a stack in DELETE_FAILED may have any.

        Raises:
            DeploymentError: CloudFormation refused the request, or did not answer.
        """
        resources: Mapping[str, Any] = {"RetainResources": list(retain)} if retain else {}
        with aws.translate_errors(stack_id, self.target):
            self._client.delete_stack(StackName=stack_id, **resources)

    def protect(self, stack: str, *, on: bool) -> None:
        """Switch the termination protection of a stack: while it is on, CloudFormation refuses to delete the stack.

        Raises:
            DeploymentError: CloudFormation refused the request, or did not answer.
        """
        with aws.translate_errors(stack, self.target):
            self._client.update_termination_protection(StackName=stack, EnableTerminationProtection=on)

    def deleted_stacks(self, name: str) -> tuple[str, ...]:
        """Return the ids of the deleted stacks that had a name, the newest first; AWS keeps them for 90 days.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        pages = self._client.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
        with aws.translate_errors(name, self.target):
            summaries = pages.build_full_result()["StackSummaries"]
        deleted = [summary for summary in summaries if summary["StackName"] == name]
        newest_first = sorted(deleted, key=lambda summary: summary["CreationTime"], reverse=True)
        return tuple(summary["StackId"] for summary in newest_first)

    def retained(self, stack_id: str) -> tuple[StackResource, ...]:
        """Return the resources that the deletion of a stack, or the rollback of its creation, has left in the account.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        with aws.translate_errors(stack_id, self.target):
            summaries = pages.build_full_result()["StackResourceSummaries"]
        return tuple(
            StackResource(summary["LogicalResourceId"], summary["PhysicalResourceId"], summary["ResourceType"])
            for summary in summaries
            if summary["ResourceStatus"] in _UNDELETED
        )

    def owner(self, physical_id: str) -> str:
        """Return the name of the stack that has a resource; empty when no stack that exists has it.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        try:
            with aws.translate_errors(physical_id, self.target):
                answer = self._client.describe_stack_resources(PhysicalResourceId=physical_id)["StackResources"]
        except NoSuchStackError:
            return ""
        # CloudFormation also names a stack that has retained the resource: one that was deleted in the last 90 days, or
        # whose creation was rolled back.
        is_owned = bool(answer) and self.stack_state(answer[0]["StackId"]).status not in _WITHOUT_RESOURCES
        return answer[0]["StackName"] if is_owned else ""


def _event(answer: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        id=answer["EventId"],
        stack_id=answer["StackId"],
        logical_id=answer.get("LogicalResourceId", ""),
        physical_id=answer.get("PhysicalResourceId", ""),
        type=answer.get("ResourceType", ""),
        status=answer.get("ResourceStatus", ""),
        reason=answer.get("ResourceStatusReason", ""),
    )


@contextmanager
def _translate_stale() -> Iterator[None]:
    try:
        yield
    except ClientError as cause:
        error = cause.response["Error"]
        if error["Code"] not in _STALE:
            raise
        raise StaleChangeSetError(f"the change set can no longer be used: {error['Message']}") from cause
