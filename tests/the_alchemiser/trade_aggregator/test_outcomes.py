"""The result of a run names whatever was left out or is not settled, and stays readable with an odd account."""

from decimal import Decimal

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.trade_aggregator.trading_day import (
    BUYS,
    PRICES,
    SELLS,
    Day,
    DayBroker,
    outcomes_of,
    two_phases,
)
from the_alchemiser.shared.broker.models import Position
from the_alchemiser.shared.values import Side
from the_alchemiser.trade_aggregator.outcomes import outcome_of


class OddBroker(DayBroker):
    """A broker whose account holds what the product does not trade."""

    def positions(self) -> tuple[Position, ...]:
        one = Decimal(1)
        odd = Position("628ESC012", one, one, one, None, None, None)
        return (odd, odd.changed(symbol="BTC/USD", current_price=one, market_value=one, asset_class="crypto"))


def test_unsettled_sell_is_reported_and_the_buys_continue() -> None:
    day = two_phases()
    day.start()
    unsettled = make.trade_failed("GLD", Side.SELL, "10").changed(unsettled=True)

    day.receive(unsettled, outcomes_of(SELLS)[1], *outcomes_of(BUYS))

    assert [outcome.unsettled for outcome in day.result().outcomes] == [True, False, False, False]


def test_outcome_of_another_message_is_a_bug() -> None:
    with pytest.raises(TypeError, match=r"^RebalancePlanned is not the outcome of a trade$"):
        outcome_of(two_phases().planned)


@pytest.mark.parametrize("kind", ["quarantined", "untradable"])
def test_holding_or_target_left_out_degrades_the_run(kind: str) -> None:
    day = Day(make.plan(*BUYS).changed(**{kind: {"628ESC012": "no_price"}}))
    day.start()

    day.receive(*outcomes_of(BUYS))

    facts = {"quarantined": {}, "untradable": {}, kind: {"628ESC012": "no_price"}}
    assert day.result().degraded
    result = day.result()
    assert {"quarantined": result.quarantined, "untradable": result.untradable} == facts


def test_position_without_a_price_is_no_mark() -> None:
    day = Day(make.plan(*BUYS), broker=OddBroker(PRICES))
    day.start()

    day.receive(*outcomes_of(BUYS))

    assert [mark.symbol for mark in day.result().positions] == ["BTC/USD"]
