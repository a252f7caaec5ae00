"""Computes the plan: one decision per symbol, from target weights and holdings. Pure; every number is Decimal."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import ClassVar

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.plan import BELOW_MINIMUM, BELOW_SMALLEST, RebalancePlan, TradeDecision
from the_alchemiser.shared.values import FRACTIONAL_SHARE, LEDGER_SHARE, WHOLE_SHARE, Side

_ZERO = Decimal(0)


class MissingPriceError(AlchemiserError):
    """A symbol of the plan has no price. Nothing is planned then, so that nothing trades on incomplete prices."""

    retryable: ClassVar[bool] = True


class Rules(Frozen):
    """The configured rules. A change below the larger of the two minima is not traded.

    Attributes:
        deployment_fraction: the part of equity to invest.
        minimum_change: USD.
        minimum_change_of_equity: fraction of equity.
    """

    deployment_fraction: Decimal = Decimal("0.99")
    minimum_change: Decimal = Decimal(5)
    minimum_change_of_equity: Decimal = Decimal("0.001")


class Instrument(Frozen):
    """A symbol as the broker trades it now; prices in USD per share."""

    price: Decimal
    last_close: Decimal
    is_fractionable: bool = True


class Holding(Frozen):
    """Shares owned, and what all open orders at the broker may make of them, also those that a person sent.

    Attributes:
        available: not reserved by an open order to sell; what remains if all of those fill.
        incoming: what open orders to buy may still bring; infinite when one of them does not say.
    """

    quantity: Decimal
    available: Decimal
    incoming: Decimal = _ZERO


class LeftOut(Frozen):
    """What the plan decides nothing about: reason codes by symbol; see RebalancePlan."""

    quarantined: Mapping[str, str]
    untradable: Mapping[str, str]


NOTHING_LEFT_OUT = LeftOut(quarantined={}, untradable={})


class Target(Frozen):
    """The signal's target, in fractions of equity; for every symbol the contributions sum to its weight."""

    weights: Mapping[str, Decimal]
    contributions: Mapping[str, Mapping[str, Decimal]]


class Portfolio(Frozen):
    """The account now, in USD.

    Attributes:
        holdings: what the plan may trade.
        attributed: `{strategy: {symbol: shares}}`, from the ledger.
        left_alone: the part of equity that the plan must not invest: holdings that are not among `holdings`.
    """

    equity: Decimal
    cash: Decimal
    holdings: Mapping[str, Holding] = {}
    attributed: Mapping[str, Mapping[str, Decimal]] = {}
    left_alone: Decimal = _ZERO

    @property
    def investable(self) -> Decimal:
        """Return the USD that target weights are fractions of."""
        return self.equity - self.left_alone


def symbols_of(target: Target, holdings: Mapping[str, Holding]) -> tuple[str, ...]:
    """Return the symbols that the plan must decide on, ascending: those with a target weight, and those held."""
    wanted = {symbol for symbol, weight in target.weights.items() if weight}
    return tuple(sorted(wanted | {symbol for symbol, holding in holdings.items() if holding.quantity}))


def plan(
    run_id: str,
    target: Target,
    portfolio: Portfolio,
    instruments: Mapping[str, Instrument],
    rules: Rules,
    *,
    left_out: LeftOut = NOTHING_LEFT_OUT,
) -> RebalancePlan:
    """Decide on every symbol that has a target weight or is held.

    Args:
        instruments: one for every symbol of `symbols_of`, except for those left out.
        left_out: symbols to decide nothing about.

    Raises:
        MissingPriceError: a symbol that is not left out has no instrument.
    """
    symbols = symbols_of(target, portfolio.holdings)
    decisions = tuple(
        _decide(symbol, target, portfolio, _instrument(symbol, instruments), rules)
        for symbol in symbols
        if symbol not in left_out.quarantined and symbol not in left_out.untradable
    )
    return RebalancePlan(
        run_id=run_id,
        equity=portfolio.equity,
        cash=portfolio.cash,
        deployment_fraction=rules.deployment_fraction,
        decisions=decisions,
        investable=portfolio.investable,
        quarantined=left_out.quarantined,
        untradable=left_out.untradable,
    )


class _Change(Frozen):
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
    target_value = weight * portfolio.investable * rules.deployment_fraction
    change = _change(holding, target_value, portfolio.investable, instrument, rules)

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


def _change(holding: Holding, target_value: Decimal, base: Decimal, instrument: Instrument, rules: Rules) -> _Change:
    """Return the change toward the target value, in USD; of zero shares when nothing can or should be traded.

    Open orders may bring the holding anywhere between two values. Only what lies beyond both is traded: whatever
    these orders do, no trade then goes past the target.
    """
    if holding.quantity < 0:
        return _Change(_ZERO, "held short, which this system never does: not traded")
    if target_value == 0:
        return _exit(holding)

    least = holding.available * instrument.price
    most = (holding.quantity + holding.incoming) * instrument.price
    if least < target_value < most:
        return _Change(_ZERO, f"open orders may already bring it to the {_usd(target_value)} wanted")

    value = target_value - (most if target_value >= most else least)
    minimum = max(rules.minimum_change, rules.minimum_change_of_equity * base)
    if abs(value) < minimum:
        return _Change(_ZERO, f"a change of {_usd(value)} {BELOW_MINIMUM} {_usd(minimum)}")

    # Rounded toward zero: a buy never costs more than its part of equity, and a sell never exceeds the plan. A sell
    # never exceeds the available shares either, so that it never opens a short position.
    step = FRACTIONAL_SHARE if instrument.is_fractionable else WHOLE_SHARE
    quantity = _to_step(value / instrument.price, step)
    if quantity == 0:
        return _Change(_ZERO, f"a change of {_usd(value)} {BELOW_SMALLEST}")
    return _Change(quantity, f"have {_usd(target_value - value)}, want {_usd(target_value)}")


def _exit(holding: Holding) -> _Change:
    if holding.available <= 0:
        return _Change(_ZERO, "no longer a target, but open orders hold all of it")
    return _Change(-holding.available, "no longer a target: sell all that is available")


def _deltas(symbol: str, target: Target, portfolio: Portfolio, price: Decimal, rules: Rules) -> Mapping[str, Decimal]:
    """Return the signed shares that each strategy wants to trade; shares that belong to no strategy are to be sold.

    Open orders do not count here: what they bring belongs to no strategy yet.
    """
    attributed = {
        strategy: shares[symbol]
        for strategy, shares in portfolio.attributed.items()
        if strategy != UNATTRIBUTED and shares.get(symbol)
    }

    deployed = portfolio.investable * rules.deployment_fraction
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
