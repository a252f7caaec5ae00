"""Whether a deployment fits the account's quotas."""

from collections.abc import Mapping

from automation.deploying.remarks import Level, Remark
from automation.project import templates
from automation.project.environments import StackSettings
from automation.system import aws_commands
from automation.system.accounts import LambdaLimits
from automation.system.targets import Target

# Source: AWS CloudFormation user guide, "Understand CloudFormation quotas".
MAX_RESOURCES = 500
# Source: AWS Lambda developer guide, "Configuring reserved concurrency": what must stay unreserved.
_MIN_UNRESERVED = 100
_CODE_QUOTA = "L-2ACBD22F"
_CONCURRENCY_QUOTA = "L-B99A9384"
_BYTES_PER_GB = 1 << 30


def resources_remark(stack_name: str, template: str, count: int) -> Remark:
    """Compare the number of a stack's resources with CloudFormation's limit."""
    what = f"{count} of at most {MAX_RESOURCES} resources"
    if count <= MAX_RESOURCES:
        return Remark(Level.OK, stack_name, what)
    return Remark(Level.STOP, stack_name, what, f"move some of them from {template} to a new stack")


def code_remark(limits: LambdaLimits, new_bytes: int, target: Target) -> Remark:
    """Compare the size of new zips with the free storage for code."""
    used, limit = limits.used_code_bytes, limits.code_bytes
    what = f"{_gb(used)} of {_gb(limit)} used, the new zips take up to {_gb(new_bytes)}"
    if used + new_bytes <= limit:
        return Remark(Level.OK, "Lambda code storage", what)
    fix = f"delete old layer versions (see {aws_commands.line(target, 'lambda', 'list-layers')}), or ask for more: "
    return Remark(
        Level.STOP, "Lambda code storage", what, fix + _request(target, _CODE_QUOTA, _at_least_gb(used + new_bytes))
    )


def concurrency_remark(limits: LambdaLimits, *, reserved: int, owned: int, target: Target) -> Remark:
    """Compare reserved concurrency with what the account can give.

    Args:
        reserved: the sum over the functions of the templates.
        owned: what their deployed functions have reserved already.
    """
    must_stay = min(_MIN_UNRESERVED, limits.concurrency)
    available = limits.unreserved_concurrency + owned - must_stay
    what = f"the functions reserve {reserved}, the account can give {max(available, 0)}"
    if reserved <= available:
        return Remark(Level.OK, "Lambda concurrency", f"{what} of {limits.concurrency}")
    request = _request(target, _CONCURRENCY_QUOTA, limits.concurrency + reserved - available)
    fix = f"lower ReservedConcurrentExecutions, or ask for more: {request}"
    return Remark(Level.STOP, "Lambda concurrency", f"{what} ({must_stay} must stay unreserved)", fix)


def reservations(settings: StackSettings) -> Mapping[str, int]:
    """Return the reserved concurrency of each function of a stack that reserves some, by logical id."""
    reserved: dict[str, int] = {}
    for function in settings.stack.functions:
        value = templates.resolve(
            function.properties.get("ReservedConcurrentExecutions"), settings.stack.template, settings.values()
        )
        if str(value).isdigit():
            reserved[function.logical_id] = int(str(value))
    return reserved


def _request(target: Target, quota: str, value: int) -> str:
    words = ("service-quotas", "request-service-quota-increase", "--service-code", "lambda")
    return aws_commands.line(target, *words, "--quota-code", quota, "--desired-value", str(value))


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / _BYTES_PER_GB:.2f} GB"


def _at_least_gb(size_bytes: int) -> int:
    return -(-size_bytes // _BYTES_PER_GB)
