"""Credentials, account, region and clock: each fault has its own message and next command."""

from dataclasses import replace
from datetime import timedelta

import pytest

from automation.deploying.checks import credentials
from automation.deploying.remarks import Level, Remark
from automation.project.model import Project
from automation.system.accounts import CallError, Identity, Problem
from automation.system.errors import CheckFailedError
from tests.automation.deploying.fake_accounts import IDENTITY, NOW, scope_of

ASK = "aws sts get-caller-identity --region eu-west-1"
SYNCHRONISE = "synchronise the clock, for example with: sudo timedatectl set-ntp true"


def test_region_remark_known_region_is_fine() -> None:
    assert credentials.region_remark("eu-west-1", {"eu-west-1"}, "x") == Remark(Level.OK, "region", "eu-west-1")


@pytest.mark.parametrize(
    ("region", "hint"),
    [("us-esat-1", 'write region = "us-east-1" in x'), ("moon", "write the name of an AWS region in x")],
)
def test_region_remark_unknown_region_stops(region: str, hint: str) -> None:
    remark = credentials.region_remark(region, {"us-east-1", "eu-west-1"}, "x")

    assert remark == Remark(
        Level.STOP, "region", f"AWS has no region {region}", f"{hint}; if the region is new, update boto3"
    )


def test_identity_remarks_pinned_account_and_same_time(shop: Project) -> None:
    assert credentials.identity_remarks(scope_of(shop, "live"), IDENTITY, NOW) == (
        Remark(Level.OK, "account", "123456789012, as pinned; arn:aws:iam::123456789012:user/ann"),
        Remark(Level.OK, "clock", "agrees with AWS's"),
    )


def test_identity_remarks_unpinned_account_is_fine(shop: Project) -> None:
    account, _ = credentials.identity_remarks(scope_of(shop, "here"), Identity("1", "arn"), NOW)

    assert account == Remark(Level.OK, "account", "1, arn; none is pinned in pyproject.toml")


def test_identity_remarks_account_of_an_endpoint_is_compared_too(shop: Project) -> None:
    scope = scope_of(shop, "live", AWS_ENDPOINT_URL="http://127.0.0.1:1")

    account, _ = credentials.identity_remarks(scope, replace(IDENTITY, account="2"), NOW)

    assert account == Remark(
        Level.STOP,
        "account",
        "the credentials belong to account 2 (arn:aws:iam::123456789012:user/ann), but live needs 123456789012",
        "name a profile of account 123456789012: export AWS_PROFILE=NAME; aws configure list-profiles lists them",
    )


@pytest.mark.parametrize("seconds", [-300, 300])
def test_identity_remarks_clock_within_five_minutes_is_fine(shop: Project, seconds: int) -> None:
    _, clock = credentials.identity_remarks(scope_of(shop, "live"), IDENTITY, NOW + timedelta(seconds=seconds))

    assert clock.level is Level.OK


@pytest.mark.parametrize(("seconds", "text"), [(301, "5 minutes ahead of"), (-720, "12 minutes behind")])
def test_identity_remarks_skewed_clock_stops(shop: Project, seconds: int, text: str) -> None:
    _, clock = credentials.identity_remarks(scope_of(shop, "live"), IDENTITY, NOW + timedelta(seconds=seconds))

    what = f"the clock of this machine is {text} AWS's; AWS refuses requests that are off by more than 5 minutes"
    assert clock == Remark(Level.STOP, "clock", f"{what} (RequestTimeTooSkewed)", SYNCHRONISE)


def test_identity_remarks_answer_without_date_informs(shop: Project) -> None:
    _, clock = credentials.identity_remarks(scope_of(shop, "live"), replace(IDENTITY, server_time=None), NOW)

    assert clock == Remark(Level.INFO, "clock", "not compared: the answer of AWS has no date")


@pytest.mark.parametrize(
    ("problem", "where", "what", "fix"),
    [
        (
            Problem.NO_CREDENTIALS,
            "credentials",
            "no usable AWS credentials: why",
            "run aws configure, or name a profile: export AWS_PROFILE=NAME; aws configure list-profiles lists them",
        ),
        (
            Problem.EXPIRED,
            "credentials",
            "the credentials have expired: why",
            "run aws sso login, or export new temporary credentials (aws configure export-credentials)",
        ),
        (
            Problem.REFUSED,
            "credentials",
            "AWS does not accept the credentials: why",
            f"see which ones are used: aws configure list; try them: {ASK}",
        ),
        (
            Problem.SKEWED,
            "clock",
            "the clock of this machine differs too much from AWS's: why",
            SYNCHRONISE,
        ),
        (
            Problem.UNREACHABLE,
            "network",
            "AWS in eu-west-1 cannot be reached: why",
            "check the network and the proxy settings: curl -sSI https://sts.eu-west-1.amazonaws.com",
        ),
        (Problem.DENIED, "credentials", "AWS does not answer: why", f"try it: {ASK}"),
        (Problem.OTHER, "credentials", "AWS does not answer: why", f"try it: {ASK}"),
    ],
)
def test_failure_names_cause_and_next_command(shop: Project, problem: Problem, where: str, what: str, fix: str) -> None:
    assert credentials.failure(scope_of(shop, "live"), CallError(problem, "why"), NOW) == Remark(
        Level.STOP, where, what, fix
    )


def test_failure_skewed_clock_says_by_how_much(shop: Project) -> None:
    error = CallError(Problem.SKEWED, "why", NOW - timedelta(minutes=9))

    remark = credentials.failure(scope_of(shop, "live"), error, NOW)

    assert remark.what == "the clock of this machine is 9 minutes ahead of AWS's: why"


@pytest.mark.parametrize(
    ("name", "endpoint", "fix"),
    [
        ("here", "http://127.0.0.1:4566", "start what pyproject.toml names as the endpoint of here"),
        ("live", "http://127.0.0.1:1", "start it, or run unset AWS_ENDPOINT_URL to deploy to AWS"),
    ],
)
def test_failure_unreachable_endpoint_says_where_it_is_from(shop: Project, name: str, endpoint: str, fix: str) -> None:
    scope = scope_of(shop, name, AWS_ENDPOINT_URL="http://127.0.0.1:1")

    remark = credentials.failure(scope, CallError(Problem.UNREACHABLE, "why"), NOW)

    assert (remark.what, remark.fix) == (f"{endpoint} cannot be reached: why", fix)


def test_require_account_returns_the_identity(shop: Project) -> None:
    assert credentials.require_account(scope_of(shop, "live"), lambda: IDENTITY, NOW) == IDENTITY


def test_require_account_other_account_raises(shop: Project) -> None:
    with pytest.raises(CheckFailedError, match="live cannot be used with these credentials; nothing") as caught:
        credentials.require_account(scope_of(shop, "live"), lambda: replace(IDENTITY, account="2"), NOW)

    assert [finding.where for finding in caught.value.findings] == ["account"]


def test_require_account_without_credentials_raises(shop: Project) -> None:
    def identify() -> Identity:
        raise CallError(Problem.NO_CREDENTIALS, "none")

    with pytest.raises(CheckFailedError) as caught:
        credentials.require_account(scope_of(shop, "live"), identify, NOW)

    assert [finding.what for finding in caught.value.findings] == ["no usable AWS credentials: none"]
