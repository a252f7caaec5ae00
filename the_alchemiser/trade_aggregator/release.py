"""Releases a phase: decides which of its trades are sent, and with how many shares. Pure; every number is Decimal.

Sells are sent as planned. When buys cost more than there is to spend, all of them are scaled down by one factor; they
are never scaled up.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from the_alchemiser.shared.broker.errors import InsufficientBuyingPowerError
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.messaging.messages import TradeRequested, envelope
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.run.progress import Release, plan_of, releases_of
from the_alchemiser.shared.run.runs import Run
from the_alchemiser.shared.values import FRACTIONAL_SHARE, WHOLE_SHARE, Refusal, Side

# Buys pay the spread above the planning price: without the cushion the last one could lack a few cents.
PRICE_CUSHION = Decimal("0.0025")
FACTOR_STEP = Decimal("0.000000001")
_ZERO = Decimal(0)
_UNSCALED = Decimal(1)


class DayLimits(Frozen):
    """The configured limits of one day over all runs: USD at planning prices, and trades; None means no limit."""

    notional: Decimal | None = None
    trades: int | None = None

    @property
    def are_set(self) -> bool:
        """Return whether there is a limit to check."""
        return self.notional is not None or self.trades is not None


class DayUse(Frozen):
    """The part of the day's limits that its releases have used."""

    notional: Decimal = _ZERO
    trades: int = 0

    def plus(self, notional: Decimal) -> "DayUse":
        """Return the use with one more trade of this notional, in USD."""
        return DayUse(self.notional + notional, self.trades + 1)


def day_use(runs: Iterable[Run]) -> DayUse:
    """Return what these runs have released, at their planning prices, filled or not."""
    use = DayUse()
    for run in runs:
        for notional in _released_notionals(run):
            use = use.plus(notional)
    return use


def spendable(account: Account, plan: RebalancePlan) -> Decimal:
    """Return the USD that the buys may cost: buying power, but borrowed money only if the plan deploys over 100 %."""
    if plan.deployment_fraction > 1:
        return max(_ZERO, account.buying_power)
    return max(_ZERO, min(account.buying_power, account.cash))


def release_sells(plan: RebalancePlan, *, limits: DayLimits, used: DayUse) -> Release:
    """Release all sells as planned, as far as the day's limits allow."""
    return _within_limits(plan, Side.SELL, limits=limits, used=used)


def release_buys(plan: RebalancePlan, money: Decimal, *, limits: DayLimits, used: DayUse) -> Release:
    """Release all buys, scaled to the money available, as far as the day's limits allow.

    Args:
        money: USD, zero or more.
    """
    factor = scale(plan.trades(Side.BUY), money)
    release = _within_limits(plan, Side.BUY, limits=limits, used=used, factor=factor)
    return release.changed(spendable=money, factor=factor)


def release_nothing(trade_ids: Iterable[str], refusal: Refusal) -> Release:
    """Release a phase without sending anything: these trades are refused, for one reason."""
    return Release(quantities={}, refused=dict.fromkeys(trade_ids, refusal))


def scale(buys: Iterable[TradeDecision], money: Decimal) -> Decimal:
    """Return the factor, in [0, 1], by which the buys must be scaled to fit the money, price cushion included."""
    need = sum((buy.quantity * buy.price for buy in buys), _ZERO) * (1 + PRICE_CUSHION)
    if need <= money:
        return _UNSCALED
    return (money / need).quantize(FACTOR_STEP, ROUND_DOWN)


def trades_to_send(
    plan: RebalancePlan, side: Side, release: Release, *, caused_by: str, at: datetime
) -> tuple[TradeRequested, ...]:
    """Return the released trades as messages for the trade queue, in the plan's order; `at` is business time, UTC."""
    return tuple(
        TradeRequested(
            **envelope(TradeRequested, plan.run_id, trade_id, occurred_at=at, caused_by=caused_by),
            trade_id=trade_id,
            symbol=decision.symbol,
            side=side,
            quantity=release.quantities[trade_id],
            planning_price=decision.price,
            last_close=decision.last_close,
            deltas=decision.deltas,
        )
        for trade_id, decision in plan.by_trade_id().items()
        if trade_id in release.quantities
    )


def _within_limits(
    plan: RebalancePlan, side: Side, *, limits: DayLimits, used: DayUse, factor: Decimal = _UNSCALED
) -> Release:
    quantities: dict[str, Decimal] = {}
    refused: dict[str, Refusal] = {}

    for trade_id, decision in plan.by_trade_id().items():
        if decision.side is not side:
            continue
        quantity = _scaled(decision.quantity, factor)
        notional = quantity * decision.price
        refusal = _refuse_quantity(quantity, factor) or _refuse_use(used.plus(notional), limits)
        if refusal is None:
            quantities[trade_id] = quantity
            used = used.plus(notional)
        else:
            refused[trade_id] = refusal

    return Release(quantities=quantities, refused=refused)


def _refuse_quantity(quantity: Decimal, factor: Decimal) -> Refusal | None:
    if quantity > 0:
        return None
    detail = "scaled down to the money available, no shares remain"
    if factor == 0:
        detail = "the account has no money to spend: its cash or its buying power is zero or less"
    return Refusal(reason=InsufficientBuyingPowerError.reason, detail=detail)


def _refuse_use(use: DayUse, limits: DayLimits) -> Refusal | None:
    """Refuse a trade that would bring the day's use to `use`, if that breaks a limit."""
    if limits.trades is not None and use.trades > limits.trades:
        detail = f"this would be trade {use.trades} of the day; at most {limits.trades} are allowed"
        return Refusal(reason="day_trade_limit", detail=detail)

    if limits.notional is not None and use.notional > limits.notional:
        detail = (
            f"with this trade the day's trades would be worth ${use.notional:,.2f}; "
            f"at most ${limits.notional:,.2f} is allowed"
        )
        return Refusal(reason="day_notional_limit", detail=detail)
    return None


def _scaled(quantity: Decimal, factor: Decimal) -> Decimal:
    if factor == 1:
        return quantity
    # A plan in whole shares stays in whole shares: the asset may not be fractionable.
    step = WHOLE_SHARE if quantity == quantity.to_integral_value() else FRACTIONAL_SHARE
    return (quantity * factor / step).to_integral_value(ROUND_DOWN) * step


def _released_notionals(run: Run) -> Iterator[Decimal]:
    plan = plan_of(run)
    if plan is None:
        return
    decisions = plan.by_trade_id()
    for release in releases_of(run):
        for trade_id, quantity in release.quantities.items():
            yield quantity * decisions[trade_id].price
