"""The holdings of each strategy follow from its fills."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.ledger.lots import holdings
from the_alchemiser.shared.values import Side

AT = datetime(2022, 3, 16, 19, 45, tzinfo=UTC)
SHARES = st.integers(-(10**12), 10**12).map(lambda n: Decimal(n).scaleb(-9))


def fill(symbol: str, attribution: dict[str, Decimal]) -> LedgerEntry:
    quantity = sum(attribution.values(), Decimal(0))
    return LedgerEntry(
        symbol=symbol,
        filled_at=AT,
        order_id="an-order",
        fill="1",
        client_order_id="a-client-id",
        trade_id="a-trade",
        run_id="a-run",
        side=Side.BUY if quantity >= 0 else Side.SELL,
        quantity=abs(quantity),
        price=Decimal(100),
        cash=-quantity * 100,
        attribution=attribution,
    )


FILLS = st.lists(
    st.builds(fill, st.sampled_from(["SPY", "TLT"]), st.dictionaries(st.sampled_from("abc"), SHARES, min_size=1))
)


def test_holdings_without_fills_are_empty() -> None:
    assert holdings([]) == {}


def test_holdings_add_buys_and_subtract_sells() -> None:
    fills = [fill("SPY", {"a": Decimal(3), "b": Decimal(1)}), fill("SPY", {"a": Decimal(-2)})]

    assert holdings(fills) == {"a": {"SPY": Decimal(1)}, "b": {"SPY": Decimal(1)}}


def test_holdings_crossed_shares_move_between_strategies() -> None:
    fills = [fill("SPY", {"b": Decimal(4)}), fill("SPY", {"a": Decimal(10), "b": Decimal(-4)})]

    assert holdings(fills) == {"a": {"SPY": Decimal(10)}, "b": {}}


@given(FILLS)
def test_holdings_of_all_strategies_sum_to_the_traded_shares(fills: list[LedgerEntry]) -> None:
    owned = holdings(fills)

    for symbol in ("SPY", "TLT"):
        traded = sum((sum(f.attribution.values(), Decimal(0)) for f in fills if f.symbol == symbol), Decimal(0))
        assert sum((shares.get(symbol, Decimal(0)) for shares in owned.values()), Decimal(0)) == traded


@given(FILLS)
def test_holdings_are_independent_of_the_order_of_fills(fills: list[LedgerEntry]) -> None:
    assert holdings(reversed(fills)) == holdings(fills)
