"""What a run has achieved so far, a line a step, as a person follows it. Pure."""

from collections.abc import Iterator

from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Side,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.run.progress import Release, plan_of
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY, TRADE, Run, RunState

_WIDTH = max(len(name) for name in ("trade_aggregator", "coordinator_v2", "notifications_v2"))


def milestones(run: Run) -> tuple[str, ...]:
    """The lines of a run as it stands, each beginning with the module that did it; a later look only adds lines."""
    return tuple(f"{module:<{_WIDTH}}  {text}" for module, text in _steps(run))


def _steps(run: Run) -> Iterator[tuple[str, str]]:
    yield "coordinator_v2", f"{run.run_id}: {_count(len(run.allocations), 'strategy', 'strategies')} to decide"
    for name, item in sorted(run.items_of(STRATEGY).items()):
        yield "strategy_v2", _answer(name, outbox.decode(item.body))
    signal = outbox.decode(run.items[SIGNAL].body) if SIGNAL in run.items else None
    if isinstance(signal, SignalGenerated):
        yield "aggregator_v2", f"one signal over {_count(len(signal.weights), 'symbol')}"
    plan = plan_of(run)
    if plan is not None:
        sells, buys = len(plan.trades(Side.SELL)), len(plan.trades(Side.BUY))
        yield "portfolio_v2", f"{_count(sells, 'sell')} and {_count(buys, 'buy')} planned"
    for phase, side in ((RunState.SELLING, Side.SELL), (RunState.BUYING, Side.BUY)):
        if phase in run.payloads:
            release = Release.model_validate(run.payloads[phase])
            yield "trade_aggregator", f"{phase.value.lower()}: {_count(len(release.quantities), 'trade')} released"
        yield from (("execution_v2", text) for text in _outcomes(run, side))
    if run.state.is_final:
        yield run.timeline[-1].by, _end(run)


def _answer(name: str, answer: object) -> str:
    if isinstance(answer, StrategyEvaluated):
        return f"{name} wants {_count(len(answer.weights), 'symbol')}"
    return f"{name} failed: {answer.reason}" if isinstance(answer, StrategyFailed) else f"{name} answered"


def _outcomes(run: Run, side: Side) -> Iterator[str]:
    for _, item in sorted(run.items_of(TRADE).items()):
        outcome = outbox.decode(item.body)
        if isinstance(outcome, TradeExecuted | TradeFailed) and outcome.side is side:
            end = f"failed: {outcome.reason}" if isinstance(outcome, TradeFailed) else f"at {outcome.avg_price}"
            yield f"{side.value.lower()} {outcome.quantity} {outcome.symbol} {end}"


def _end(run: Run) -> str:
    if run.state is RunState.COMPLETED:
        return "run completed"
    told = run.payloads.get(RunState.FAILED, {})
    return f"run failed: {told.get('reason', 'no reason given')}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
