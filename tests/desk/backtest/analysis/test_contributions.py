from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.backtest.analysis.contributions import Contribution, divide_profit, largest, split_amount
from desk.backtest.fills import CloseFills
from desk.backtest.signals import Signal
from desk.backtest.simulate import BacktestDay, Terms, simulate
from tests.desk.backtest.worlds import sessions_of, traded
from tests.the_alchemiser.strategy_v2.cases import market
from the_alchemiser.aggregator_v2.merge import Merged
from the_alchemiser.strategy_v2.history import PriceHistory

CAPITAL = Decimal(10000)


def shared(history: PriceHistory, *parts: dict[str, dict[str, str]], costs_bps: str = "7") -> tuple[BacktestDay, ...]:
    """Return the days of several strategies, given each strategy's part of the equity by symbol for each session."""
    signals = []
    for session, of_day in zip(sessions_of(history), parts, strict=True):
        contributions = {
            name: {symbol: Decimal(weight) for symbol, weight in weights.items()} for name, weights in of_day.items()
        }
        merged: dict[str, Decimal] = {}
        for weights in contributions.values():
            for symbol, weight in weights.items():
                merged[symbol] = merged.get(symbol, Decimal(0)) + weight
        row = history.dates.tolist().index(session.as_of)
        closes = {symbol: Decimal(repr(float(history.of(symbol)[row]))) for symbol in merged}
        cash = 1 - sum(merged.values(), Decimal(0))
        signals.append(Signal(session, contributions, Merged(merged, contributions, closes, session.as_of, cash)))
    return tuple(simulate(signals, Terms(CAPITAL, CloseFills(history, costs_bps=Decimal(costs_bps)))))


def test_divide_profit_by_symbol_is_cash_plus_value() -> None:
    days = traded(market(AAA=[10, 10, 12], BBB=[5, 5, 4]), {"AAA": "0.5", "BBB": "0.5"}, {"AAA": "0.5", "BBB": "0.5"})

    divided = divide_profit(days, capital=CAPITAL)

    # 495 shares of AAA gain $2 each, 990 of BBB lose $1 each; trading on the last day changes neither.
    assert divided.symbols == (Contribution("AAA", Decimal("990.00"), 2), Contribution("BBB", Decimal("-990.00"), 2))
    assert divided.strategies == (Contribution("one", Decimal("0.00"), 4),)
    assert divided.total == 0


def test_divide_profit_gives_each_strategy_its_symbol() -> None:
    part = {"calm": {"AAA": "0.25"}, "wild": {"BBB": "0.75"}}

    divided = divide_profit(
        shared(market(AAA=[10, 10, 11], BBB=[10, 10, 8]), part, part, costs_bps="0"), capital=CAPITAL
    )

    assert {row.name: row.profit for row in divided.strategies} == {"calm": Decimal("247.50"), "wild": Decimal("-1485")}


def test_divide_profit_without_trades_is_empty() -> None:
    (day,) = traded(market(AAA=[10, 10]), {"AAA": "0.0001"})

    assert divide_profit((day,), capital=CAPITAL) == ((), (), Decimal(0))


symbol_parts = st.fixed_dictionaries({symbol: st.integers(0, 10) for symbol in ("AAA", "BBB", "CCC")})
closes = st.floats(5, 200).map(lambda price: round(price, 2))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[PriceHistory, list[dict[str, dict[str, str]]]]:
    count = draw(st.integers(2, 9))
    paths = {symbol: draw(st.lists(closes, min_size=count, max_size=count)) for symbol in ("AAA", "BBB", "CCC")}
    parts = []
    for _ in range(count - 1):
        tenths = {name: draw(symbol_parts) for name in ("calm", "wild", "odd")}
        whole = max(sum(sum(of_name.values()) for of_name in tenths.values()), 1)
        parts.append({name: _fractions(of_name, whole) for name, of_name in tenths.items()})
    return market(**paths), parts


def _fractions(tenths: dict[str, int], whole: int) -> dict[str, str]:
    return {symbol: f"{part / whole:.9f}"[:9] for symbol, part in tenths.items() if part}


@given(worlds(), st.integers(0, 300))
def test_divide_profit_sums_to_total_to_the_cent(
    world: tuple[PriceHistory, list[dict[str, dict[str, str]]]], costs_bps: int
) -> None:
    history, parts = world
    days = shared(history, *parts, costs_bps=str(costs_bps))

    divided = divide_profit(days, capital=CAPITAL)

    assert divided.total == days[-1].equity - CAPITAL
    for rows in (divided.symbols, divided.strategies):
        assert sum(row.profit for row in rows) == divided.total
        assert all(row.profit == round(row.profit, 2) for row in rows)
        assert [row.profit for row in rows] == sorted((row.profit for row in rows), reverse=True)
    assert sum(row.trades for row in divided.symbols) == sum(len(day.trades) for day in days)


@pytest.mark.parametrize(
    ("amount", "parts", "expected"),
    [
        ("-10.00", {"a": "1", "b": "2"}, {"a": "-3.33", "b": "-6.67"}),
        ("-10.00", {"a": "3", "b": "-1"}, {"a": "-15.00", "b": "5.00"}),
        ("0.01", {"a": "1", "b": "1", "c": "1"}, {"a": "0.01", "b": "0.00", "c": "0.00"}),
        ("12.345", {"a": "7"}, {"a": "12.345"}),
        ("5.00", {"a": "0", "b": "1"}, {"a": "0.00", "b": "5.00"}),
    ],
)
def test_split_amount_is_exact(amount: str, parts: dict[str, str], expected: dict[str, str]) -> None:
    split = split_amount(Decimal(amount), {name: Decimal(part) for name, part in parts.items()})

    assert {name: str(value) for name, value in split.items()} == expected


def test_largest_keeps_extremes_and_adds_up_the_rest() -> None:
    profits = (9, 2, 1, 0, -1, -8)
    rows = [Contribution(f"S{number}", Decimal(profit), 1) for number, profit in enumerate(profits)]

    assert [tuple(row) for row in largest(rows, 3)] == [
        ("S0", 9, 1),
        ("S1", 2, 1),
        ("S5", -8, 1),
        ("3 others", 0, 3),
    ]
    assert largest(rows, 6) == rows
