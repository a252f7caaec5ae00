"""Describe what a run has achieved so far, one line per step, for a person who follows it. Pure."""

from collections.abc import Iterator

from sandbox.function_logs import count_text
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.run.progress import Release, plan_of
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY, TRADE, Run, RunState
from the_alchemiser.shared.values import Side

_WIDTH = max(len(name) for name in ("trade_aggregator", "coordinator_v2", "notifications_v2"))


def list_milestones(run: Run) -> tuple[str, ...]:
    """Return the lines of a run so far, each starting with the module that did the step.

    A later call for the same run returns the same lines and more.
    """
    return tuple(f"{module:<{_WIDTH}}  {text}" for module, text in _steps(run))


def _steps(run: Run) -> Iterator[tuple[str, str]]:
    count = count_text(len(run.allocations), "strategy", "strategies")
    yield "coordinator_v2", f"started {run.run_id}: {count} to evaluate"

    for name, item in sorted(run.items_of(STRATEGY).items()):
        yield "strategy_v2", _describe_answer(name, outbox.decode(item.body))

    signal = outbox.decode(run.items[SIGNAL].body) if SIGNAL in run.items else None
    if isinstance(signal, SignalGenerated):
        yield "aggregator_v2", f"merged the strategies into one signal: {count_text(len(signal.weights), 'symbol')}"

    plan = plan_of(run)
    if plan is not None:
        sells, buys = len(plan.trades(Side.SELL)), len(plan.trades(Side.BUY))
        yield "portfolio_v2", f"planned {count_text(sells, 'sell')} and {count_text(buys, 'buy')}"

    for phase, side in ((RunState.SELLING, Side.SELL), (RunState.BUYING, Side.BUY)):
        if phase in run.payloads:
            release = Release.read(run.payloads[phase])
            yield "trade_aggregator", f"{phase.value.lower()}: released {count_text(len(release.quantities), 'trade')}"
        for text in _outcomes(run, side):
            yield "execution_v2", text

    if run.state.is_final:
        yield run.timeline[-1].by, _describe_end(run)


def _describe_answer(name: str, answer: object) -> str:
    if isinstance(answer, StrategyEvaluated):
        return f"{name}: target weights for {count_text(len(answer.weights), 'symbol')}"
    return f"{name} failed: {answer.reason}" if isinstance(answer, StrategyFailed) else f"{name} answered"


def _outcomes(run: Run, side: Side) -> Iterator[str]:
    for _, item in sorted(run.items_of(TRADE).items()):
        outcome = outbox.decode(item.body)
        if isinstance(outcome, TradeExecuted | TradeFailed) and outcome.side is side:
            yield f"{side.value.lower()} {outcome.quantity} {outcome.symbol} {_describe_outcome(outcome)}"


def _describe_outcome(outcome: TradeExecuted | TradeFailed) -> str:
    if isinstance(outcome, TradeFailed):
        return f"failed: {outcome.reason}"
    return f"filled at {outcome.avg_price}"


def _describe_end(run: Run) -> str:
    if run.state is RunState.COMPLETED:
        return "run completed"
    failure = run.payloads.get(RunState.FAILED, {})
    return f"run failed: {failure.get('reason', 'no reason given')}"
