"""Where each of the ten functions is in today's run, from what the run has stored. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from desk.operations.run_record import RunRecord
from desk.report_model import MODULES
from the_alchemiser.shared import formats
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging.messages import StrategyFailed
from the_alchemiser.shared.run.runs import RunState


class StepState(StrEnum):
    """What a function has done for the run."""

    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "not needed"


@dataclass(frozen=True, slots=True)
class FunctionStep:
    """One function in the run.

    Attributes:
        began, ended: wall clock, UTC; None when it has not, or when that is not stored.
        detail: what it has done so far.
    """

    module: str
    state: StepState
    detail: str = ""
    began: datetime | None = None
    ended: datetime | None = None

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """Return when it began and ended; a moment when its end is not stored; None before its begin."""
        return None if self.began is None else (self.began, self.ended or self.began)

    @property
    def does(self) -> str:
        """Return what the function does, in words."""
        return MODULES[self.module]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the steps are derived from.

    Attributes:
        record: today's run; None before it.
        as_of: the session through which the data must be checked; None when today is not a session.
        verdict: the latest one; None before the first.
        measured_run: the id of the run of the newest performance figures; empty without any.
    """

    record: RunRecord | None
    as_of: date | None
    verdict: Verdict | None
    measured_run: str = ""


_WORKS_IN: Mapping[str, tuple[RunState, ...]] = {
    "strategy_v2": (RunState.EVALUATING,),
    "aggregator_v2": (RunState.EVALUATING,),
    "portfolio_v2": (RunState.AGGREGATED,),
    "trade_aggregator": (RunState.PLANNED, RunState.SELLING, RunState.BUYING),
    "execution_v2": (RunState.SELLING, RunState.BUYING),
}
"""The states of a run in which a function has work."""

_ORDER = tuple(state for state in RunState if state is not RunState.FAILED)


def function_steps(evidence: Evidence) -> tuple[FunctionStep, ...]:
    """Return one step per function, in the order of a trading day."""
    steps = {step.module: step for step in (*_data(evidence), *_run(evidence))}
    return tuple(steps.get(module, FunctionStep(module, StepState.WAITING)) for module in MODULES)


def _data(evidence: Evidence) -> tuple[FunctionStep, ...]:
    """Return the steps of the evening before, which the verdict proves."""
    verdict = evidence.verdict
    if verdict is None:
        return ()
    is_current = evidence.as_of is None or verdict.as_of >= evidence.as_of
    state = StepState.DONE if is_current else StepState.WAITING
    bars = f"bars through {verdict.as_of}"
    quarantined = formats.plural(len(verdict.quarantined), "symbol")
    checked = f"checked through {verdict.as_of}: {quarantined} quarantined"
    return FunctionStep("data_v2", state, bars), FunctionStep("data_quality_monitor", state, checked)


def _run(evidence: Evidence) -> tuple[FunctionStep, ...]:
    record = evidence.record
    if record is None:
        return ()
    return (
        _coordinator(record),
        *(_worker(module, record) for module in _WORKS_IN),
        _notifications(record),
        _metrics(record, evidence.measured_run),
    )


def _coordinator(record: RunRecord) -> FunctionStep:
    count = formats.plural(len(record.run.allocations), "strategy evaluation")
    moment = record.run.timeline[0].at if record.run.timeline else None
    return FunctionStep("coordinator_v2", StepState.DONE, f"requested {count}", moment, moment)


def _worker(module: str, record: RunRecord) -> FunctionStep:
    """Return the step of a function that works while the run is in certain states."""
    state, detail = _state_of(module, record), _detail(module, record)
    at = {line.state: line.at for line in record.run.timeline}
    began = next((at[entered] for entered in _WORKS_IN[module] if entered in at), None)
    if module == "aggregator_v2":
        began = at.get(RunState.AGGREGATED)
    after = [line.at for line in record.run.timeline if _is_after(line.state, _WORKS_IN[module][-1])]
    ended = after[0] if after and began is not None else None
    return FunctionStep(module, state, detail, began, ended)


def _state_of(module: str, record: RunRecord) -> StepState:
    works_in, run = _WORKS_IN[module], record.run
    if run.state is RunState.FAILED:
        return _state_in_failed_run(module, record)
    if run.state in works_in:
        # The aggregator shares the state with the strategies: it has nothing to do before their answers.
        return StepState.WAITING if module == "aggregator_v2" and not record.answers else StepState.WORKING
    if not _is_after(run.state, works_in[-1]):
        return StepState.WAITING
    entered = {line.state for line in run.timeline}
    is_needed = module != "execution_v2" or bool(entered & set(works_in))
    return StepState.DONE if is_needed else StepState.SKIPPED


def _state_in_failed_run(module: str, record: RunRecord) -> StepState:
    failed_in = _failed_in(record)
    works_in = _WORKS_IN[module]
    if _is_after(failed_in, works_in[-1]):
        return StepState.DONE
    if failed_in not in works_in:
        return StepState.SKIPPED
    is_blamed = module != "aggregator_v2" and not (module == "trade_aggregator" and failed_in is not RunState.PLANNED)
    return StepState.FAILED if is_blamed else StepState.SKIPPED


def _failed_in(record: RunRecord) -> RunState:
    """Return the state in which the run failed: the last one that it had entered before."""
    entered = [line.state for line in record.run.timeline if line.state is not RunState.FAILED]
    return entered[-1] if entered else RunState.EVALUATING


def _is_after(state: RunState, other: RunState) -> bool:
    """Return whether a state comes after another one; FAILED comes after all."""
    return state is RunState.FAILED or _ORDER.index(state) > _ORDER.index(other)


def _detail(module: str, record: RunRecord) -> str:
    plan, signal = record.plan, record.signal
    match module:
        case "strategy_v2":
            failed = [name for name, answer in record.answers.items() if isinstance(answer, StrategyFailed)]
            text = f"{len(record.answers)} of {len(record.run.allocations)} answered"
            return f"{text}, {', '.join(failed)} failed" if failed else text
        case "aggregator_v2":
            return formats.plural(len(signal.weights), "target weight") if signal else ""
        case "portfolio_v2":
            return formats.plural(len(plan.by_trade_id()), "trade") + " planned" if plan else ""
        case "trade_aggregator":
            released = sum(len(release.quantities) for release in record.releases)
            return formats.plural(released, "trade") + " released" if plan else ""
        case _:
            planned = len(plan.by_trade_id()) if plan else 0
            missed = f", {len(record.failed_trades)} not filled" if record.failed_trades else ""
            return f"{len(record.outcomes)} of {formats.plural(planned, 'trade')} ended{missed}" if planned else ""


def _notifications(record: RunRecord) -> FunctionStep:
    if not record.run.state.is_final:
        return FunctionStep("notifications_v2", StepState.WAITING)
    ended = record.run.timeline[-1].at if record.run.timeline else None
    if any(notice.mail.is_sent for notice in record.notices):
        return FunctionStep("notifications_v2", StepState.DONE, "mail sent", ended)
    return FunctionStep("notifications_v2", StepState.WORKING, "no mail is recorded yet", ended)


def _metrics(record: RunRecord, measured_run: str) -> FunctionStep:
    if record.run.state is RunState.FAILED:
        return FunctionStep("metrics_v2", StepState.SKIPPED, "only completed runs are measured")
    if record.run.state is not RunState.COMPLETED:
        return FunctionStep("metrics_v2", StepState.WAITING)
    ended = record.run.timeline[-1].at if record.run.timeline else None
    if measured_run == record.run.run_id:
        return FunctionStep("metrics_v2", StepState.DONE, "figures stored", ended)
    return FunctionStep("metrics_v2", StepState.WORKING, "no figures are stored yet", ended)
