"""Releasing a phase: which of its trades are sent, and with how many shares. Pure; every number is Decimal.

Sells go as planned. Buys are scaled down together when there is less to spend than they cost, never up.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.messaging.messages import Side, TradeRequested, message_id
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.run.progress import Refusal, Release, plan_of, releases_of
from the_alchemiser.shared.run.runs import Run

# Buys pay the spread above the planning price: the last cent must not be refused for want of it.
PRICE_CUSHION = Decimal("0.0025")
FRACTIONAL_SHARE = Decimal("0.000001")
WHOLE_SHARE = Decimal(1)
FACTOR_STEP = Decimal("0.000000001")
_ZERO = Decimal(0)


class DayLimits(NamedTuple):
    """What configuration allows in one day over all runs: USD at planning prices, and trades; None is no limit."""

    notional: Decimal | None = None
    trades: int | None = None

    @property
    def are_set(self) -> bool:
        """Whether there is anything to check."""
        return self.notional is not None or self.trades is not None


class DayUse(NamedTuple):
    """What the day's releases have used of its limits."""

    notional: Decimal = _ZERO
    trades: int = 0

    def plus(self, notional: Decimal) -> "DayUse":
        """One more trade."""
        return DayUse(self.notional + notional, self.trades + 1)


def day_use(runs: Iterable[Run]) -> DayUse:
    """What these runs have released, at their planning prices, filled or not."""
    use = DayUse()
    for notional in (notional for run in runs for notional in _released_notionals(run)):
        use = use.plus(notional)
    return use


def spendable(account: Account, plan: RebalancePlan) -> Decimal:
    """USD the buys may cost: buying power, and never borrowed money unless the plan itself deploys more than equity."""
    power = account.buying_power
    return max(_ZERO, power if plan.deployment_fraction > 1 else min(power, account.cash))


def release_sells(plan: RebalancePlan, *, limits: DayLimits, used: DayUse) -> Release:
    """All sells as planned, as far as the day's limits allow."""
    return _within_limits(plan, Side.SELL, limits=limits, used=used)


def release_buys(plan: RebalancePlan, money: Decimal, *, limits: DayLimits, used: DayUse) -> Release:
    """All buys, scaled to the money there is, as far as the day's limits allow.

    Args:
        money: USD, zero or more.
    """
    factor = scale(plan.trades(Side.BUY), money)
    release = _within_limits(plan, Side.BUY, limits=limits, used=used, factor=factor)
    return release.model_copy(update={"spendable": money, "factor": factor})


def scale(buys: Iterable[TradeDecision], money: Decimal) -> Decimal:
    """The factor, in [0, 1], by which buys fit the money, price cushion included."""
    need = sum((buy.quantity * buy.price for buy in buys), _ZERO) * (1 + PRICE_CUSHION)
    if need <= money:
        return Decimal(1)
    return (money / need).quantize(FACTOR_STEP, ROUND_DOWN)


def trades_to_send(
    plan: RebalancePlan, side: Side, release: Release, *, caused_by: str, at: datetime
) -> tuple[TradeRequested, ...]:
    """The release as messages for the trade queue, in the plan's order; `at` is business time, UTC."""
    return tuple(
        TradeRequested(
            message_id=message_id(plan.run_id, TradeRequested, trade),
            run_id=plan.run_id,
            caused_by=caused_by,
            occurred_at=at,
            trade_id=trade,
            symbol=decision.symbol,
            side=side,
            quantity=release.quantities[trade],
            planning_price=decision.price,
            last_close=decision.last_close,
            deltas=decision.deltas,
        )
        for trade, decision in plan.by_trade_id().items()
        if trade in release.quantities
    )


def _within_limits(
    plan: RebalancePlan, side: Side, *, limits: DayLimits, used: DayUse, factor: Decimal = WHOLE_SHARE
) -> Release:
    quantities: dict[str, Decimal] = {}
    refused: dict[str, Refusal] = {}
    for trade, decision in plan.by_trade_id().items():
        if decision.side is not side:
            continue
        quantity = _scaled(decision.quantity, factor)
        notional = quantity * decision.price
        refusal = _refusal(quantity, used.plus(notional), limits)
        if refusal is None:
            quantities[trade] = quantity
            used = used.plus(notional)
        else:
            refused[trade] = refusal
    return Release(quantities=quantities, refused=refused)


def _refusal(quantity: Decimal, use: DayUse, limits: DayLimits) -> Refusal | None:
    if quantity == 0:
        return Refusal(reason="insufficient_buying_power", detail="scaled to what there is to spend, nothing remains")
    if limits.trades is not None and use.trades > limits.trades:
        return Refusal(reason="day_trade_limit", detail=f"trade {use.trades} of a day that allows {limits.trades}")
    if limits.notional is not None and use.notional > limits.notional:
        detail = f"the day's trades would come to ${use.notional:,.2f}; ${limits.notional:,.2f} are allowed"
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
        for trade, quantity in release.quantities.items():
            yield quantity * decisions[trade].price
