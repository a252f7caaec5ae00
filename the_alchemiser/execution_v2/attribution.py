"""Whose shares a fill is: split over strategies by what each wanted. Pure.

A strategy that wanted the other side is served first, inside the house, at the fill's price; those that wanted the
fill's side share the fill and what crossed, in proportion to their wants.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.messaging.messages import Side

SHARE_UNIT = Decimal("0.000000001")
CENT = Decimal("0.01")
_ZERO = Decimal(0)


def attribute(
    filled: Decimal, *, before: Decimal, ordered: Decimal, deltas: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    """Split one fill of a trade.

    The split is the difference of two splits of the running total: over the fills of a trade that fills whole, each
    strategy gets to the unit what it would have got from one single fill.

    Args:
        filled: signed shares of this fill, to 9 places.
        before: signed shares the trade had filled before it.
        ordered: signed shares of the whole trade.
        deltas: signed shares each strategy wants.

    Returns:
        Signed shares by strategy, zeros left out; they sum to `filled` exactly.
    """
    old = _split(before, ordered, deltas)
    new = _split(before + filled, ordered, deltas)
    shares = {strategy: new.get(strategy, _ZERO) - old.get(strategy, _ZERO) for strategy in sorted(new | old)}
    return {strategy: share for strategy, share in shares.items() if share}


def cash_of(side: Side, quantity: Decimal, price: Decimal) -> Decimal:
    """USD that an order moves, signed, rounded half-up to the cent as the broker does: negative for a buy."""
    amount = (quantity * price).quantize(CENT, ROUND_HALF_UP)
    return -amount if side is Side.BUY else amount


def _split(filled: Decimal, ordered: Decimal, deltas: Mapping[str, Decimal]) -> dict[str, Decimal]:
    if filled == 0:
        return {}
    sign = 1 if filled > 0 else -1
    same = {strategy: abs(delta) for strategy, delta in deltas.items() if delta * sign > 0}
    if not same:
        return {UNATTRIBUTED: filled}
    crossed = {
        strategy: (delta * filled / ordered).quantize(SHARE_UNIT, ROUND_DOWN)
        for strategy, delta in deltas.items()
        if delta * sign < 0
    }
    total = abs(filled) + abs(sum(crossed.values(), _ZERO))
    return crossed | {strategy: sign * share for strategy, share in _in_proportion(total, same).items()}


def _in_proportion(total: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Shares of total by largest remainder, in units of 9 places; they sum to total exactly."""
    whole = sum(weights.values(), _ZERO)
    exact = {name: total * weight / whole for name, weight in weights.items()}
    shares = {name: share.quantize(SHARE_UNIT, ROUND_DOWN) for name, share in exact.items()}
    left = total - sum(shares.values(), _ZERO)
    for name in sorted(exact, key=lambda name: (shares[name] - exact[name], name)):
        if left <= 0:
            break
        unit = min(SHARE_UNIT, left)
        shares[name] += unit
        left -= unit
    return shares
