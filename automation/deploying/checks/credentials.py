"""Whether the credentials, the account, the region and the clock of this machine allow a deployment."""

import difflib
import shlex
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.project.settings import PYPROJECT
from automation.system import aws_commands
from automation.system.accounts import CallError, Identity, Problem
from automation.system.errors import CheckFailedError

# Source: AWS General Reference, "Signing AWS API requests": AWS refuses a request that was signed longer ago.
MAX_SKEW = timedelta(minutes=5)
_SYNCHRONISE = "synchronise the clock, for example with: sudo timedatectl set-ntp true"


def region_remark(region: str, known: Collection[str], where: str) -> Remark:
    """Compare the region with those that exist; a wrong one looks like a broken network."""
    if region in known:
        return Remark(Level.OK, "region", region)
    similar = difflib.get_close_matches(region, sorted(known), n=1)
    hint = f'write region = "{similar[0]}"' if similar else "write the name of an AWS region"
    fix = f"{hint} in {where}; if the region is new, update boto3"
    return Remark(Level.STOP, "region", f"AWS has no region {region}", fix)


def identity_remarks(scope: Scope, identity: Identity, now: datetime) -> tuple[Remark, ...]:
    """Compare the account with the pinned one, and AWS's clock with `now`."""
    return _account_remark(scope, identity), _clock_remark(identity.server_time, now)


def require_account(scope: Scope, identify: Callable[[], Identity], now: datetime) -> Identity:
    """Check the credentials, the account and the clock, and return who the credentials belong to.

    Raises:
        CheckFailedError: they cannot be used for this environment; the findings say why.
    """
    try:
        identity = identify()
    except CallError as cause:
        raise _unusable(scope, failure(scope, cause, now)) from cause
    stops = [remark for remark in identity_remarks(scope, identity, now) if remark.level is Level.STOP]
    if stops:
        raise _unusable(scope, *stops)
    return identity


def failure(scope: Scope, error: CallError, now: datetime) -> Remark:
    """Return why the credentials cannot be used, and what to do."""
    question = aws_commands.line(scope.target, "sts", "get-caller-identity")
    match error.problem:
        case Problem.NO_CREDENTIALS:
            fix = (
                "run aws configure, or name a profile: export AWS_PROFILE=NAME; aws configure list-profiles lists them"
            )
            return _stop(f"no usable AWS credentials: {error.detail}", fix)
        case Problem.EXPIRED:
            fix = "run aws sso login, or export new temporary credentials (aws configure export-credentials)"
            return _stop(f"the credentials have expired: {error.detail}", fix)
        case Problem.SKEWED:
            return Remark(Level.STOP, "clock", f"{_skew_text(error.server_time, now)}: {error.detail}", _SYNCHRONISE)
        case Problem.UNREACHABLE:
            return _unreachable(scope, error)
        case Problem.REFUSED:
            fix = f"see which ones are used: aws configure list; try them: {question}"
            return _stop(f"AWS does not accept the credentials: {error.detail}", fix)
    return _stop(f"AWS does not answer: {error.detail}", f"try it: {question}")


def _unusable(scope: Scope, *remarks: Remark) -> CheckFailedError:
    message = f"{scope.environment.name} cannot be used with these credentials; nothing was changed"
    return CheckFailedError(message, findings=[remark.finding for remark in remarks])


def _stop(what: str, fix: str) -> Remark:
    return Remark(Level.STOP, "credentials", what, fix)


def _unreachable(scope: Scope, error: CallError) -> Remark:
    endpoint, region = scope.target.endpoint, scope.target.region
    if not endpoint:
        check = shlex.join(["curl", "-sSI", f"https://sts.{region}.amazonaws.com"])
        fix = f"check the network and the proxy settings: {check}"
    elif scope.environment.endpoint:
        fix = f"start what {PYPROJECT} names as the endpoint of {scope.environment.name}"
    else:
        fix = "start it, or run unset AWS_ENDPOINT_URL to deploy to AWS"
    what = f"{endpoint or f'AWS in {region}'} cannot be reached: {error.detail}"
    return Remark(Level.STOP, "network", what, fix)


def _account_remark(scope: Scope, identity: Identity) -> Remark:
    expected, account = scope.environment.account, identity.account
    if not expected:
        return Remark(Level.OK, "account", f"{account}, {identity.arn}; none is pinned in {PYPROJECT}")
    if account == expected:
        return Remark(Level.OK, "account", f"{account}, as pinned; {identity.arn}")
    what = (
        f"the credentials belong to account {account} ({identity.arn}), but {scope.environment.name} needs {expected}"
    )
    fix = f"name a profile of account {expected}: export AWS_PROFILE=NAME; aws configure list-profiles lists them"
    return Remark(Level.STOP, "account", what, fix)


def _clock_remark(server_time: datetime | None, now: datetime) -> Remark:
    if server_time is None:
        return Remark(Level.INFO, "clock", "not compared: the answer of AWS has no date")
    if abs(now - server_time) <= MAX_SKEW:
        return Remark(Level.OK, "clock", "agrees with AWS's")
    what = f"{_skew_text(server_time, now)}; AWS refuses requests that are off by more than 5 minutes"
    return Remark(Level.STOP, "clock", f"{what} (RequestTimeTooSkewed)", _SYNCHRONISE)


def _skew_text(server_time: datetime | None, now: datetime) -> str:
    if server_time is None:
        return "the clock of this machine differs too much from AWS's"
    minutes = (now - server_time).total_seconds() / 60
    direction = "ahead of" if minutes > 0 else "behind"
    return f"the clock of this machine is {abs(minutes):.0f} minutes {direction} AWS's"
