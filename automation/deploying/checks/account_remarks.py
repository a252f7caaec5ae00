"""The questions to an account before a deployment, by topic. An error of AWS is a remark too, never an exception."""

from typing import TYPE_CHECKING

from automation.building import outputs
from automation.deploying.checks import physical_names, quotas, readiness
from automation.deploying.checks.physical_names import NamedResource
from automation.deploying.checks.visits import Visit, ask_each
from automation.deploying.remarks import Level, Remark
from automation.deploying.stacks import stack_states, uploads
from automation.project.environments import StackSettings
from automation.project.settings import Secret
from automation.system.accounts import DeployedStack
from automation.system.errors import ConfigurationError, DeploymentError

if TYPE_CHECKING:
    from automation.system.stacks import StackResource


def stack_remarks(visit: Visit) -> list[Remark]:
    """Check the state of each stack, and what the last drift detection has found."""
    remarks: list[Remark] = []
    for stack in visit.deployed:
        remarks.append(_state_remark(visit, stack))
        if stack.state.exists:
            remarks.append(readiness.drift_remark(stack, visit.scope.target))
    return remarks


def quota_remarks(visit: Visit) -> list[Remark]:
    """Compare code storage and reserved concurrency with the quotas of Lambda."""
    target, new_bytes = visit.scope.target, visit.intent.new_code_bytes
    zips = _zip_bytes(visit) if new_bytes is None else new_bytes

    def code(_topic: str) -> Remark:
        return quotas.code_remark(visit.account.lambda_limits(), zips, target)

    def concurrency(reserved: int) -> Remark:
        owned = _owned_concurrency(visit)
        return quotas.concurrency_remark(visit.account.lambda_limits(), reserved=reserved, owned=owned, target=target)

    # Without a reservation the account needs no answer.
    reserved = sum(sum(quotas.reservations(settings).values()) for settings in visit.scope.stacks)
    return [
        *ask_each(["Lambda code storage"], code, about=str),
        *ask_each([reserved] if reserved else [], concurrency, about=lambda _: "Lambda concurrency"),
    ]


def name_remarks(visit: Visit) -> list[Remark]:
    """Check that no name which a stack would create is taken."""
    account, scope = visit.identity.account, visit.scope
    named: list[NamedResource] = []
    deployed: list[StackResource] = []
    for settings, stack in zip(scope.stacks, visit.deployed, strict=True):
        named += physical_names.named_resources(settings, account=account, region=scope.target.region)
        deployed += stack.resources

    def ask(resource: NamedResource) -> Remark | None:
        is_taken = visit.account.exists(resource.kind.type, resource.name)
        return physical_names.conflict(resource, scope.target) if is_taken else None

    new = physical_names.new_names(named, deployed)
    conflicts = ask_each(new, ask, about=lambda resource: f"{resource.template}: {resource.logical_id}")
    return conflicts or [
        Remark(Level.OK, "names", f"{len(new)} new name(s) are free, {len(named)} are written in templates")
    ]


def bucket_remarks(visit: Visit) -> list[Remark]:
    """Check the buckets that receive templates and zips."""
    sections = [settings.section for settings in visit.scope.stacks]
    buckets = {str(section.get("s3_bucket", "")) for section in sections}

    def ask(bucket: str) -> Remark:
        return _bucket_remark(visit, bucket)

    def ask_managed(stack_name: str) -> Remark:
        return _managed_bucket_remark(visit, stack_name)

    managed = [uploads.MANAGED_STACK] if "" in buckets else []
    return [*ask_each(sorted(buckets - {""}), ask, about=str), *ask_each(managed, ask_managed, about=str)]


def secret_remarks(visit: Visit) -> list[Remark]:
    """Check that the secrets of pyproject.toml exist; nothing reads their values."""
    environment, target = visit.scope.environment.name, visit.scope.target

    def name_of(secret: Secret) -> str:
        return secret.name_in(environment)

    def ask(secret: Secret) -> Remark:
        return readiness.secret_remark(secret, environment, visit.account.secret(name_of(secret)), target)

    return ask_each(visit.scope.project.settings.secrets, ask, about=name_of)


def sender_remarks(visit: Visit) -> list[Remark]:
    """Check that SES may send from the senders of pyproject.toml."""
    if visit.scope.environment.is_sandbox:
        return []
    senders = readiness.senders(visit.scope.stacks, visit.scope.project.settings.senders)

    def ask(parameter: str) -> Remark:
        address = senders[parameter]
        is_verified = visit.account.is_verified(address) or visit.account.is_verified(address.rpartition("@")[2])
        return readiness.sender_remark(parameter, address, is_verified=is_verified, target=visit.scope.target)

    return ask_each(sorted(senders), ask, about=str)


def topic_remarks(visit: Visit) -> list[Remark]:
    """Check that somebody receives what is sent to the topics of the templates."""
    if visit.scope.environment.is_sandbox:
        return []
    remarks: list[Remark] = []
    for settings, stack in zip(visit.scope.stacks, visit.deployed, strict=True):
        remarks += _topic_remarks(visit, settings, stack)
    return remarks


def _topic_remarks(visit: Visit, settings: StackSettings, stack: DeployedStack) -> list[Remark]:
    arns = {entry.logical_id: entry.physical_id for entry in stack.resources if entry.type == readiness.TOPIC}

    def where(topic: str) -> str:
        return f"{settings.stack_name}: {topic}"

    def ask(topic: str) -> Remark:
        arn = arns.get(topic)
        if arn is None:
            return readiness.new_topic_remark(settings, topic, visit.scope.environment.name)
        return readiness.topic_remark(where(topic), arn, visit.account.subscribers(arn), visit.scope.target)

    return ask_each(readiness.topics(settings), ask, about=where)


def _state_remark(visit: Visit, stack: DeployedStack) -> Remark:
    state = stack.state
    if stack_states.is_running(state):
        return Remark(Level.INFO, state.name, f"is {state.status}; inv deploy waits until this change is finished")
    if obstacle := stack_states.obstacle(state, visit.scope.target):
        return Remark(Level.STOP, obstacle.where, obstacle.what, obstacle.fix)
    return Remark(Level.OK, state.name, f"is {state.status}" if state.exists else "will be created")


def _managed_bucket_remark(visit: Visit, stack_name: str) -> Remark:
    """Check the stack of SAM's bucket, then the bucket."""
    stack = visit.account.stack(stack_name)
    if obstacle := stack_states.obstacle(stack.state, visit.scope.target):
        return Remark(Level.STOP, obstacle.where, obstacle.what, obstacle.fix)
    buckets = [entry.physical_id for entry in stack.resources if entry.type == "AWS::S3::Bucket"]
    if not buckets:
        return Remark(Level.OK, stack_name, "SAM will create its bucket for code")
    return _bucket_remark(visit, buckets[0])


def _bucket_remark(visit: Visit, bucket: str) -> Remark:
    try:
        visit.account.require_bucket(bucket)
    except ConfigurationError as cause:
        return Remark(Level.STOP, bucket, cause.message)
    except DeploymentError as cause:
        return Remark(Level.WARN, bucket, f"could not be checked: {cause.message}", "run inv doctor again")
    return Remark(Level.OK, bucket, "the bucket for code can be used")


def _owned_concurrency(visit: Visit) -> int:
    """Return the concurrency that deployed functions have reserved, of those for which the templates reserve some."""
    owned = 0
    for settings, stack in zip(visit.scope.stacks, visit.deployed, strict=True):
        reserving = quotas.reservations(settings)
        owned += sum(
            visit.account.reserved_concurrency(entry.physical_id)
            for entry in stack.resources
            if entry.logical_id in reserving and entry.type == "AWS::Lambda::Function"
        )
    return owned


def _zip_bytes(visit: Visit) -> int:
    """Return the size of all zips of the last build; 0 when there is none."""
    total = 0
    for settings in visit.scope.stacks:
        folder = visit.scope.root / settings.stack.build_dir / outputs.ZIPS
        total += sum(path.stat().st_size for path in folder.glob("*.zip"))
    return total
