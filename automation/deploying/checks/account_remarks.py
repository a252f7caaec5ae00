"""The questions to an account before a deployment, by topic. An error of AWS is a remark too, never an exception."""

from typing import TYPE_CHECKING

from automation.building import outputs
from automation.deploying import bootstrap_stack
from automation.deploying.adoption import model as adoption
from automation.deploying.checks import physical_names, quotas, readiness
from automation.deploying.checks.physical_names import NamedResource
from automation.deploying.checks.visits import Visit, ask_each
from automation.deploying.remarks import Level, Remark
from automation.deploying.stacks import stack_states, uploads
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
    """Check that no name which a stack would create is taken, but by what a new stack may adopt."""
    account, scope = visit.identity.account, visit.scope
    named: list[NamedResource] = []
    deployed: list[StackResource] = []
    adoptable: set[NamedResource] = set()
    for settings, stack in zip(scope.stacks, visit.deployed, strict=True):
        own = physical_names.named_resources(settings, account=account, region=scope.target.region)
        named += own
        deployed += stack.resources
        if stack_states.can_be_created(stack.state):
            adoptable |= {resource for resource in own if resource.kind.type in adoption.IDENTIFIERS}

    def ask(resource: NamedResource) -> Remark | None:
        if not visit.account.exists(resource.kind.type, resource.name):
            return None
        if resource in adoptable:
            return physical_names.adoptable(resource, scope.environment.name)
        return physical_names.conflict(resource, scope.target)

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

    def ask_default(stack_name: str) -> Remark:
        return _bootstrap_bucket_remark(visit, stack_name) or _managed_bucket_remark(visit, uploads.MANAGED_STACK)

    default = [bootstrap_stack.name_of(visit.scope.name_patterns)] if "" in buckets else []
    return [*ask_each(sorted(buckets - {""}), ask, about=str), *ask_each(default, ask_default, about=str)]


def _state_remark(visit: Visit, stack: DeployedStack) -> Remark:
    state, environment = stack.state, visit.scope.environment.name
    if stack_states.is_running(state):
        return Remark(Level.INFO, state.name, f"is {state.status}; inv deploy waits until this change is finished")
    if stack_states.is_failed_creation(state):
        what = f"is {state.status}: its creation failed; inv deploy deletes the stack and creates it again"
        return Remark(Level.INFO, state.name, what)
    if obstacle := stack_states.obstacle(state, visit.scope.target, environment):
        return Remark(Level.STOP, obstacle.where, obstacle.what, obstacle.fix)
    return Remark(Level.OK, state.name, f"is {state.status}" if state.exists else "will be created")


def _bootstrap_bucket_remark(visit: Visit, stack_name: str) -> Remark | None:
    """Check the bucket of the bootstrap stack, if there is one."""
    bucket = visit.account.stack(stack_name).outputs.get(bootstrap_stack.BUCKET)
    return _bucket_remark(visit, bucket) if bucket else None


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
