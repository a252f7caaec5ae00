from datetime import date
from decimal import Decimal
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.backtest.fills import CloseFills, NoBarError
from desk.backtest.simulate import Terms, Trade, simulate
from tests.desk.backtest.worlds import day_of, signals_with, traded
from tests.the_alchemiser.strategy_v2.cases import market
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.shared.values import Side
from the_alchemiser.strategy_v2.history import PriceHistory


def summary(trade: Trade) -> tuple[str, Side, Decimal, Decimal]:
    return trade.symbol, trade.side, trade.quantity, trade.price


def test_simulate_first_day_buys_deployed_fraction_at_close() -> None:
    (day,) = traded(market(AAA=[18, 20]), {"AAA": "1"})

    assert [summary(trade) for trade in day.trades] == [("AAA", Side.BUY, Decimal(495), Decimal("20.0"))]
    assert (day.equity, day.cash) == (Decimal(10000), Decimal(100))


def test_simulate_costs_raise_buy_and_lower_sell_prices() -> None:
    days = traded(market(AAA=[18, 20, 20]), {"AAA": "1"}, {"AAA": "0.5"}, costs_bps="10")

    trades = chain.from_iterable(day.trades for day in days)
    assert [trade.price for trade in trades] == [Decimal("20.02"), Decimal("19.98")]
    assert days[0].equity == Decimal(10000) - Decimal("9.90")


def test_simulate_sells_before_it_buys() -> None:
    days = traded(market(AAA=[10, 10, 10], ZZZ=[5, 5, 5]), {"ZZZ": "1"}, {"AAA": "1"})

    assert [(trade.side, trade.symbol) for trade in days[1].trades] == [(Side.SELL, "ZZZ"), (Side.BUY, "AAA")]


def test_simulate_symbol_without_target_is_sold_completely() -> None:
    days = traded(market(AAA=[7, 7, 7], BBB=[5, 5, 5]), {"AAA": "1"}, {"BBB": "1"})

    assert days[1].trades[0].quantity == days[0].holdings["AAA"] == Decimal("1414.285714")
    assert set(days[1].holdings) == {"BBB"}


def test_simulate_change_below_minimum_is_not_traded() -> None:
    days = traded(market(AAA=[10, 10, 10.001]), {"AAA": "1"}, {"AAA": "1"})

    assert days[1].trades == ()


def test_simulate_cash_is_rounded_half_up_per_order() -> None:
    (day,) = traded(market(AAA=[3, 3.33]), {"AAA": "1"})

    assert day.trades[0].quantity == Decimal("2972.972972")
    assert day.trades[0].cash == Decimal("-9900.00")


def test_simulate_buys_are_scaled_to_available_cash() -> None:
    days = traded(market(AAA=[10, 10, 10], BBB=[10, 10, 10]), {"AAA": "1"}, {"BBB": "1"}, costs_bps="100")

    bought = days[1].trades[1]
    assert days[1].equity_before == Decimal("9901.00")
    assert bought.quantity < Decimal("0.99") * days[1].equity_before / 10


@pytest.mark.parametrize("costs_bps", ["50", "100", "1000"])
def test_simulate_expensive_buys_are_scaled_not_refused(costs_bps: str) -> None:
    history = market(AAA=[10, 10, 10], BBB=[10, 10, 10], CCC=[3, 3, 3])
    days = traded(history, {"AAA": "1"}, {"BBB": "0.37", "CCC": "0.63"}, costs_bps=costs_bps)

    assert [len(day.refused) for day in days] == [0, 0]
    assert all(0 <= day.cash < Decimal("0.011") * day.equity for day in days)


class DoublingFills(CloseFills):
    """Return one price for the release and twice that price when the trade fills."""

    def __init__(self, history: PriceHistory) -> None:
        super().__init__(history, costs_bps=Decimal(0))
        self._calls = 0

    def fill_price(self, symbol: str, side: Side, day: date) -> Decimal:
        self._calls += 1
        return self.planning_price(symbol, day) * (1 if self._calls == 1 else 2)


def test_simulate_buy_beyond_cash_is_refused() -> None:
    history = market(AAA=[10, 10])
    terms = Terms(Decimal(10000), DoublingFills(history), limits=Limits())

    (day,) = simulate(signals_with(history, {"AAA": "1"}), terms)

    assert (day.trades, day.equity) == ((), Decimal(10000))
    assert [(trade.symbol, trade.reason) for trade in day.refused] == [("AAA", "insufficient_buying_power")]


def test_simulate_price_far_from_last_close_is_refused() -> None:
    (day,) = traded(market(AAA=[10, 13]), {"AAA": "1"})

    assert [(trade.symbol, trade.reason) for trade in day.refused] == [("AAA", "limit_price_distance")]


def test_simulate_refused_buy_fills_next_day() -> None:
    days = traded(market(AAA=[10, 13, 13]), {"AAA": "1"}, {"AAA": "1"})

    assert [len(day.trades) for day in days] == [0, 1]


def test_simulate_position_without_bar_raises_and_names_it() -> None:
    with pytest.raises(
        NoBarError,
        match=f"AAA: no bar for {day_of(2)}; 2 bars, the last for {day_of(1)}, 1 needed to trade or value it on",
    ):
        traded(market(AAA=[10, 10, None], BBB=[5, 5, 5]), {"AAA": "1"}, {"AAA": "1"})


def test_simulate_untraded_symbol_needs_no_bar() -> None:
    days = traded(market(AAA=[10, 10, 10], BBB=[5, None, None]), {"AAA": "1"}, {"AAA": "1"})

    assert days[-1].equity == Decimal(10000)


def test_simulate_fills_are_attributed_to_strategies() -> None:
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
def test_simulate_conserves_money_and_shares(
    walk: tuple[list[float], list[float], list[dict[str, str]]], costs_bps: int
) -> None:
    first, second, weights = walk

    days = traded(market(AAA=first, BBB=second), *weights, costs_bps=str(costs_bps))

    cash = Decimal(10000)
    held: dict[str, Decimal] = {}
    for day in days:
        for trade in day.trades:
            cash += trade.cash
            signed = trade.quantity if trade.side is Side.BUY else -trade.quantity
            assert sum(trade.attribution.values()) == signed
            held[trade.symbol] = held.get(trade.symbol, Decimal(0)) + signed
        assert day.cash == cash >= 0
        assert day.holdings == {symbol: quantity for symbol, quantity in held.items() if quantity}
        assert day.equity == cash + sum(day.values.values())
        assert day.equity <= day.equity_before + Decimal("0.05")


@given(walks())
def test_simulate_equity_follows_previous_weights(
    walk: tuple[list[float], list[float], list[dict[str, str]]],
) -> None:
    first, second, weights = walk

    days = traded(market(AAA=first, BBB=second), *weights)

    for number, (before, after) in enumerate(pairwise(days), start=1):
        if before.refused:
            continue
        moved = {"AAA": first[number + 1] / first[number], "BBB": second[number + 1] / second[number]}
        growth = 0.01 + 0.99 * sum(float(weights[number - 1][symbol]) * moved[symbol] for symbol in moved)
        # The plan ignores changes below a minimum, so the weight of either symbol may differ this much from its target.
        ignored = max(0.001, 5 / float(before.equity))
        tolerance = 2 * ignored * max(abs(ratio - 1) for ratio in moved.values())
        assert abs(float(after.equity_before / before.equity) - growth) <= tolerance + 1e-4
