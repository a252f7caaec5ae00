"""A watched function counts as changed: diff lists it, deploy and rollback restore it, also after a killed watch."""

import json

import pytest

from automation import diff
from automation.deploying.releases.records import Status
from automation.system.errors import DeploymentError, UsageError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.watched_shop import WatchedShop, make_watched_shop

ORIGINAL = "def main(event, context): ...\n"
EDITED = "def main(event, context):\n    return 1\n"
LINE = "inv watch has replaced what the release has; the deployment puts its own there"


@pytest.fixture
def shop(deployments: ShopDeployments) -> WatchedShop:
    """Return a shop whose till runs the code of an edit that was taken back after the end of inv watch."""
    shop = make_watched_shop(deployments)
    shop.watch(shop.till(EDITED))
    shop.till(ORIGINAL)()
    deployments.take_calls()
    deployments.aws.code.calls.clear()
    return shop


def show_diff(shop: WatchedShop) -> int:
    deployments = shop.deployments
    options = diff.Options(json=True)
    return diff.diff(
        deployments.root, "live", variables=deployments.variables, options=options, connect=deployments.aws.connect
    )


def test_diff_lists_the_function_although_the_edit_was_taken_back(
    shop: WatchedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    assert show_diff(shop) == 7

    plan = json.loads(capsys.readouterr().out)
    lines = [(line["stack"], line["resource"], line["kind"], line["what"]) for line in plan["changes"]]
    assert lines == [("app", "Till", "code", f"code: {LINE}")]
    assert shop.is_marked
    assert shop.deployments.aws.code.calls == []


def test_diff_lists_replaced_layers(deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    shop = make_watched_shop(deployments)
    shop.watch(shop.write("shop/common/prices.py", "PRICE = 4\n"), shop.till(EDITED))
    shop.write("shop/common/prices.py", "PRICE = 3\n")()
    shop.till(ORIGINAL)()
    capsys.readouterr()

    assert show_diff(shop) == 7

    changes = {line["resource"]: line["what"] for line in json.loads(capsys.readouterr().out)["changes"]}
    assert changes == {
        "Stock": f"layers: {LINE}",
        "Till": f"code and layers: {LINE}",
        "Ledger": f"layers: {LINE}",
    }


def test_deploy_restores_the_code_of_an_unchanged_working_copy(
    shop: WatchedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    release = shop.deployments.deploy()

    assert release is not None
    assert shop.deployments.aws.code.calls == ["restore shop-live-Till"]
    assert [call for call in shop.deployments.take_calls() if "execute" in call] == []
    assert shop.everything == shop_as_released(shop)
    assert not shop.is_marked
    assert (release.name, release.smoke, release.stacks[1].content_of) == ("r2", "passed", 2)
    output = capsys.readouterr().out
    assert "Till: restored the code of its release\n" in output
    assert "r2 runs in live: smoke test passed\n" in output
    assert shop.deployments.deploy() == release
    assert show_diff(shop) == 0


def shop_as_released(shop: WatchedShop) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return what each function runs when everything that was replaced is forgotten."""
    code = shop.deployments.aws.code
    code.replaced.clear()
    code.mounted.clear()
    return shop.everything


def test_deploy_of_another_edit_brings_exactly_that(shop: WatchedShop) -> None:
    shop.till("def main(event, context):\n    return 2\n")()

    shop.deployments.deploy()

    calls = [call for call in shop.deployments.take_calls() if "execute" in call]
    assert calls == ["execute shop-live"]
    assert shop.deployments.aws.code.calls == ["restore shop-live-Till"]
    assert shop.everything == shop_as_released(shop)
    assert not shop.is_marked


def test_deploy_of_the_watched_code_makes_it_the_release(deployments: ShopDeployments) -> None:
    shop = make_watched_shop(deployments)
    shop.watch(shop.till(EDITED), shop.write("shop/common/prices.py", "PRICE = 4\n"))
    watched = {name: digest for name, (digest, _) in shop.everything.items()}
    deployments.aws.code.calls.clear()

    deployments.deploy()

    assert {name: digest for name, (digest, _) in shop.everything.items()} == watched
    assert shop.everything == shop_as_released(shop)
    assert deployments.aws.code.own == {}
    assert not shop.is_marked


def test_deploy_with_a_killed_watch_restores(shop: WatchedShop) -> None:
    """A watch that was killed has left its mark and perhaps half of an update."""
    code = shop.deployments.aws.code
    ledger = shop.deployments.aws.stacks.stacks["shop-live"].physical_ids["Ledger"]
    [layer] = code.running(ledger).layers
    code.mount(ledger, [code.publish_layer("Code", b"x", model_arn=layer, description=description("live"))])
    other = code.publish_layer("Code", b"x", model_arn=layer, description=description("dev"))
    code.calls.clear()

    shop.deployments.deploy()

    assert sorted(code.calls) == ["delete shop-live-Code", "mount shop-live-Ledger", "restore shop-live-Till"]
    assert list(code.own) == [other]
    assert shop.everything == shop_as_released(shop)


def description(environment: str) -> str:
    return f"inv watch --env {environment}: not part of a release"


def test_deploy_whose_restoration_fails_goes_on_next_time(shop: WatchedShop) -> None:
    def fail(name: str, _function: str) -> None:
        if name == "restore":
            raise DeploymentError("AWS refused the request", where="Till")

    shop.deployments.aws.code.on_call = fail
    with pytest.raises(DeploymentError, match="AWS refused the request"):
        shop.deployments.deploy()
    assert (shop.is_marked, shop.deployments.releases[-1].status) == (True, Status.FAILED)

    shop.deployments.aws.code.on_call = lambda *_: None
    shop.deployments.deploy()

    assert shop.everything == shop_as_released(shop)
    assert not shop.is_marked


def test_deploy_with_a_plan_from_before_the_watch_restores(deployments: ShopDeployments) -> None:
    shop = make_watched_shop(deployments)
    deployments.edit("app.yaml", "Default: green", "Default: blue")
    plan = deployments.save_plan()
    deployments.edit("app.yaml", "Default: blue", "Default: green")
    shop.watch(shop.till(EDITED))
    shop.till(ORIGINAL)()
    deployments.edit("app.yaml", "Default: green", "Default: blue")

    deployments.deploy(plan=plan)

    assert shop.everything == shop_as_released(shop)
    assert not shop.is_marked


def test_rollback_to_the_release_that_runs_restores_its_code(
    shop: WatchedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.till(EDITED)()
    capsys.readouterr()

    release = shop.deployments.rollback("r1")

    assert shop.deployments.aws.code.calls == ["restore shop-live-Till"]
    assert shop.everything == shop_as_released(shop)
    assert (release.kind, release.smoke) == ("rollback to r1", "passed")
    assert not shop.is_marked
    assert "r1 runs again in live, as r2: smoke test passed" in capsys.readouterr().out


def test_rollback_to_the_release_that_runs_is_refused_without_a_watch(deployments: ShopDeployments) -> None:
    make_watched_shop(deployments)

    with pytest.raises(UsageError, match="r1 already runs in live"):
        deployments.rollback("r1")


def test_rollback_to_an_earlier_release_restores_its_code(deployments: ShopDeployments) -> None:
    shop = make_watched_shop(deployments)
    first = shop.everything["Till"]
    shop.till(EDITED)()
    deployments.deploy()
    shop.watch(shop.till("def main(event, context):\n    return 2\n"))

    deployments.rollback()

    assert shop.everything == shop_as_released(shop)
    assert shop.everything["Till"] == first
    assert not shop.is_marked


def test_destroy_leaves_neither_mark_nor_layers(deployments: ShopDeployments) -> None:
    shop = make_watched_shop(deployments)
    shop.watch(shop.write("shop/common/prices.py", "PRICE = 4\n"))
    assert deployments.aws.code.own

    deployments.destroy(data_only=True)
    assert shop.is_marked
    deployments.destroy()

    assert (shop.is_marked, deployments.aws.code.own) == (False, {})


def test_watch_of_an_environment_without_a_mark_costs_nothing(deployments: ShopDeployments) -> None:
    """Without the mark of inv watch, no command asks Lambda what runs."""
    shop = make_watched_shop(deployments)

    def fail(_function: str) -> None:
        raise AssertionError

    deployments.aws.code.running = fail  # type: ignore[assignment,method-assign]  # a call would fail
    assert show_diff(shop) == 0
