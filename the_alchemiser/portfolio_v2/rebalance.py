"""Computes the plan: one decision per symbol, from target weights and holdings. Pure; every number is Decimal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import ClassVar, NamedTuple

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.values import FRACTIONAL_SHARE, LEDGER_SHARE, WHOLE_SHARE, Side

_ZERO = Decimal(0)


class MissingPriceError(AlchemiserError):
    """A symbol of the plan has no price. Nothing is planned then, so that nothing trades on incomplete prices."""

    retryable: ClassVar[bool] = True


class Rules(NamedTuple):
    """The configured rules. A change below the larger of the two minima is not traded.

    Attributes:
        deployment_fraction: the part of equity to invest.
        minimum_change: USD.
        minimum_change_of_equity: fraction of equity.
    """

    deployment_fraction: Decimal = Decimal("0.99")
    minimum_change: Decimal = Decimal(5)
    minimum_change_of_equity: Decimal = Decimal("0.001")


class Instrument(NamedTuple):
    """A symbol as the broker trades it now; prices in USD per share."""

    price: Decimal
    last_close: Decimal
    is_tradable: bool = True
    is_fractionable: bool = True


class Holding(NamedTuple):
    """Shares owned, and how many of them are available: not held by an open order."""

    quantity: Decimal
    available: Decimal


class Target(NamedTuple):
    """The signal's target, in fractions of equity; for every symbol the contributions sum to its weight."""

    weights: Mapping[str, Decimal]
    contributions: Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The account now: equity and cash in USD; `attributed` is `{strategy: {symbol: shares}}`, from the ledger."""

    equity: Decimal
    cash: Decimal
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    attributed: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)


def symbols_of(target: Target, holdings: Mapping[str, Holding]) -> tuple[str, ...]:
    """Return the symbols that the plan must decide on, ascending: those with a target weight, and those held."""
    wanted = {symbol for symbol, weight in target.weights.items() if weight}
    return tuple(sorted(wanted | {symbol for symbol, holding in holdings.items() if holding.quantity}))


def plan(
    run_id: str, target: Target, portfolio: Portfolio, instruments: Mapping[str, Instrument], rules: Rules
) -> RebalancePlan:
    """Decide on every symbol that has a target weight or is held.

    Args:
        instruments: one for every symbol of `symbols_of`.

    Raises:
        MissingPriceError: a symbol has no instrument.
    """
    decisions = tuple(
        _decide(symbol, target, portfolio, _instrument(symbol, instruments), rules)
        for symbol in symbols_of(target, portfolio.holdings)
    )
    return RebalancePlan(
        run_id=run_id,
        equity=portfolio.equity,
        cash=portfolio.cash,
        deployment_fraction=rules.deployment_fraction,
        decisions=decisions,
    )


class _Change(NamedTuple):
    """Signed shares to trade, and the reason."""

    quantity: Decimal
    reason: str


def _instrument(symbol: str, instruments: Mapping[str, Instrument]) -> Instrument:
    instrument = instruments.get(symbol)
    if instrument is None or instrument.price <= 0:
        raise MissingPriceError(f"{symbol}: the broker has no price; nothing is planned")
    return instrument


def _decide(symbol: str, target: Target, portfolio: Portfolio, instrument: Instrument, rules: Rules) -> TradeDecision:
    holding = portfolio.holdings.get(symbol, Holding(_ZERO, _ZERO))
    weight = target.weights.get(symbol, _ZERO)
    target_value = weight * portfolio.equity * rules.deployment_fraction
    change = _change(holding, target_value, portfolio.equity, instrument, rules)

    return TradeDecision(
        symbol=symbol,
        side=_side(change.quantity),
        quantity=abs(change.quantity),
        held=holding.quantity,
        price=instrument.price,
        last_close=instrument.last_close,
        target_weight=weight,
        target_quantity=holding.quantity + change.quantity,
        reason=change.reason,
        deltas=_deltas(symbol, target, portfolio, instrument.price, rules),
    )


def _change(holding: Holding, target_value: Decimal, equity: Decimal, instrument: Instrument, rules: Rules) -> _Change:
    """Return the change toward the target value, in USD; of zero shares when nothing can or should be traded."""
    if holding.quantity < 0:
        return _Change(_ZERO, "held short, which this system never does: not traded")
    if not instrument.is_tradable:
        return _Change(_ZERO, "the broker does not trade it now")
    if target_value == 0:
        return _exit(holding)

    value = target_value - holding.quantity * instrument.price
    minimum = max(rules.minimum_change, rules.minimum_change_of_equity * equity)
    if abs(value) < minimum:
        return _Change(_ZERO, f"a change of {_usd(value)} is below the minimum of {_usd(minimum)}")

    step = FRACTIONAL_SHARE if instrument.is_fractionable else WHOLE_SHARE
    # Rounded toward zero: a buy never costs more than its part of equity, and a sell never exceeds the plan. A sell
    # is also bounded by the available shares, so that it never opens a short position.
    quantity = max(_to_step(value / instrument.price, step), -_to_step(holding.available, step))
    if quantity == 0:
        return _Change(_ZERO, _nothing_tradable(value, holding))
    return _Change(quantity, f"have {_usd(target_value - value)}, want {_usd(target_value)}")


def _exit(holding: Holding) -> _Change:
    if holding.available <= 0:
        return _Change(_ZERO, "no longer a target, but open orders hold all of it")
    return _Change(-holding.available, "no longer a target: sell all that is available")


def _nothing_tradable(value: Decimal, holding: Holding) -> str:
    if value < 0 and holding.available <= 0:
        return f"a change of {_usd(value)}, but open orders hold the shares"
    return f"a change of {_usd(value)} is less than the smallest quantity that trades"


def _deltas(symbol: str, target: Target, portfolio: Portfolio, price: Decimal, rules: Rules) -> Mapping[str, Decimal]:
    """Return the signed shares that each strategy wants to trade; shares that belong to no strategy are to be sold."""
    attributed = {
        strategy: shares[symbol]
        for strategy, shares in portfolio.attributed.items()
        if strategy != UNATTRIBUTED and shares.get(symbol)
    }

    deployed = portfolio.equity * rules.deployment_fraction
    wanted = {
        strategy: (weights[symbol] * deployed / price).quantize(LEDGER_SHARE, ROUND_HALF_EVEN)
        for strategy, weights in target.contributions.items()
        if weights.get(symbol)
    }

    held = portfolio.holdings.get(symbol, Holding(_ZERO, _ZERO)).quantity
    deltas = {
        strategy: wanted.get(strategy, _ZERO) - attributed.get(strategy, _ZERO)
        for strategy in sorted(wanted.keys() | attributed.keys())
    }
    deltas[UNATTRIBUTED] = sum(attributed.values(), _ZERO) - held
    return {strategy: delta for strategy, delta in deltas.items() if delta}


def _side(quantity: Decimal) -> Side | None:
    if quantity == 0:
        return None
    return Side.BUY if quantity > 0 else Side.SELL


def _to_step(quantity: Decimal, step: Decimal) -> Decimal:
    return (quantity / step).to_integral_value(ROUND_DOWN) * step


def _usd(value: Decimal) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
