"""All checks at once: what stops, what warns, and what is left out when an answer would be about something else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from automation.deploying.checks import preflight
from automation.deploying.checks.hooks import Context
from automation.deploying.checks.preflight import Preflight
from automation.deploying.checks.visits import Intent
from automation.deploying.remarks import Level, Remark
from automation.project import model
from automation.project.model import Project
from automation.system.accounts import CallError, DeployedStack, Identity, Problem
from automation.system.deployers import Deployer, DeployerLock, LockReading
from automation.system.errors import ConfigurationError, DeploymentError, Finding
from automation.system.stacks import StackState
from automation.system.targets import Target
from tests.automation.deploying.fake_accounts import (
    IDENTITY,
    NOW,
    PUSHED,
    FakeAccount,
    denied,
    scope_of,
    unsupported,
)
from tests.automation.projects import APP, PYPROJECT, SAMCONFIG, make_shop
from tests.automation.release_tables import FakeReleaseTable

REST = Remark(Level.INFO, "account", "the other checks need working credentials of the right account")


def check(shop: Project, account: FakeAccount, name: str = "live", **options: Any) -> Preflight:
    intent = options.pop("intent", Intent(NOW, PUSHED))
    return preflight.check(scope_of(shop, name), account, intent, **options)


def levels(results: Preflight) -> dict[str, Level]:
    return {remark.where: remark.level for remark in results.remarks}


def test_check_new_account_reports_everything_that_was_checked(shop: Project) -> None:
    results = check(shop, FakeAccount())

    assert (results.stops, results.warnings) == ((), ())
    assert levels(results) == dict.fromkeys(
        (
            "region",
            "git",
            "shop-live-base",
            "shop-live",
            "account",
            "clock",
            "lock",
            "Lambda code storage",
            "names",
            "aws-sam-cli-managed-default",
        ),
        Level.OK,
    )


def test_check_reports_all_findings_at_once(tmp_path: Path) -> None:
    samconfig = SAMCONFIG.replace("BaseStack=shop-live-base", "BaseStack=b Colour=me@example.com")
    pyproject = PYPROJECT.replace("eu-west-1", "eu-west-9") + '\n[[tool.alchemiser.secrets]]\nname = "/shop"\n'
    shop = model.load(make_shop(tmp_path, samconfig_toml=samconfig, pyproject_toml=pyproject))
    account = FakeAccount(stacks={"shop-live": DeployedStack(StackState("shop-live", "DELETE_FAILED"))})
    intent = Intent(NOW + timedelta(hours=1), replace(PUSHED, is_dirty=True), resource_counts={"shop-live-base": 501})

    results = check(shop, account, intent=intent, find_lock=lambda _: Finding("live", "ann deploys", "wait"))

    assert {finding.where for finding in results.stops} == {
        "region",
        "git",
        "shop-live-base",
        "clock",
        "live",
        "shop-live",
    }
    assert Finding("live", "ann deploys", "wait") in results.stops
    assert results.stops[0].fix.startswith(
        'write region = "eu-west-1" in pyproject.toml: [tool.alchemiser.environments.live]; if'
    )
    assert {finding.where for finding in results.warnings} == {"shop-live", "/shop"}


def test_check_allowed_dirty_tree_warns(shop: Project) -> None:
    intent = Intent(NOW, replace(PUSHED, is_dirty=True), allow=frozenset({"dirty"}))

    results = check(shop, FakeAccount(), intent=intent)

    assert results.stops == ()
    assert results.warnings == (Finding("git", "files differ from the last commit (allowed)"),)


def test_check_sandbox_ignores_example_addresses(tmp_path: Path) -> None:
    samconfig = SAMCONFIG.replace("Colour=red", "Colour=me@example.com")
    shop = model.load(make_shop(tmp_path, samconfig_toml=samconfig))

    assert check(shop, FakeAccount(), name="here").warnings == ()


@pytest.mark.parametrize("count", [101, 500])
def test_check_more_than_a_hundred_resources_are_fine(shop: Project, count: int) -> None:
    results = check(shop, FakeAccount(), intent=Intent(NOW, PUSHED, resource_counts={"shop-live": count}))

    assert results.stops == ()
    assert Remark(Level.OK, "shop-live", f"{count} of at most 500 resources") in results.remarks
    assert Remark(Level.OK, "shop-live-base", "2 of at most 500 resources") in results.remarks


def test_check_without_credentials_leaves_out_the_account(shop: Project) -> None:
    account = FakeAccount(failing={"identity": CallError(Problem.NO_CREDENTIALS, "none")})

    results = check(shop, account, intent=Intent(NOW, replace(PUSHED, is_dirty=True)))

    assert [finding.where for finding in results.stops] == ["git", "credentials"]
    assert results.remarks[-1] == REST
    assert account.asked == ["identity"]


def test_check_wrong_account_asks_it_nothing_else(shop: Project) -> None:
    account = FakeAccount(who=Identity("2", "arn", NOW))

    results = check(shop, account)

    assert [finding.where for finding in results.stops] == ["account"]
    assert results.remarks[-1] == REST
    assert account.asked == ["identity"]


def test_check_unpinned_environment_takes_any_account(shop: Project) -> None:
    assert check(shop, FakeAccount(who=Identity("2", "arn", NOW)), name="here").stops == ()


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (denied(), "allow cloudformation:DescribeStacks and cloudformation:ListStackResources"),
        (CallError(Problem.OTHER, "AccessDenied: no"), "run the command again"),
    ],
)
def test_check_stack_that_cannot_be_read_stops(shop: Project, error: CallError, fix: str) -> None:
    account = FakeAccount(failing={"stack": error})

    results = check(shop, account)

    assert results.stops == tuple(
        Finding(name, "the stack cannot be read: AccessDenied: no", fix) for name in ("shop-live-base", "shop-live")
    )
    assert "lambda_limits" not in account.asked


@pytest.mark.parametrize(
    "method", ["lambda_limits", "exists", "secret", "is_verified", "subscribers", "reserved_concurrency"]
)
def test_check_unsupported_call_never_stops(shop: Project, method: str) -> None:
    results = check(shop, FakeAccount(failing={method: unsupported()}))

    assert (results.stops, results.warnings) == ((), ())


def test_check_unreadable_lock_stops(shop: Project) -> None:
    def find_lock(identity: Identity) -> Finding | None:
        raise DeploymentError("no answer", where="shop-live-releases")

    what = "whether somebody else deploys cannot be read: shop-live-releases: no answer"

    assert check(shop, FakeAccount(), find_lock=find_lock).stops == (Finding("lock", what),)


def test_check_value_of_the_last_release_is_no_question(tmp_path: Path) -> None:
    ask = PYPROJECT.replace('"shop"', '"shop"\nask = ["Owner"]', 1)
    app = APP.replace("Parameters:\n", "Parameters:\n  Owner: {Type: String}\n")
    shop = model.load(make_shop(tmp_path, pyproject_toml=ask, app_yaml=app))

    assert levels(check(shop, FakeAccount()))["Owner"] is Level.WARN
    assert "Owner" not in levels(check(shop, FakeAccount(), find_released=lambda: {"Owner": "ann"}))


def test_released_finder_without_an_answer_finds_nothing(shop: Project) -> None:
    class Table(FakeReleaseTable):
        def documents(self, limit: int) -> tuple[tuple[int, Any], ...]:
            raise DeploymentError("no answer", where="shop-live-releases")

    assert preflight.released_finder(scope_of(shop, "live"), Table())() == {}


class Guards:
    """Guards that answer with the same remarks and keep their question."""

    def __init__(self, *remarks: Remark) -> None:
        self.remarks = remarks
        self.question: tuple[str, Sequence[str], Context, Path, Target] | None = None

    def run(
        self, kind: str, functions: Sequence[str], context: Context, *, root: Path, target: Target
    ) -> tuple[Remark, ...]:
        self.question = (kind, functions, context, root, target)
        return self.remarks


def guarded_shop(tmp_path: Path) -> Project:
    pyproject = PYPROJECT.replace('package = "shop"', 'package = "shop"\nguards = ["shop.guards:hours"]')
    return model.load(make_shop(tmp_path, pyproject_toml=pyproject))


def test_check_guards_know_what_is_deployed(tmp_path: Path) -> None:
    guards, shop = Guards(), guarded_shop(tmp_path)
    stack = DeployedStack(StackState("shop-live"), outputs={"Url": "x"}, parameters={"Colour": "red"})

    check(
        shop,
        FakeAccount(stacks={"shop-live": stack}),
        run_hooks=guards.run,
        intent=Intent(NOW, PUSHED, breaking_contracts=("Sold",)),
    )

    assert guards.question is not None
    kind, functions, context, root, target = guards.question
    assert (kind, functions, root, target) == ("guards", ("shop.guards:hours",), shop.root, Target("eu-west-1"))
    assert (context.account, context.outputs, context.breaking_contracts) == (IDENTITY.account, {"Url": "x"}, ("Sold",))
    assert (context.parameters["Colour"], context.now) == ("red", "2026-03-04T05:06:07+00:00")


@pytest.mark.parametrize("level", [Level.STOP, Level.WARN])
def test_check_guard_remarks_are_findings(tmp_path: Path, level: Level) -> None:
    results = check(guarded_shop(tmp_path), FakeAccount(), run_hooks=Guards(Remark(level, "hours", "open", "wait")).run)

    findings = results.stops if level is Level.STOP else results.warnings
    assert findings == (Finding("hours", "open", "wait"),)
    assert "guards" not in levels(results)


@pytest.mark.parametrize("remarks", [(), (Remark(Level.INFO, "hours", "closed"),)])
def test_check_guards_without_objection_agree(tmp_path: Path, remarks: tuple[Remark, ...]) -> None:
    results = check(guarded_shop(tmp_path), FakeAccount(), run_hooks=Guards(*remarks).run)

    assert Remark(Level.OK, "guards", "1 guard(s) agree") in results.remarks
    assert set(remarks) <= set(results.remarks)


def test_check_guard_that_does_not_exist_raises(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"guards: shop\.guards:hours does not exist"):
        check(guarded_shop(tmp_path), FakeAccount())


class Table:
    """A table with a lock."""

    target, name = Target("eu-west-1"), "shop-live-releases"

    def __init__(self, lock: DeployerLock | None) -> None:
        self.lock = lock

    def read_lock(self) -> LockReading:
        return LockReading(self.lock, NOW)

    def write_lock(self, lock: DeployerLock, *, expected: str) -> bool:
        raise NotImplementedError

    def remove_lock(self, token: str) -> None:
        raise NotImplementedError


def test_lock_finder_names_the_other_deployer(shop: Project) -> None:
    lock = DeployerLock(Deployer("arn:bob", "bob@there", 1), "t", since=NOW, expires_at=NOW + timedelta(minutes=5))

    finding = preflight.lock_finder(scope_of(shop, "live"), Table(lock))(IDENTITY)

    assert finding is not None
    assert (finding.where, finding.what.startswith("bob@there")) == ("live", True)


def test_lock_finder_free_or_lapsed_lock_is_none(shop: Project) -> None:
    lapsed = DeployerLock(Deployer("arn:bob", "bob@there", 1), "t", since=NOW, expires_at=NOW)

    assert Remark(Level.OK, "lock", "nobody else is deploying") in check(shop, FakeAccount()).remarks
    for lock in (None, lapsed):
        assert preflight.lock_finder(scope_of(shop, "live"), Table(lock))(IDENTITY) is None


def test_check_of_a_removal_leaves_out_what_only_a_deployment_needs(shop: Project) -> None:
    results = check(shop, FakeAccount(), intent=Intent(NOW), is_removal=True)

    assert list(levels(results)) == ["region", "account", "clock", "lock"]


def test_check_of_a_removal_asks_the_guards_unless_it_has_begun(shop: Project) -> None:
    asked: list[str] = []

    def guard(kind: str, *_arguments: Any, **_options: Any) -> tuple[Remark, ...]:
        asked.append(kind)
        return (Remark(Level.STOP, "orders", "3 orders are queued"),)

    half = FakeAccount(stacks={"shop-live": DeployedStack(StackState("shop-live", "DELETE_FAILED", "arn:app"))})
    whole = check(shop, FakeAccount(), is_removal=True, run_hooks=guard)
    begun = check(shop, half, is_removal=True, run_hooks=guard)

    assert ([finding.where for finding in whole.stops], begun.stops, asked) == (["orders"], (), ["guards"])
    assert [finding.where for finding in check(shop, half, run_hooks=guard).stops] == ["orders", "shop-live"]
