"""A session knows as whom it works, what runs, and what the next release is called."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from automation.deploying import sessions
from automation.deploying.planning import Surroundings
from automation.deploying.releases import records
from automation.deploying.releases.records import Release, ReleasedStack, Status
from automation.deploying.remarks import Level, Remark
from automation.project.model import Project
from automation.system import console, deployers
from automation.system.accounts import CallError, Identity, Problem
from automation.system.errors import CheckFailedError
from automation.system.git import WorkTree
from automation.system.stacks import StackDescription, StackState
from automation.system.targets import Target
from tests.automation.deploying.fake_accounts import IDENTITY, NOW, PUSHED, TIMELESS, scope_of
from tests.automation.deploying.planned_stacks import session_of
from tests.automation.fake_aws import FakeAws
from tests.automation.fake_stacks import FakeStack

STACK = ReleasedStack(
    "app", "shop-live", "d1", stack_id="arn:app", changed_at="2026-01-01T00:00:00+00:00", content_of=1
)
BASE = replace(STACK, stack="base", stack_name="shop-live-base", digest="d2", stack_id="arn:base")
HOOK = """
import json
from pathlib import Path

def guard(context):
    Path("context.json").write_text(json.dumps(context))
    return [{"level": "warn", "where": "shop", "what": "is open"}]
"""


@pytest.fixture
def aws() -> FakeAws:
    """Return an account in which release r1 runs."""
    aws = FakeAws()
    for stack in (BASE, STACK):
        aws.stacks.stacks[stack.stack_name] = FakeStack(
            stack.stack_name, stack.stack_id, "UPDATE_COMPLETE", stack.changed_at
        )
    release = Release(status=Status.DEPLOYED, commit="c" * 40, stacks=(BASE, STACK))
    aws.table.add(records.as_document(release))
    return aws


def begin(shop: Project, aws: FakeAws, *, name: str = "live") -> sessions.Session:
    scope = scope_of(shop, name)
    return sessions.begin(scope, aws.connect(scope), PUSHED)


def test_begin_knows_identity_releases_states_and_what_runs(shop: Project, aws: FakeAws) -> None:
    session = begin(shop, aws)

    assert (session.environment, session.identity, session.tree) == ("live", TIMELESS, PUSHED)
    assert [release.number for release in session.known] == [1]
    assert [state.name for state in session.states] == ["shop-live-base", "shop-live"]
    assert session.running == session.known[0]
    assert session.next_number == 2
    assert session.now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - session.now) < timedelta(minutes=1)


def test_begin_in_an_empty_account_knows_nothing(shop: Project) -> None:
    session = begin(shop, FakeAws())

    assert (session.known, session.running, session.next_number) == ((), None, 1)
    assert [state.exists for state in session.states] == [False, False]


def test_begin_refused_credentials_are_explained(shop: Project, aws: FakeAws) -> None:
    aws.account.failing = {"identity": CallError(Problem.EXPIRED, "ExpiredToken: no")}

    with pytest.raises(CheckFailedError) as caught:
        begin(shop, aws)

    assert [finding.what for finding in caught.value.findings] == ["the credentials have expired: ExpiredToken: no"]


def test_begin_in_another_account_is_refused_before_anything_is_read(shop: Project, aws: FakeAws) -> None:
    aws.account.who = Identity("999999999999", "arn:aws:iam::999999999999:user/ann")
    aws.stacks.on_call = lambda name, _argument: pytest.fail(name)

    with pytest.raises(CheckFailedError, match="live cannot be used with these credentials") as caught:
        begin(shop, aws)

    assert [finding.where for finding in caught.value.findings] == ["account"]


def test_begin_without_a_pinned_account_takes_any(shop: Project) -> None:
    aws = FakeAws()
    aws.account.who = Identity("999999999999", "arn")

    assert begin(shop, aws, name="here").identity.account == "999999999999"


def test_refresh_sees_what_has_changed_since(shop: Project, aws: FakeAws) -> None:
    session = begin(shop, aws)
    aws.stacks.stacks["shop-live"].changed_at = "2026-02-02T00:00:00+00:00"

    refreshed = sessions.refresh(session)

    assert (session.running, refreshed.running) == (session.known[0], None)
    assert (refreshed.now, refreshed.identity) == (session.now, session.identity)


@pytest.mark.parametrize(
    ("digests", "is_up_to_date"),
    [
        ({"shop-live-base": "d2", "shop-live": "d1"}, True),
        ({"shop-live-base": "d2", "shop-live": "other"}, False),
    ],
)
def test_is_up_to_date_compares_the_content(
    shop: Project, aws: FakeAws, digests: Mapping[str, str], is_up_to_date: bool
) -> None:
    assert sessions.is_up_to_date(begin(shop, aws), digests) is is_up_to_date


def test_is_up_to_date_without_a_running_release_is_false(shop: Project) -> None:
    assert sessions.is_up_to_date(session_of(shop), {"shop-live-base": "d2", "shop-live": "d1"}) is False


def test_is_up_to_date_of_a_stack_that_failed_is_false(shop: Project, aws: FakeAws) -> None:
    session = begin(shop, aws)
    states = (StackState("shop-live-base", "UPDATE_ROLLBACK_FAILED"), session.states[1])
    digests = {"shop-live-base": "d2", "shop-live": "d1"}

    assert sessions.is_up_to_date(replace(session, states=states), digests) is False


def test_next_number_follows_the_newest_release(shop: Project) -> None:
    assert replace(session_of(shop), known=(Release(7), Release(3))).next_number == 8


def test_stamp_names_the_next_release_and_its_commit(shop: Project) -> None:
    session = replace(session_of(shop), known=(Release(7, status=Status.DEPLOYED),))
    tree = WorkTree("c0ffee", "c0ffee", is_dirty=False, has_remote=True, is_pushed=True)

    assert replace(session, tree=tree).stamp({}) == {"Release": "r8", "Commit": "c0ffee"}
    assert replace(session, tree=None).stamp({}) == {"Release": "r8", "Commit": "none"}


def test_surroundings_are_root_target_and_account(shop: Project) -> None:
    assert session_of(shop).surroundings == Surroundings(shop.root, Target("eu-west-1"), IDENTITY.account)


@pytest.mark.parametrize("is_interactive", [True, False])
def test_operator_can_be_asked_on_a_terminal_only(
    shop: Project, monkeypatch: pytest.MonkeyPatch, is_interactive: bool
) -> None:
    monkeypatch.setattr(console, "is_interactive", lambda: is_interactive)
    looks: list[str] = []

    operator = session_of(shop).operator(lambda: looks.append("renewed"))
    operator.on_look()

    assert (operator.environment, operator.target, looks) == ("live", Target("eu-west-1"), ["renewed"])
    assert operator.ask is (console.ask if is_interactive else None)


def test_deployer_is_this_process(shop: Project) -> None:
    assert session_of(shop).deployer() == deployers.this_process(IDENTITY.arn)


def test_run_hooks_see_the_deployed_stacks(shop: Project, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.root / "shop_hooks.py").write_text(HOOK)
    descriptions = {
        "shop-live-base": StackDescription(StackState("shop-live-base"), {"Url": "u"}, outputs={"Bus": "b"}),
        "shop-live": StackDescription(StackState("shop-live"), {"Colour": "red"}),
    }
    monkeypatch.setattr(aws.stacks, "describe", descriptions.__getitem__)

    remarks = session_of(shop, aws).run_hooks("guards", ("shop_hooks:guard",), breaking=("Order",))

    assert remarks == (Remark(Level.WARN, "shop", "is open"),)
    context: Mapping[str, Any] = json.loads((shop.root / "context.json").read_text())
    assert (context["environment"], context["account"]) == ("live", IDENTITY.account)
    assert (context["outputs"], context["breaking_contracts"]) == ({"Bus": "b"}, ["Order"])
    assert (context["parameters"]["Url"], context["parameters"]["Colour"]) == ("u", "red")
    assert context["now"] == NOW.isoformat()


def test_run_hooks_failing_guard_stops_and_another_warns(shop: Project) -> None:
    (shop.root / "shop_hooks.py").write_text("def fail(context): raise ValueError('closed')\n")
    session = session_of(shop)

    levels = [session.run_hooks(kind, ("shop_hooks:fail",))[0].level for kind in ("guards", "status")]

    assert levels == [Level.STOP, Level.WARN]


def test_run_hooks_without_hooks_asks_nobody(shop: Project, aws: FakeAws) -> None:
    aws.stacks.on_call = lambda name, _argument: pytest.fail(name)

    assert session_of(shop, aws).run_hooks("guards", ()) == ()
