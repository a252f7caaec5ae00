"""What the report shows of a trading day, derived from its evidence. Pure: no clock, no disk, no text layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from desk.decision import Sentence, sentences, summary
from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import Side, StrategyEvaluated, StrategyFailed, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.runs import RunState

if TYPE_CHECKING:
    from sandbox.evidence import DayEvidence, Mail
    from sandbox.function_logs import FunctionLog
    from the_alchemiser.shared.broker.models import Order, Position
    from the_alchemiser.shared.messaging.messages import RunCompleted, RunFailed, SignalGenerated
    from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision

_ZERO = Decimal(0)

MODULES: Mapping[str, str] = {
    "data_v2": "refreshes the bars in the lake",
    "data_quality_monitor": "checks the bars and writes the verdict",
    "coordinator_v2": "creates the run and asks the strategies",
    "strategy_v2": "evaluates one strategy",
    "aggregator_v2": "merges the answers into one signal",
    "portfolio_v2": "makes the plan",
    "trade_aggregator": "releases the trades and closes the run",
    "execution_v2": "places the orders",
    "notifications_v2": "sends the mail",
    "metrics_v2": "keeps profit, loss and exposure",
}
"""The ten functions, in the order in which a day needs them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of the day, wall-clock: milliseconds since the run began, and until the next; None for the last."""

    name: str
    module: str
    did: str
    at: datetime
    since_ms: int
    lasts_ms: int | None


@dataclass(frozen=True, slots=True)
class StrategyLine:
    """One strategy's answer; path is the decision in sentences, summary counts them, failure says why there is none."""

    name: str
    allocation: Decimal
    weights: tuple[tuple[str, Decimal], ...]
    failure: str | None
    path: tuple[Sentence, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One symbol of the merged signal with each strategy's part, in the order of the book."""

    symbol: str
    weight: Decimal
    parts: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class TradeLine:
    """One trade from plan to fills; quantities in shares, prices in USD a share."""

    trade_id: str
    decision: "TradeDecision"
    outcome: TradeExecuted | TradeFailed
    orders: tuple["Order", ...]

    @property
    def avg_price(self) -> Decimal | None:
        """Weighted by quantity; None when nothing was filled."""
        shares = sum((fill.quantity for fill in self.outcome.fills), _ZERO)
        return self.notional / shares if shares else None

    @property
    def notional(self) -> Decimal:
        """USD that changed hands."""
        return sum((fill.quantity * fill.price for fill in self.outcome.fills), _ZERO)

    @property
    def slippage(self) -> Decimal:
        """USD lost against the planning price; negative when the fills were better."""
        sign = 1 if self.outcome.side is Side.BUY else -1
        return sum((sign * fill.quantity * (fill.price - self.decision.price) for fill in self.outcome.fills), _ZERO)

    @property
    def slippage_bps(self) -> Decimal | None:
        """The same in basis points of what was filled, at the planning price."""
        planned = sum((fill.quantity for fill in self.outcome.fills), _ZERO) * self.decision.price
        return self.slippage / planned * 10_000 if planned else None

    @property
    def failure(self) -> str | None:
        """Why it did not fill whole, in words."""
        if not isinstance(self.outcome, TradeFailed):
            return None
        return f"{formats.words(self.outcome.reason)}: {self.outcome.detail}"


@dataclass(frozen=True, slots=True)
class FunctionLine:
    """One of the ten functions, and its log of the day; None when it has none."""

    module: str
    does: str
    log: "FunctionLog | None"

    @property
    def ran(self) -> bool:
        """Whether it was invoked."""
        return self.log is not None and self.log.invocations > 0


@dataclass(frozen=True, slots=True)
class Day:
    """One trading day as the report shows it."""

    evidence: "DayEvidence"
    steps: tuple[Step, ...]
    strategies: tuple[StrategyLine, ...]
    signal: tuple[SignalLine, ...]
    trades: tuple[TradeLine, ...]
    functions: tuple[FunctionLine, ...]

    @property
    def invested(self) -> Decimal:
        """USD in positions after the day."""
        return sum((position.market_value for position in self.positions), _ZERO)

    @property
    def positions(self) -> tuple["Position", ...]:
        """What is held after the day, the largest first."""
        return tuple(sorted(self.evidence.after.positions, key=lambda held: (-held.market_value, held.symbol)))

    @property
    def missed(self) -> tuple[TradeLine, ...]:
        """Trades that did not fill whole."""
        return tuple(trade for trade in self.trades if trade.failure)

    @property
    def notional(self) -> Decimal:
        """USD that changed hands."""
        return sum((trade.notional for trade in self.trades), _ZERO)

    @property
    def slippage(self) -> Decimal:
        """USD lost against the planning prices."""
        return sum((trade.slippage for trade in self.trades), _ZERO)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Queues that are not empty, each with its number of messages."""
        return tuple(
            f"{backlog.queue}: {formats.plural(len(backlog.receives), 'message')}"
            for backlog in self.evidence.backlogs
            if backlog.receives
        )


def day_of(evidence: "DayEvidence") -> Day:
    """Derive what the report shows."""
    return Day(
        evidence=evidence,
        steps=_steps(evidence),
        strategies=_strategies(evidence),
        signal=_signal(evidence.signal, tuple(evidence.run.allocations)),
        trades=_trades(evidence),
        functions=tuple(FunctionLine(name, does, evidence.functions.get(name)) for name, does in MODULES.items()),
    )


def _steps(evidence: "DayEvidence") -> tuple[Step, ...]:
    moments = [(line.at, line.state.value, line.by, _did(line.state, evidence)) for line in evidence.run.timeline]
    moments += [(mail.sent_at, "MAIL", "notifications_v2", _sent(mail)) for mail in evidence.mails]
    moments.sort(key=lambda moment: moment[0])
    ends = [*(at for at, *_ in moments[1:]), None]
    began = moments[0][0] if moments else None
    return tuple(
        Step(name, module, did, at, _ms(began, at) or 0, _ms(at, end))
        for (at, name, module, did), end in zip(moments, ends, strict=True)
    )


def _ms(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else round((end - start).total_seconds() * 1000)


def _did(state: RunState, evidence: "DayEvidence") -> str:
    plan, result = evidence.plan, evidence.result
    match state:
        case RunState.EVALUATING:
            count = len(evidence.run.allocations)
            return f"created the run and asked {count} {'strategy' if count == 1 else 'strategies'}"
        case RunState.AGGREGATED:
            return f"merged the answers into {formats.plural(len(_weights(evidence.signal)), 'target weight')}"
        case RunState.PLANNED:
            return f"planned {_counted(plan, Side.SELL)} and {_counted(plan, Side.BUY)}"
        case RunState.SELLING:
            return f"released {_counted(plan, Side.SELL)}"
        case RunState.BUYING:
            return f"released {_counted(plan, Side.BUY)}"
        case RunState.COMPLETED:
            return f"closed the run with {formats.plural(len(evidence.outcomes), 'outcome')}"
        case RunState.FAILED:
            return _failed(result)


def _failed(result: "RunCompleted | RunFailed | None") -> str:
    reason = getattr(result, "reason", None)
    return f"failed the run: {formats.words(reason)}" if reason else "failed the run"


def _sent(mail: "Mail") -> str:
    return f"sent the mail to {', '.join(mail.recipients)}"


def _counted(plan: "RebalancePlan | None", side: Side) -> str:
    return formats.plural(len(plan.trades(side)) if plan else 0, side.value.lower())


def _weights(signal: "SignalGenerated | None") -> Mapping[str, Decimal]:
    return signal.weights if signal else {}


def _largest_first(weights: Mapping[str, Decimal]) -> tuple[tuple[str, Decimal], ...]:
    return tuple(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def _strategies(evidence: "DayEvidence") -> tuple[StrategyLine, ...]:
    return tuple(
        StrategyLine(
            name, allocation, *_answered(evidence.answers.get(name)), *_decided(evidence.decisions.get(name, {}))
        )
        for name, allocation in evidence.run.allocations.items()
    )


def _decided(path: Mapping[str, Any]) -> tuple[tuple[Sentence, ...], str]:
    return sentences(path), summary(path)


def _answered(answer: StrategyEvaluated | StrategyFailed | None) -> tuple[tuple[tuple[str, Decimal], ...], str | None]:
    """Its weights, and why there are none."""
    if answer is None:
        return (), "it did not answer"
    if isinstance(answer, StrategyFailed):
        return (), f"{formats.words(answer.reason)}: {answer.detail}"
    return _largest_first(answer.weights), None


def _signal(signal: "SignalGenerated | None", strategies: tuple[str, ...]) -> tuple[SignalLine, ...]:
    if signal is None:
        return ()
    return tuple(
        SignalLine(
            symbol,
            weight,
            tuple(
                (name, part) for name in strategies if (part := signal.contributions.get(name, {}).get(symbol, _ZERO))
            ),
        )
        for symbol, weight in _largest_first(signal.weights)
    )


def _trades(evidence: "DayEvidence") -> tuple[TradeLine, ...]:
    decisions = evidence.plan.by_trade_id() if evidence.plan else {}
    return tuple(
        TradeLine(
            trade_id,
            decisions[trade_id],
            outcome,
            tuple(order for order in evidence.after.orders if order.client_order_id.startswith(f"{trade_id}-")),
        )
        for trade_id, outcome in evidence.outcomes.items()
        if trade_id in decisions
    )
