from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.backtest.fills import CloseFills, NoBarError
from desk.backtest.simulate import Terms, Trade, simulate
from tests.desk.backtest.worlds import asking, day_of, traded
from tests.the_alchemiser.strategy_v2.cases import market
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.shared.messaging.messages import Side
from the_alchemiser.strategy_v2.history import PriceHistory


def told(trade: Trade) -> tuple[str, Side, Decimal, Decimal]:
    return trade.symbol, trade.side, trade.quantity, trade.price


def test_simulate_first_day_buys_the_deployed_fraction_at_the_close() -> None:
    (day,) = traded(market(AAA=[18, 20]), {"AAA": "1"})

    assert [told(one) for one in day.trades] == [("AAA", Side.BUY, Decimal(495), Decimal("20.0"))]
    assert (day.equity, day.cash) == (Decimal(10000), Decimal(100))


def test_simulate_buy_pays_the_costs_above_the_close_and_a_sell_gets_them_below() -> None:
    days = traded(market(AAA=[18, 20, 20]), {"AAA": "1"}, {"AAA": "0.5"}, costs_bps="10")

    assert [one.price for day in days for one in day.trades] == [Decimal("20.02"), Decimal("19.98")]
    assert days[0].equity == Decimal(10000) - Decimal("9.90")


def test_simulate_sells_before_it_buys() -> None:
    days = traded(market(AAA=[10, 10, 10], ZZZ=[5, 5, 5]), {"ZZZ": "1"}, {"AAA": "1"})

    assert [(one.side, one.symbol) for one in days[1].trades] == [(Side.SELL, "ZZZ"), (Side.BUY, "AAA")]


def test_simulate_symbol_no_longer_wanted_is_sold_to_the_last_unit() -> None:
    days = traded(market(AAA=[7, 7, 7], BBB=[5, 5, 5]), {"AAA": "1"}, {"BBB": "1"})

    assert days[1].trades[0].quantity == days[0].holdings["AAA"] == Decimal("1414.285714")
    assert set(days[1].holdings) == {"BBB"}


def test_simulate_change_below_the_minimum_is_no_trade() -> None:
    days = traded(market(AAA=[10, 10, 10.001]), {"AAA": "1"}, {"AAA": "1"})

    assert days[1].trades == ()


def test_simulate_cash_is_rounded_half_up_an_order() -> None:
    (day,) = traded(market(AAA=[3, 3.33]), {"AAA": "1"})

    assert day.trades[0].quantity == Decimal("2972.972972")
    assert day.trades[0].cash == Decimal("-9900.00")


def test_simulate_buys_are_scaled_to_what_the_sells_left() -> None:
    days = traded(market(AAA=[10, 10, 10], BBB=[10, 10, 10]), {"AAA": "1"}, {"BBB": "1"}, costs_bps="100")

    bought = days[1].trades[1]
    assert days[1].equity_before == Decimal("9901.00")
    assert bought.quantity < Decimal("0.99") * days[1].equity_before / 10


@pytest.mark.parametrize("costs_bps", ["50", "100", "1000"])
def test_simulate_buys_dearer_than_the_release_allows_for_are_scaled_not_refused(costs_bps: str) -> None:
    history = market(AAA=[10, 10, 10], BBB=[10, 10, 10], CCC=[3, 3, 3])
    days = traded(history, {"AAA": "1"}, {"BBB": "0.37", "CCC": "0.63"}, costs_bps=costs_bps)

    assert [len(day.refused) for day in days] == [0, 0]
    assert all(0 <= day.cash < Decimal("0.011") * day.equity for day in days)


class DearAtTheBroker(CloseFills):
    """The release is told one price, the broker asks for another."""

    def __init__(self, history: PriceHistory) -> None:
        super().__init__(history, costs_bps=Decimal(0))
        self._asked = 0

    def fill(self, symbol: str, side: Side, day: date) -> Decimal:
        self._asked += 1
        return self.last(symbol, day) * (1 if self._asked == 1 else 2)


def test_simulate_buy_that_costs_more_than_there_is_is_refused() -> None:
    history = market(AAA=[10, 10])
    terms = Terms(Decimal(10000), DearAtTheBroker(history), limits=Limits())

    (day,) = simulate(asking(history, {"AAA": "1"}), terms)

    assert (day.trades, day.equity) == ((), Decimal(10000))
    assert [(one.symbol, one.reason) for one in day.refused] == [("AAA", "insufficient_buying_power")]


def test_simulate_price_far_from_the_last_close_is_refused_as_deployed() -> None:
    (day,) = traded(market(AAA=[10, 13]), {"AAA": "1"})

    assert [(one.symbol, one.reason) for one in day.refused] == [("AAA", "limit_price_distance")]


def test_simulate_refused_buy_is_made_the_day_after() -> None:
    days = traded(market(AAA=[10, 13, 13]), {"AAA": "1"}, {"AAA": "1"})

    assert [len(day.trades) for day in days] == [0, 1]


def test_simulate_holding_without_a_bar_is_an_error_that_names_it() -> None:
    with pytest.raises(
        NoBarError, match=f"AAA: 2 bars, the last of {day_of(1)}, none of {day_of(2)}, 1 needed to trade or value it on"
    ):
        traded(market(AAA=[10, 10, None], BBB=[5, 5, 5]), {"AAA": "1"}, {"AAA": "1"})


def test_simulate_symbol_never_held_needs_no_bar() -> None:
    days = traded(market(AAA=[10, 10, 10], BBB=[5, None, None]), {"AAA": "1"}, {"AAA": "1"})

    assert days[-1].equity == Decimal(10000)


def test_simulate_fills_are_attributed_to_the_strategies_that_wanted_them() -> None:
    (day,) = traded(market(AAA=[10, 10]), {"AAA": "1"})

    assert day.trades[0].attribution == {"one": Decimal(990)}


@st.composite
def walks(draw: st.DrawFn) -> tuple[list[float], list[float], list[dict[str, str]]]:
    count = draw(st.integers(2, 12))
    closes = st.lists(st.floats(5, 200).map(lambda price: round(price, 2)), min_size=count, max_size=count)
    parts = st.integers(0, 10).map(
        lambda tenths: {"AAA": str(Decimal(tenths) / 10), "BBB": str(1 - Decimal(tenths) / 10)}
    )
    return draw(closes), draw(closes), draw(st.lists(parts, min_size=count - 1, max_size=count - 1))


@given(walks(), st.integers(0, 300))
def test_simulate_money_is_never_made_or_lost(
    walk: tuple[list[float], list[float], list[dict[str, str]]], costs_bps: int
) -> None:
    first, second, weights = walk

    days = traded(market(AAA=first, BBB=second), *weights, costs_bps=str(costs_bps))

    cash = Decimal(10000)
    held: dict[str, Decimal] = {}
    for day in days:
        for one in day.trades:
            cash += one.cash
            signed = one.quantity if one.side is Side.BUY else -one.quantity
            assert sum(one.attribution.values()) == signed
            held[one.symbol] = held.get(one.symbol, Decimal(0)) + signed
        assert day.cash == cash >= 0
        assert day.holdings == {symbol: quantity for symbol, quantity in held.items() if quantity}
        assert day.equity == cash + sum(day.values.values())
        assert day.equity <= day.equity_before + Decimal("0.05")


@given(walks())
def test_simulate_equity_follows_the_weights_of_the_day_before(
    walk: tuple[list[float], list[float], list[dict[str, str]]],
) -> None:
    first, second, weights = walk

    days = traded(market(AAA=first, BBB=second), *weights)

    for number, (before, after) in enumerate(pairwise(days), start=1):
        if before.refused:
            continue
        moved = {"AAA": first[number + 1] / first[number], "BBB": second[number + 1] / second[number]}
        growth = 0.01 + 0.99 * sum(float(weights[number - 1][symbol]) * moved[symbol] for symbol in moved)
        # What is left alone as too small a change, of either symbol, moves otherwise.
        left_alone = 2 * 0.001 * max(abs(one - 1) for one in moved.values())
        assert abs(float(after.equity_before / before.equity) - growth) <= left_alone + 1e-4
