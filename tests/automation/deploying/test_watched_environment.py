"""What `inv watch` reads of an environment, and when it leaves it alone."""

from dataclasses import replace

import pytest

from automation.deploying import scope as scopes
from automation.deploying import sessions, watched_environment
from automation.deploying.releases import deployer_lock
from automation.deploying.releases.deployer_lock import LockedError
from automation.deploying.watched_environment import MovedError, WatchedEnvironment
from automation.system.digests import base64_of
from automation.system.errors import CheckFailedError, Finding
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.release_tables import LOCK
from tests.automation.watched_shop import WatchedShop, make_watched_shop

MARK = {"person": "ben@desk", "since": "2026-01-01"}


@pytest.fixture
def shop(deployments: ShopDeployments) -> WatchedShop:
    return make_watched_shop(deployments)


def read(shop: WatchedShop) -> WatchedEnvironment:
    scope = scopes.read(shop.deployments.root, "live", variables=shop.deployments.variables)
    return watched_environment.read(sessions.begin(scope, shop.deployments.aws.connect(scope), None))


def refusal(shop: WatchedShop) -> CheckFailedError:
    with pytest.raises(CheckFailedError, match="its code cannot be watched now; nothing was changed") as caught:
        read(shop)
    return caught.value


def test_read_has_every_function_with_what_it_runs_and_the_layers_of_the_release(shop: WatchedShop) -> None:
    environment = read(shop)

    assert environment.release.name == "r1"
    assert list(environment.functions) == [("base", "Stock"), ("app", "Till"), ("app", "Ledger")]
    running = {name: function.running for (_, name), function in environment.functions.items()}
    assert {name: code.digest for name, code in running.items()} == {
        name: digest for name, (digest, _) in shop.everything.items()
    }
    recorded = {stack.stack_name: stack.code for stack in environment.release.stacks}
    assert environment.published.released == {
        running["Stock"].layers[0]: base64_of(recorded["shop-live-base"]["Code"]),
        running["Till"].layers[0]: base64_of(recorded["shop-live"]["Code"]),
        running["Till"].layers[1]: base64_of(recorded["shop-live"]["Wheels"]),
    }
    assert (environment.published.own, environment.is_marked, environment.replaced()) == ({}, False, ())


def test_read_knows_the_mark_and_the_layers_of_an_earlier_watch(shop: WatchedShop) -> None:
    aws = shop.deployments.aws
    till = aws.stacks.stacks["shop-live"].physical_ids["Till"]
    shared, wheels = aws.code.running(till).layers
    own = aws.code.publish_layer("shop-live-Code", b"x", model_arn=shared, description="inv watch")
    aws.code.mount(till, [own, wheels])
    aws.table.write_watch_mark(MARK)

    environment = read(shop)

    assert environment.published.own == {("shop-live-Code", aws.code.layer_digest(own)): own}
    assert environment.is_marked
    assert [(entry.function.name, entry.what) for entry in environment.replaced()] == [("Till", "layers")]


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("UPDATE_ROLLBACK_FAILED", "in which CloudFormation refuses updates"),
        ("UPDATE_IN_PROGRESS", "a change of it is running"),
    ],
)
def test_read_stack_that_cannot_be_deployed_is_refused(shop: WatchedShop, status: str, what: str) -> None:
    shop.deployments.aws.stacks.stacks["shop-live"].status = status

    refused = refusal(shop)

    assert refused.where == "live"
    assert [(finding.where, what in finding.what) for finding in refused.findings] == [("shop-live", True)]


def test_read_code_of_no_release_names_the_command_to_deploy(shop: WatchedShop) -> None:
    shop.deployments.aws.table.rows.clear()

    what = "the code that is deployed there is of no release of this project"
    assert refusal(shop).findings == (Finding("live", what, "deploy it: inv deploy --env live"),)


def test_read_lock_that_has_lapsed_is_no_deployment(shop: WatchedShop) -> None:
    table = shop.deployments.aws.table
    table.lock = LOCK
    assert refusal(shop).findings == (deployer_lock.obstacle(LOCK, "live", table),)

    table.now = LOCK.expires_at

    assert len(read(shop).functions) == 3


def test_apply_after_a_change_of_one_stack_changes_nothing(shop: WatchedShop) -> None:
    environment = read(shop)
    base, app = environment.session.states

    for states in ((base, replace(app, changed_at="later")), (replace(base, changed_at="later"), app)):
        environment.session = replace(environment.session, states=states)
        with pytest.raises(MovedError):
            environment.apply([])

    assert (shop.is_marked, environment.is_marked, shop.deployments.aws.table.lock) == (False, False, None)


def test_forget_waits_for_whoever_deploys(shop: WatchedShop) -> None:
    shop.deployments.aws.table.write_watch_mark(MARK)
    environment = read(shop)
    shop.deployments.aws.table.lock = LOCK

    with pytest.raises(LockedError):
        environment.forget()

    assert shop.is_marked
