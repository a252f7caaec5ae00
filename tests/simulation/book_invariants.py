"""Invariants of the books: broker, ledger and lots agree to the share and to the cent."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sandbox.exchange.orders import Order, Side
from tests.simulation.market import WHOLE_SHARES
from tests.simulation.reading import PlannedTrade, Reading
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.ledger.lots import attributed_fills, match_lots

_ZERO = Decimal(0)
SPLIT_TOLERANCE = Decimal("0.000000005")
"""A billionth of a share for each owner: four strategies and the shares that belong to none."""


def every_fill_in_the_ledger(reading: Reading) -> Iterator[str]:
    """Every order of ours that filled has exactly one entry, with its shares, price, cash, run and trade."""
    entries = _entries_by_order(reading)
    cash = _cash_by_order(reading)
    for order in reading.end.orders:
        trade = reading.our_orders.get(order.id)
        if trade is None or not order.filled_qty:
            continue
        recorded = entries.get(str(order.id), [])
        if len(recorded) != 1:
            yield f"{order.client_order_id} filled {order.filled_qty} and has {len(recorded)} entries in the ledger"
        else:
            yield from _differences(recorded[0], trade, order, cash[str(order.id)])


def _entries_by_order(reading: Reading) -> Mapping[str, Sequence[LedgerEntry]]:
    entries: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in reading.new_entries:
        entries[entry.order_id].append(entry)
    return entries


def _cash_by_order(reading: Reading) -> Mapping[str, Decimal]:
    cash: dict[str, Decimal] = defaultdict(Decimal)
    for _, fill in reading.our_fills:
        cash[str(fill.order_id)] += fill.cash
    return cash


def _differences(entry: LedgerEntry, trade: PlannedTrade, order: Order, cash: Decimal) -> Iterator[str]:
    facts: tuple[tuple[str, object, object], ...] = (
        ("quantity", entry.quantity, order.filled_qty),
        ("price", entry.price, order.filled_avg_price),
        ("cash", entry.cash, cash),
        ("symbol", entry.symbol, order.symbol),
        ("side", entry.side.value, order.side.upper()),
        ("trade", entry.trade_id, trade.trade_id),
        ("run", entry.run_id, trade.run_id),
    )
    for name, recorded, actual in facts:
        if recorded != actual:
            yield f"{order.client_order_id}: the ledger's {name} is {recorded}, the broker's {actual}"


def only_fills_in_the_ledger(reading: Reading) -> Iterator[str]:
    """Every entry is about an order of ours."""
    ours = {str(order_id) for order_id in reading.our_orders}
    for entry in reading.new_entries:
        if entry.order_id not in ours:
            yield f"the ledger has an entry of {entry.client_order_id}, which belongs to no planned trade"


def attribution_is_complete(reading: Reading) -> Iterator[str]:
    """The attribution of every entry sums to its signed shares."""
    for entry in reading.new_entries:
        attributed = sum(entry.attribution.values(), _ZERO)
        if attributed != _signed(entry):
            yield f"{entry.client_order_id} filled {_signed(entry)}, but {attributed} are attributed"


def broker_is_ledger(reading: Reading) -> Iterator[str]:
    """The broker's positions are the opening ones plus the ledger's fills plus the owner's own trades."""
    expected = defaultdict(Decimal, reading.end.opening.positions)
    for entry in reading.new_entries:
        expected[entry.symbol] += _signed(entry)
    for symbol, _, shares in _trades_of_owner(reading):
        expected[symbol] += shares

    # Shares from before and from after a split cannot be added; lots know the splits.
    split = {split.symbol for split in reading.end.scenario.splits}
    for symbol in sorted((expected.keys() | reading.end.account.positions.keys()) - split):
        held = reading.end.account.positions.get(symbol, _ZERO)
        if held != expected[symbol]:
            yield f"the broker holds {held} {symbol}, the books say {expected[symbol]}"


def broker_is_lots(reading: Reading) -> Iterator[str]:
    """The broker's positions are the lots of the strategies, after splits, plus what belongs to the owner."""
    end = reading.end
    expected = _held_by_lots(reading)
    for symbol in end.scenario.account.opened_by_owner:
        expected[symbol] += end.opening.positions[symbol] * reading.ratio_since(symbol, None)
    for odd in end.scenario.account.odd:
        expected[odd.symbol] += odd.quantity * reading.ratio_since(odd.symbol, None)
    for symbol, at, shares in _trades_of_owner(reading):
        expected[symbol] += shares * reading.ratio_since(symbol, at)

    for symbol in sorted(expected.keys() | end.account.positions.keys()):
        held = end.account.positions.get(symbol, _ZERO)
        if abs(held - expected[symbol]) > _tolerance(reading, symbol):
            yield f"the broker holds {held} {symbol}, lots and owner {expected[symbol]}"


def _trades_of_owner(reading: Reading) -> Iterator[tuple[str, datetime, Decimal]]:
    """Yield symbol, time and signed shares of every fill that is not ours."""
    for fill in reading.end.fills:
        if fill.order_id not in reading.our_orders:
            yield fill.symbol, fill.at, fill.qty if fill.side is Side.BUY else -fill.qty


def _held_by_lots(reading: Reading) -> dict[str, Decimal]:
    held: dict[str, Decimal] = defaultdict(Decimal)
    actions = reading.end.actions.until(reading.end.scenario.dates[-1])
    for fills in attributed_fills(reading.end.ledger, actions).values():
        for symbol, quantity in match_lots(fills, actions).holdings().items():
            held[symbol] += quantity
    return held


def _tolerance(reading: Reading, symbol: str) -> Decimal:
    """Return by how much the shares may differ: a split rounds them down, and fractions may become cash."""
    if symbol not in {split.symbol for split in reading.end.scenario.splits}:
        return _ZERO
    return Decimal(1) if symbol in WHOLE_SHARES else SPLIT_TOLERANCE


def _signed(entry: LedgerEntry) -> Decimal:
    return entry.quantity if entry.side == "BUY" else -entry.quantity
