from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.ledger.lots import AttributedFill, attributed_fills, holdings, match_lots
from the_alchemiser.shared.values import Side

OPEN = datetime(2022, 3, 15, 19, 45, tzinfo=UTC)
SYMBOLS = ("GLD", "SPY", "TLT")
PRICES = st.decimals("0.01", "5000", places=4)
QUANTITIES = st.decimals("-1000", "1000", places=9).filter(bool)


@st.composite
def fills(draw: st.DrawFn) -> tuple[AttributedFill, ...]:
    parts = draw(st.lists(st.tuples(st.sampled_from(SYMBOLS), QUANTITIES, PRICES), max_size=25))
    return tuple(
        AttributedFill(symbol, OPEN + timedelta(days=day), quantity, price)
        for day, (symbol, quantity, price) in enumerate(parts)
    )


def fill(quantity: str, price: str, *, day: int = 0, symbol: str = "SPY") -> AttributedFill:
    return AttributedFill(symbol, OPEN + timedelta(days=day), Decimal(quantity), Decimal(price))


def entry(symbol: str, attribution: Mapping[str, str], *, price: str = "10", at: datetime = OPEN) -> LedgerEntry:
    signed = sum((Decimal(part) for part in attribution.values()), Decimal(0))
    return LedgerEntry(
        symbol=symbol,
        filled_at=at,
        order_id=f"{symbol}-{at.isoformat()}",
        fill="1",
        client_order_id="c",
        trade_id="t",
        run_id="r",
        side=Side.BUY if signed >= 0 else Side.SELL,
        quantity=abs(signed),
        price=Decimal(price),
        cash=-signed * Decimal(price),
        attribution={name: Decimal(part) for name, part in attribution.items()},
    )


def test_match_lots_partial_sale_keeps_rest_of_oldest_lot() -> None:
    book = match_lots([fill("10", "100"), fill("5", "110", day=1), fill("-4", "120", day=2)])

    assert [lot.quantity for lot in book.open] == [6, 5]
    assert [lot.price for lot in book.open] == [100, 110]
    assert book.gain == 80


def test_match_lots_of_two_small_purchases_keeps_both() -> None:
    book = match_lots([fill("0.5", "100"), fill("0.25", "120", day=1)])

    assert [lot.quantity for lot in book.open] == [Decimal("0.5"), Decimal("0.25")]
    assert book.cost == 80
    assert book.realised == ()


def test_match_lots_sale_of_two_lots_realises_each_price() -> None:
    book = match_lots([fill("10", "100"), fill("5", "110", day=1), fill("-12", "120", day=2)])

    assert [gain.quantity for gain in book.realised] == [10, 2]
    assert [gain.gain for gain in book.realised] == [200, 20]
    assert book.holdings() == {"SPY": 3}


def test_match_lots_oversized_sale_opens_short_lot() -> None:
    book = match_lots([fill("1", "100"), fill("-3", "90", day=1), fill("2", "80", day=2)])

    assert book.open == ()
    assert book.gain == -10 + 20


def test_match_lots_never_closes_another_symbol() -> None:
    book = match_lots([fill("1", "100"), fill("-1", "90", symbol="TLT")])

    assert book.holdings() == {"SPY": 1, "TLT": -1}
    assert book.realised == ()


@given(fills())
def test_match_lots_open_lots_sum_to_the_fills(parts: Sequence[AttributedFill]) -> None:
    held = match_lots(parts).holdings()

    for symbol in SYMBOLS:
        assert held.get(symbol, Decimal(0)) == sum(part.quantity for part in parts if part.symbol == symbol)


@given(fills(), st.fixed_dictionaries(dict.fromkeys(SYMBOLS, PRICES)))
def test_match_lots_gains_equal_cash_flow_plus_market_value(
    parts: Sequence[AttributedFill], prices: Mapping[str, Decimal]
) -> None:
    book = match_lots(parts)
    cash_flow = -sum((part.quantity * part.price for part in parts), Decimal(0))
    market_value = sum((held * prices[symbol] for symbol, held in book.holdings().items()), Decimal(0))

    assert book.gain + book.unrealised(prices) == cash_flow + market_value


@given(fills())
def test_match_lots_open_lots_have_one_sign_and_ascend(parts: Sequence[AttributedFill]) -> None:
    book = match_lots(parts)

    for symbol in SYMBOLS:
        lots = [lot for lot in book.open if lot.symbol == symbol]
        assert len({lot.quantity > 0 for lot in lots}) <= 1
        assert lots == sorted(lots, key=lambda lot: lot.opened_at)


def test_attributed_fills_crossed_shares_are_fills_of_both() -> None:
    fills = attributed_fills([entry("SPY", {"trend": "5", "balance": "-2"})])

    assert fills.keys() == {"trend", "balance"}
    assert [fill.quantity for fill in fills["trend"]] == [5]
    assert [fill.quantity for fill in fills["balance"]] == [-2]


def test_attributed_fills_are_ordered_by_time() -> None:
    late, early = entry("GLD", {"trend": "1"}, at=OPEN + timedelta(hours=1)), entry("SPY", {"trend": "1"})

    assert [part.symbol for part in attributed_fills([late, early])["trend"]] == ["SPY", "GLD"]


def test_match_lots_agrees_with_ledger_holdings() -> None:
    entries = [
        entry("SPY", {"trend": "5", "balance": "-2"}),
        entry("SPY", {"balance": "3"}, at=OPEN + timedelta(days=1)),
        entry("TLT", {"trend": "1.5"}),
    ]

    books = {name: match_lots(parts).holdings() for name, parts in attributed_fills(entries).items()}
    assert books == holdings(entries)
