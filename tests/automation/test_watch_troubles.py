"""What `inv watch` does about a trouble: it goes on with the rest, tries again, and says the same thing once."""

import pytest

from automation.system.errors import DeploymentError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.watched_shop import WatchedShop, make_watched_shop

SOUND = "def main(event, context):\n    return {number}\n"


@pytest.fixture
def shop(deployments: ShopDeployments) -> WatchedShop:
    return make_watched_shop(deployments)


def test_watch_same_trouble_after_a_success_is_said_again(
    shop: WatchedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    code, failing = shop.deployments.aws.code, [True, True, False, True, False]

    def fail(_name: str, _argument: str) -> None:
        if failing.pop(0):
            raise DeploymentError("does not answer", where="Till")

    code.on_call = fail
    shop.watch(
        shop.till(SOUND.format(number=1)),
        lambda: False,
        lambda: False,
        shop.till(SOUND.format(number=2)),
        lambda: False,
    )

    assert (code.calls, failing) == (["replace shop-live-Till"] * 2, [])
    assert capsys.readouterr().out.count("nothing was updated: Till: does not answer") == 2


def test_watch_environment_that_cannot_be_read_again_is_named_once(
    shop: WatchedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, code = shop.deployments.aws.stacks.stacks["shop-live"], shop.deployments.aws.code
    before = stack.status

    def begin_update() -> None:
        stack.status = "UPDATE_IN_PROGRESS"
        shop.till(SOUND.format(number=1))()

    def end_update() -> bool:
        assert code.calls == []
        stack.status = before
        return False

    shop.watch(begin_update, lambda: False, lambda: False, end_update)

    assert code.calls == ["replace shop-live-Till"]
    assert capsys.readouterr().out.count("its code cannot be watched now; nothing was changed") == 1


def test_watch_what_cannot_be_built_keeps_nothing_else_from_its_edit(
    shop: WatchedShop, capsys: pytest.CaptureFixture[str]
) -> None:
    def edit_both() -> None:
        shop.write("layers/wheels/requirements.txt", "!!\n")()
        shop.write("shop/ledger/handler.py", SOUND.format(number=1))()

    shop.watch(edit_both)

    assert shop.deployments.aws.code.calls == ["replace shop-live-Ledger"]
    assert "nothing was updated: " in capsys.readouterr().out
