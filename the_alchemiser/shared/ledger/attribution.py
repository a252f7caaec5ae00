"""Attribution of a fill: how many of its shares belong to each strategy. Pure.

A strategy that wants the opposite side trades internally first, at the fill's price. The strategies that want the
fill's side share the fill and the shares crossed internally, in proportion to what they want.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext

from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.values import LEDGER_SHARE, Side

CENT = Decimal("0.01")
DIGITS = 60  # a product of two quantities has up to 36; the default 28 would round before the division
_ZERO = Decimal(0)
_NO_SHARES = _ZERO.quantize(LEDGER_SHARE)


def attribute(
    filled: Decimal, *, before: Decimal, ordered: Decimal, deltas: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    """Split one fill of a trade over the strategies.

    The result is the difference between the splits of two running totals. So over all fills of a trade that fills
    completely, each strategy gets exactly the shares that one single fill would have given it.

    Args:
        filled: signed shares of this fill, to 9 places.
        before: signed shares that the trade had filled before it.
        ordered: signed shares of the whole trade.
        deltas: signed shares that each strategy wants to trade.

    Returns:
        Signed shares by strategy, zeros left out; they sum to `filled` exactly.
    """
    with localcontext(prec=DIGITS):
        old = _split(before, ordered, deltas)
        new = _split(before + filled, ordered, deltas)
    shares = {strategy: new.get(strategy, _ZERO) - old.get(strategy, _ZERO) for strategy in sorted(new | old)}
    return {strategy: share for strategy, share in shares.items() if share}


def cash_of(side: Side, quantity: Decimal, price: Decimal) -> Decimal:
    """Return the USD that an order moves: negative for a buy, rounded half-up to the cent as at the broker."""
    amount = (quantity * price).quantize(CENT, ROUND_HALF_UP)
    return -amount if side is Side.BUY else amount


def _split(filled: Decimal, ordered: Decimal, deltas: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return the signed shares by strategy of the first `filled` shares of a trade."""
    if filled == 0:
        return {}
    sign = 1 if filled > 0 else -1
    same_side = {strategy: abs(delta) for strategy, delta in deltas.items() if delta * sign > 0}
    if not same_side:
        return {UNATTRIBUTED: filled}

    crossed = {
        strategy: (delta * filled / ordered).quantize(LEDGER_SHARE, ROUND_DOWN)
        for strategy, delta in deltas.items()
        if delta * sign < 0
    }
    total = abs(filled) + abs(sum(crossed.values(), _ZERO))
    return crossed | {strategy: sign * share for strategy, share in _in_proportion(total, same_side).items()}


def _in_proportion(total: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Split the total by largest remainder, in units of 9 places; the shares sum to the total exactly."""
    if len(weights) == 1:
        return dict.fromkeys(weights, total + _NO_SHARES)

    whole = sum(weights.values(), _ZERO)
    exact = {name: total * weight / whole for name, weight in weights.items()}
    shares = {name: share.quantize(LEDGER_SHARE, ROUND_DOWN) for name, share in exact.items()}

    remaining = total - sum(shares.values(), _ZERO)
    for name in sorted(exact, key=lambda name: (shares[name] - exact[name], name)):
        unit = min(LEDGER_SHARE, remaining)
        shares[name] += unit
        remaining -= unit
    return shares
