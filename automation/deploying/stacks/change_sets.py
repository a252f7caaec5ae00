"""Create the change set of a stack, wait until CloudFormation has computed it, and delete it when it is not wanted."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from automation.deploying.stacks import stack_states
from automation.project import sam_configuration, templates
from automation.project.environments import StackSettings
from automation.project.sam_configuration import SAMCONFIG
from automation.system import console
from automation.system.errors import CheckFailedError, DeploymentError, Finding
from automation.system.stacks import NoSuchStackError, StackDescription, StackState, StaleChangeSetError

MAX_WAIT_S = 600.0
NAME = "release"
_AUTO_EXPAND = "CAPABILITY_AUTO_EXPAND"
# The plan shows every change of a permission, so that roles without a name of their own need no other consent.
_DEFAULT_CAPABILITIES = "CAPABILITY_IAM"
_PENDING = frozenset({"CREATE_PENDING", "CREATE_IN_PROGRESS"})
_FAILED = "FAILED"
_EXECUTABLE = "AVAILABLE"
# The reasons of a set without changes; the second is that of a template with a transform.
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


class Cloud(Protocol):
    """The calls to CloudFormation that change sets need; cloudformation.CloudFormation is the real one."""

    def stack_state(self, stack: str) -> StackState:
        """Return the current state of a stack."""
        ...

    def create_change_set(self, request: Mapping[str, Any]) -> tuple[str, str]:
        """Start to create a change set; return its id and the id of its stack."""
        ...

    def describe_change_set(self, change_set: str) -> Mapping[str, Any]:
        """Return the answer of DescribeChangeSet, the changes of all pages together."""
        ...

    def change_sets(self, stack: str) -> tuple[str, ...]:
        """Return the ids of the change sets of a stack."""
        ...

    def delete_change_set(self, change_set: str) -> None:
        """Delete a change set; do nothing when it is missing."""
        ...

    def delete_stack(self, stack_id: str) -> None:
        """Start to delete a stack."""
        ...


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that CloudFormation has computed.

    Attributes:
        is_new_stack: whether executing it creates the stack.
        status: of the change set, such as CREATE_COMPLETE.
        is_empty: whether there is nothing to change; such a set is already deleted.
        described: the answer of DescribeChangeSet, the changes of all pages together.
    """

    id: str
    stack_id: str
    stack_name: str
    is_new_stack: bool
    status: str
    is_empty: bool
    described: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What a change set is created from.

    Attributes:
        template_url: where CloudFormation reads the template; see uploads.upload. Empty for one that is sent along.
        template: the text of a template that is sent along.
        parameters: the section Parameters of the template.
        imports: the resources of an import, as CreateChangeSet takes them; empty for any other change.
    """

    settings: StackSettings
    template_url: str
    parameters: Mapping[str, Any]
    template: str = ""
    imports: Sequence[Mapping[str, Any]] = ()


def create(
    request: Request,
    deployed: StackDescription,
    cloud: Cloud,
    *,
    poll_s: float,
    sleep: Callable[[float], None] = time.sleep,
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex[:8],
) -> ChangeSet:
    """Create a change set for a stack, whether it exists or not, and wait until it is computed.

    A set that cannot be used is deleted again: one without changes, a failed one, and one whose wait was interrupted.

    Args:
        deployed: the stack as it is now.
        poll_s: seconds between two questions; see stack_states.poll_s.

    Raises:
        ConfigurationError: samconfig.toml has a tag that is not `Name=value`.
        DeploymentError: CloudFormation refused the request, could not compute the set, or did not answer.
    """
    is_new_stack, name = stack_states.is_new(deployed.state), request.settings.stack_name
    change_set_id, stack_id = cloud.create_change_set(api_request(request, deployed, f"{NAME}-{new_id()}"))
    try:
        described = _wait(change_set_id, cloud, name, poll_s=poll_s, sleep=sleep)
        change_set = _change_set(described, change_set_id, stack_id, name, is_new_stack=is_new_stack)
        _require_usable(change_set, request.settings.stack.template.path)
    except BaseException:
        # Ctrl-C included. The first error is the one to report, not one of the clean-up.
        with suppress(DeploymentError):
            _discard(change_set_id, stack_id, cloud, is_new_stack=is_new_stack)
        raise

    if change_set.is_empty:
        discard(change_set, cloud)
    return change_set


def reopen(change_set_id: str, cloud: Cloud, *, stack_id: str, environment: str) -> ChangeSet:
    """Return a change set that was created earlier, such as that of a saved plan.

    Args:
        stack_id: the id of the stack that it was created for.

    Raises:
        CheckFailedError: it is gone, obsolete, already executed, or of another stack; nothing was changed.
        DeploymentError: CloudFormation did not answer.
    """
    try:
        described = cloud.describe_change_set(change_set_id)
        state = cloud.stack_state(described["StackName"])
    except (NoSuchStackError, StaleChangeSetError) as cause:
        raise _stale(change_set_id, "it no longer exists", environment) from cause
    if described["StackId"] != stack_id or state.stack_id != stack_id:
        raise _stale(
            change_set_id, f"the stack {described['StackName']} is another one than when it was made", environment
        )
    if described["ExecutionStatus"] != _EXECUTABLE:
        raise _stale(change_set_id, f"it can no longer be executed: {described['ExecutionStatus']}", environment)
    return _change_set(
        described, change_set_id, stack_id, described["StackName"], is_new_stack=stack_states.is_new(state)
    )


def discard(change_set: ChangeSet, cloud: Cloud) -> None:
    """Delete a change set, and the empty stack that was created for it.

    Raises:
        DeploymentError: CloudFormation refused, or did not answer.
    """
    _discard(change_set.id, change_set.stack_id, cloud, is_new_stack=change_set.is_new_stack)


def api_request(request: Request, deployed: StackDescription, name: str) -> dict[str, Any]:
    """Return the request of CreateChangeSet."""
    settings, section = request.settings, request.settings.section
    if request.imports:
        return _import_request(request, name)
    tags = [{"Key": key, "Value": value} for key, value in _tags(settings).items()]
    # Without tags the key is left out: an empty list would remove those that the stack has.
    optional = {
        "Tags": tags,
        "RoleARN": section.get("role_arn"),
        "NotificationARNs": _words(section.get("notification_arns", "")),
    }
    return {
        "StackName": settings.stack_name,
        "ChangeSetName": name,
        "ChangeSetType": "CREATE" if stack_states.is_new(deployed.state) else "UPDATE",
        **_template(request),
        "Parameters": _parameters(request, deployed),
        "Capabilities": _capabilities(section),
        **{key: value for key, value in optional.items() if value},
    }


def _template(request: Request) -> dict[str, str]:
    return {"TemplateURL": request.template_url} if request.template_url else {"TemplateBody": request.template}


def _import_request(request: Request, name: str) -> dict[str, Any]:
    """Return the request for an import, which may set neither parameters nor tags."""
    settings, role = request.settings, request.settings.section.get("role_arn")
    return {
        "StackName": settings.stack_name,
        "ChangeSetName": name,
        "ChangeSetType": "IMPORT",
        "TemplateURL": request.template_url,
        "ResourcesToImport": list(request.imports),
        **({"RoleARN": role} if role else {}),
    }


def _parameters(request: Request, deployed: StackDescription) -> list[dict[str, Any]]:
    """Return the parameters of a request. A hidden one without a value keeps the value that it has in the stack."""
    values = request.settings.parameters
    kept = [
        name
        for name, definition in request.parameters.items()
        if name not in values and name in deployed.parameters and templates.is_no_echo(definition)
    ]
    set_here = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
    return [*set_here, *({"ParameterKey": name, "UsePreviousValue": True} for name in kept)]


def _capabilities(section: Mapping[str, Any]) -> list[str]:
    named = _words(section.get("capabilities", _DEFAULT_CAPABILITIES))
    return list(dict.fromkeys([*named, _AUTO_EXPAND]))


def _words(value: Any) -> list[str]:
    """Return a list of samconfig.toml, which may be a text with spaces or commas."""
    return value.replace(",", " ").split() if isinstance(value, str) else [str(word) for word in value]


def _tags(settings: StackSettings) -> dict[str, str]:
    where = f"{SAMCONFIG}: [{settings.config_env}.deploy.parameters]"
    return sam_configuration.overrides(settings.section, "tags", where=where)


def _wait(
    change_set_id: str, cloud: Cloud, stack_name: str, *, poll_s: float, sleep: Callable[[float], None]
) -> Mapping[str, Any]:
    waited_s = 0.0
    with console.progress(f"computing the changes of {stack_name}"):
        while (described := cloud.describe_change_set(change_set_id))["Status"] in _PENDING:
            if waited_s >= MAX_WAIT_S:
                message = f"the changes were not computed within {MAX_WAIT_S:g} s; nothing was changed; try again"
                raise DeploymentError(message, where=stack_name)
            sleep(poll_s)
            waited_s += poll_s
    return described


def _change_set(
    described: Mapping[str, Any], change_set_id: str, stack_id: str, stack_name: str, *, is_new_stack: bool
) -> ChangeSet:
    status, reason = described["Status"], described.get("StatusReason", "")
    is_empty = status == _FAILED and any(text in reason for text in _NO_CHANGES)
    return ChangeSet(change_set_id, stack_id, stack_name, is_new_stack, status, is_empty, described)


def _require_usable(change_set: ChangeSet, template: str) -> None:
    if change_set.status == _FAILED and not change_set.is_empty:
        reason = change_set.described.get("StatusReason") or "CloudFormation gives no reason"
        message = f"the changes could not be computed: {reason}; nothing was changed; fix {template} and try again"
        raise DeploymentError(message, where=change_set.stack_name)


def _discard(change_set_id: str, stack_id: str, cloud: Cloud, *, is_new_stack: bool) -> None:
    cloud.delete_change_set(change_set_id)
    if not is_new_stack or cloud.stack_state(stack_id).status != stack_states.NOT_CREATED:
        return

    # Destructive, so only an empty stack is deleted: one in which nothing was ever created, and for which no change set
    # of somebody else waits. Named by its id, so that a stack created since under the same name is never deleted.
    if not set(cloud.change_sets(stack_id)) - {change_set_id}:
        cloud.delete_stack(stack_id)


def _stale(change_set_id: str, what: str, environment: str) -> CheckFailedError:
    fix = f"plan again, then deploy: inv diff --env {environment}"
    finding = Finding(f"change set {change_set_id}", what, fix)
    return CheckFailedError("the planned changes can no longer be made; nothing was changed", findings=[finding])
