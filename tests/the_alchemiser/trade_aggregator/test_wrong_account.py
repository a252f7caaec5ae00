"""Keys of another account end the run before it buys."""

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.trade_aggregator.trading_day import BUYS, Day
from the_alchemiser.shared.messaging.messages import RunFailed


def test_release_of_buys_with_keys_of_another_account_fails_the_run() -> None:
    day = Day(make.plan(*BUYS), account="PA7")

    day.start()

    [message] = day.published
    assert isinstance(message, RunFailed)
    assert (message.reason, message.state) == ("wrong_account", "PLANNED")
    assert message.detail == "the broker's keys belong to account without a number, this environment trades PA7"
