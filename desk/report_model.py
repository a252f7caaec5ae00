"""Derive what the report shows about a trading day from its evidence. Pure: no clock, no disk, no text layout."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from desk.decision import Sentence, sentences, summary
from the_alchemiser.notifications_v2.explanations import explain_omission
from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import StrategyEvaluated, StrategyFailed, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side

if TYPE_CHECKING:
    from sandbox.evidence import DayEvidence, Mail
    from sandbox.function_logs import FunctionLog
    from the_alchemiser.shared.broker.models import Order, Position
    from the_alchemiser.shared.messaging.messages import RunCompleted, RunFailed, SignalGenerated
    from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision

_ZERO = Decimal(0)

MODULES: Mapping[str, str] = {
    "data_v2": "refreshes the daily bars in the data lake",
    "data_quality_monitor": "checks the bars and writes the data-quality verdict",
    "coordinator_v2": "creates the run and requests the strategy evaluations",
    "strategy_v2": "evaluates one strategy",
    "aggregator_v2": "merges the strategies' weights into one signal",
    "portfolio_v2": "plans the rebalance",
    "trade_aggregator": "releases the trades and closes the run",
    "execution_v2": "places the orders",
    "notifications_v2": "sends the mail",
    "metrics_v2": "records profit, loss and exposure",
}
"""What each function does, in the order of a trading day."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the day, in wall-clock time.

    Attributes:
        did: what the step did, in words.
        since_ms: milliseconds since the run began.
        lasts_ms: milliseconds until the next step; None for the last.
    """

    name: str
    module: str
    did: str
    at: datetime
    since_ms: int
    lasts_ms: int | None


@dataclass(frozen=True, slots=True)
class StrategyLine:
    """The result of one strategy.

    Attributes:
        allocation: its fraction of the account.
        weights: target weight by symbol, the largest first.
        cash: the part that stays in cash.
        failure: why there are no weights; None when there are.
        path: the decisions in sentences.
        summary: how many decisions there were.
    """

    name: str
    allocation: Decimal
    weights: tuple[tuple[str, Decimal], ...]
    cash: Decimal
    failure: str | None
    path: tuple[Sentence, ...]
    summary: str


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One symbol of the merged signal with the contribution of each strategy, in the order of the book."""

    symbol: str
    weight: Decimal
    parts: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class TradeLine:
    """One trade from plan to fills; quantities are in shares, prices in USD per share."""

    trade_id: str
    decision: "TradeDecision"
    outcome: TradeExecuted | TradeFailed
    orders: tuple["Order", ...]

    @property
    def avg_price(self) -> Decimal | None:
        """Return the fill price weighted by quantity; None when nothing was filled."""
        shares = sum((fill.quantity for fill in self.outcome.fills), _ZERO)
        return self.notional / shares if shares else None

    @property
    def notional(self) -> Decimal:
        """Return the USD traded."""
        return sum((fill.quantity * fill.price for fill in self.outcome.fills), _ZERO)

    @property
    def slippage(self) -> Decimal:
        """Return the USD lost against the planning price; negative when the fills were better."""
        sign = 1 if self.outcome.side is Side.BUY else -1
        return sum((sign * fill.quantity * (fill.price - self.decision.price) for fill in self.outcome.fills), _ZERO)

    @property
    def slippage_bps(self) -> Decimal | None:
        """Return the slippage in basis points of the filled value at the planning price; None without a fill."""
        planned = sum((fill.quantity for fill in self.outcome.fills), _ZERO) * self.decision.price
        return self.slippage / planned * 10_000 if planned else None

    @property
    def failure(self) -> str | None:
        """Return why the trade did not fill completely; None when it did."""
        if not isinstance(self.outcome, TradeFailed):
            return None
        unsettled = "; an order of it could still rest at the broker" if self.outcome.unsettled else ""
        return f"{formats.words(self.outcome.reason)}: {self.outcome.detail}{unsettled}"


class Omission(NamedTuple):
    """A symbol that the run left out, and why, as a clause."""

    symbol: str
    reason: str


@dataclass(frozen=True, slots=True)
class FunctionLine:
    """One function and its log of the day, if there is one."""

    module: str
    does: str
    log: "FunctionLog | None"

    @property
    def ran(self) -> bool:
        """Return whether the function was invoked."""
        return self.log is not None and self.log.invocations > 0


@dataclass(frozen=True, slots=True)
class ReportDay:
    """One trading day as the report shows it."""

    evidence: "DayEvidence"
    steps: tuple[Step, ...]
    strategies: tuple[StrategyLine, ...]
    signal: tuple[SignalLine, ...]
    trades: tuple[TradeLine, ...]
    functions: tuple[FunctionLine, ...]

    @property
    def invested(self) -> Decimal:
        """Return the USD in positions after the day."""
        return invested(self.positions)

    @property
    def positions(self) -> tuple["Position", ...]:
        """Return the positions after the day, the largest first."""
        return largest_first(self.evidence.after.positions)

    @property
    def missed(self) -> tuple[TradeLine, ...]:
        """Return the trades that did not fill completely."""
        return tuple(trade for trade in self.trades if trade.failure)

    @property
    def quarantined(self) -> tuple[Omission, ...]:
        """Return the holdings that the run left alone."""
        plan = self.evidence.plan
        return _omissions(plan.quarantined) if plan else ()

    @property
    def untradable(self) -> tuple[Omission, ...]:
        """Return the targets that could not be traded."""
        plan = self.evidence.plan
        return _omissions(plan.untradable) if plan else ()

    @property
    def is_degraded(self) -> bool:
        """Return whether the run left something undone."""
        return bool(self.missed or self.quarantined or self.untradable)

    @property
    def notional(self) -> Decimal:
        """Return the USD traded."""
        return sum((trade.notional for trade in self.trades), _ZERO)

    @property
    def slippage(self) -> Decimal:
        """Return the USD lost against the planning prices."""
        return sum((trade.slippage for trade in self.trades), _ZERO)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Return the queues that are not empty, each with its number of messages."""
        return tuple(
            f"{backlog.queue}: {formats.plural(len(backlog.messages), 'message')}"
            for backlog in self.evidence.backlogs
            if backlog.messages
        )


def largest_first(positions: "Iterable[Position]") -> tuple["Position", ...]:
    """Return positions by value, the largest first."""
    return tuple(sorted(positions, key=lambda position: (-(position.market_value or _ZERO), position.symbol)))


def invested(positions: "Iterable[Position]") -> Decimal:
    """Return the USD in positions; one without a price counts nothing."""
    return sum((position.market_value or _ZERO for position in positions), _ZERO)


def build_report_day(evidence: "DayEvidence") -> ReportDay:
    """Derive what the report shows about a day."""
    return ReportDay(
        evidence=evidence,
        steps=_steps(evidence),
        strategies=_strategies(evidence),
        signal=_signal(evidence.signal, tuple(evidence.run.allocations)),
        trades=_trades(evidence),
        functions=tuple(FunctionLine(name, does, evidence.functions.get(name)) for name, does in MODULES.items()),
    )


def _omissions(reasons: Mapping[str, str]) -> tuple[Omission, ...]:
    return tuple(Omission(symbol, explain_omission(reason)) for symbol, reason in sorted(reasons.items()))


def _steps(evidence: "DayEvidence") -> tuple[Step, ...]:
    timeline, plan = evidence.run.timeline, evidence.plan
    moments = [
        (line.at, line.state.value, line.by, _describe_state(line.state, evidence, plan=plan)) for line in timeline
    ]
    moments += [(mail.sent_at, "MAIL", "notifications_v2", _describe_mail(mail)) for mail in evidence.mails]
    moments.sort(key=lambda moment: moment[0])

    ends = [*(at for at, *_ in moments[1:]), None]
    began = moments[0][0] if moments else None
    return tuple(
        Step(name, module, did, at, _ms(began, at) or 0, _ms(at, end))
        for (at, name, module, did), end in zip(moments, ends, strict=True)
    )


def _ms(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else round((end - start).total_seconds() * 1000)


def _describe_state(state: RunState, evidence: "DayEvidence", *, plan: "RebalancePlan | None") -> str:
    match state:
        case RunState.EVALUATING:
            requested = formats.plural(len(evidence.run.allocations), "strategy evaluation")
            return f"created the run and requested {requested}"
        case RunState.AGGREGATED:
            return f"merged the weights into {formats.plural(len(_weights(evidence.signal)), 'target weight')}"
        case RunState.PLANNED:
            return f"planned {_count_trades(plan, Side.SELL)} and {_count_trades(plan, Side.BUY)}"
        case RunState.SELLING:
            return f"released {_count_trades(plan, Side.SELL)}"
        case RunState.BUYING:
            return f"released {_count_trades(plan, Side.BUY)}"
        case RunState.COMPLETED:
            return f"closed the run with {formats.plural(len(evidence.outcomes), 'trade outcome')}"
        case RunState.FAILED:
            return _describe_failure(evidence.result)


def _describe_failure(result: "RunCompleted | RunFailed | None") -> str:
    reason = getattr(result, "reason", None)
    return f"failed the run: {formats.words(reason)}" if reason else "failed the run"


def _describe_mail(mail: "Mail") -> str:
    return f"sent the mail to {', '.join(mail.recipients)}"


def _count_trades(plan: "RebalancePlan | None", side: Side) -> str:
    return formats.plural(len(plan.trades(side)) if plan else 0, side.value.lower())


def _weights(signal: "SignalGenerated | None") -> Mapping[str, Decimal]:
    return signal.weights if signal else {}


def _heaviest_first(weights: Mapping[str, Decimal]) -> tuple[tuple[str, Decimal], ...]:
    return tuple(sorted(weights.items(), key=lambda item: (-item[1], item[0])))


def _strategies(evidence: "DayEvidence") -> tuple[StrategyLine, ...]:
    return tuple(_strategy(name, allocation, evidence) for name, allocation in evidence.run.allocations.items())


def _strategy(name: str, allocation: Decimal, evidence: "DayEvidence") -> StrategyLine:
    answer = evidence.answers.get(name)
    weights, failure = _weights_or_failure(answer)
    cash = answer.cash if isinstance(answer, StrategyEvaluated) else _ZERO
    path = evidence.decisions.get(name, {})
    return StrategyLine(name, allocation, weights, cash, failure, sentences(path), summary(path))


def _weights_or_failure(
    answer: StrategyEvaluated | StrategyFailed | None,
) -> tuple[tuple[tuple[str, Decimal], ...], str | None]:
    """Return the weights of a strategy, or why there are none."""
    if answer is None:
        return (), "it returned no result"
    if isinstance(answer, StrategyFailed):
        return (), f"{formats.words(answer.reason)}: {answer.detail}"
    return _heaviest_first(answer.weights), None


def _signal(signal: "SignalGenerated | None", strategies: tuple[str, ...]) -> tuple[SignalLine, ...]:
    if signal is None:
        return ()
    lines = []
    for symbol, weight in _heaviest_first(signal.weights):
        parts = ((name, signal.contributions.get(name, {}).get(symbol, _ZERO)) for name in strategies)
        lines.append(SignalLine(symbol, weight, tuple((name, part) for name, part in parts if part)))
    return tuple(lines)


def _trades(evidence: "DayEvidence") -> tuple[TradeLine, ...]:
    decisions = evidence.plan.by_trade_id() if evidence.plan else {}
    orders = defaultdict[str, list["Order"]](list)
    for order in evidence.after.orders:
        orders[order.client_order_id.rpartition("-")[0]].append(order)  # `<trade id>-<step>`

    return tuple(
        TradeLine(trade_id, decisions[trade_id], outcome, tuple(orders[trade_id]))
        for trade_id, outcome in evidence.outcomes.items()
        if trade_id in decisions
    )
