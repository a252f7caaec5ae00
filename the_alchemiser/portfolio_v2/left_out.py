"""What a plan leaves alone: holdings that this system does not handle, and targets that cannot be traded now. Pure.

Everything else trades. The value of what is left alone is not invested, because it cannot be sold to pay for anything.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from the_alchemiser.portfolio_v2.rebalance import LeftOut
from the_alchemiser.shared.broker.models import US_EQUITY, Account, Asset, Position
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.formats import money
from the_alchemiser.shared.values import SYMBOL_PATTERN

NOT_AN_EQUITY, ODD_SYMBOL, SHORT_POSITION = "not_an_equity", "odd_symbol", "short_position"
NO_PRICE, NOT_TRADABLE = "no_price", "not_tradable"
_ZERO = Decimal(0)


class AccountEmptyError(AlchemiserError):
    """The account has no equity to invest: nothing can be bought, and nothing is sold because of that."""


class NoTradableTargetError(AlchemiserError):
    """No target can be traded now. A plan would only sell, until everything is cash, and buy nothing in its place."""


def quarantine(positions: Iterable[Position]) -> Mapping[str, str]:
    """Return the positions that are never handled, by symbol as the broker spells it: why, as a reason code."""
    reasons = {position.symbol: _reason_to_leave(position) for position in positions}
    return {symbol: reason for symbol, reason in reasons.items() if reason is not None}


def leave_out(
    symbols: Iterable[str],
    weights: Mapping[str, Decimal],
    *,
    assets: Mapping[str, Asset],
    prices: Mapping[str, Decimal],
    quarantined: Mapping[str, str],
) -> LeftOut:
    """Sort out the symbols that cannot be traded now: targets are untradable, other holdings quarantined.

    Args:
        prices: in USD per share, of every symbol that has one.
        quarantined: the positions that are never handled.
    """
    untradable: dict[str, str] = {}
    left_alone = dict(quarantined)
    for symbol in symbols:
        reason = _reason_not_to_trade(symbol, assets, prices)
        if reason is not None and symbol not in quarantined:
            (untradable if weights.get(symbol) else left_alone)[symbol] = reason
    return LeftOut(left_alone, untradable)


def check_targets(weights: Mapping[str, Decimal], left_out: LeftOut) -> None:
    """Check that a plan can trade one of its targets at least, unless it has none because all stays in cash.

    Raises:
        NoTradableTargetError: all of them are left out.
    """
    targets = {symbol for symbol, weight in weights.items() if weight}
    if targets and targets <= left_out.untradable.keys() | left_out.quarantined.keys():
        detail = f"none of the targets {', '.join(sorted(targets))} can be traded"
        raise NoTradableTargetError(f"{detail}; nothing is planned")


def value_left_alone(account: Account, positions: Iterable[Position], quarantined: Mapping[str, str]) -> Decimal:
    """Return the part of the equity, in USD, that must not be invested.

    The value of a short position is not added to what may be invested: its proceeds are owed. Where the broker reports
    no value, it is not known what the equity contains of it: what may be invested is then at most the cash and the
    other holdings.

    Raises:
        AccountEmptyError: nothing of the equity is left to invest.
    """
    held = tuple(positions)
    values = [position.market_value for position in held if position.symbol in quarantined]
    investable = account.equity - sum((max(value, _ZERO) for value in values if value is not None), _ZERO)
    if None in values:
        handled = (position.market_value or _ZERO for position in held if position.symbol not in quarantined)
        investable = min(investable, account.cash + sum(handled, _ZERO))

    if investable <= 0:
        detail = f"equity is {money(account.equity)}, of which {money(investable)} could be invested"
        raise AccountEmptyError(f"{detail}; nothing is planned")
    return account.equity - investable


def _reason_to_leave(position: Position) -> str | None:
    if position.asset_class != US_EQUITY:
        return NOT_AN_EQUITY
    if re.fullmatch(SYMBOL_PATTERN, position.symbol) is None:
        return ODD_SYMBOL
    if position.quantity < 0:
        return SHORT_POSITION
    # Without its price the broker counts a holding as nothing: the equity is wrong, too.
    return NO_PRICE if position.current_price is None else None


def _reason_not_to_trade(symbol: str, assets: Mapping[str, Asset], prices: Mapping[str, Decimal]) -> str | None:
    if symbol not in assets or not assets[symbol].tradable:
        return NOT_TRADABLE
    return None if symbol in prices else NO_PRICE
