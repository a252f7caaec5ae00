"""What the page shows of trading: the situation, today's run function by function, and the latest run as a day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from automation.system.errors import Finding
from desk.operations import obstacles, run_record
from desk.operations import situation as situations
from desk.operations.run_record import RunRecord
from desk.operations.situation import Situation
from desk.page.account import performances_of
from desk.page.function_steps import Evidence, FunctionStep, function_steps
from desk.page.live import Connection
from desk.report_model import ReportDay, build_report_day
from sandbox.evidence import BrokerState, DayEvidence
from the_alchemiser.coordinator_v2.admission import StartRefusal
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError, read_verdict

# The schedule starts a run 15 minutes before the close: template.yaml.
STARTS_BEFORE_CLOSE = timedelta(minutes=15)
_ZERO = Decimal(0)
_UNKNOWN_ACCOUNT = Account("", "", _ZERO, _ZERO, _ZERO, _ZERO, Decimal(1), trading_blocked=False)


@dataclass(frozen=True, slots=True)
class Bar:
    """When a function worked, as percentages of the run's duration."""

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Trading:
    """What was read.

    Attributes:
        findings: what stands in the way of trading, each with the command that helps.
        record: the latest run; None before the first.
        day: the same run as the day report shows it.
        steps: of today's run, one per function.
        stage: the first part of every run id.
        is_sandbox: whether days are simulated, and nothing starts by itself.
    """

    situation: Situation
    findings: tuple[Finding, ...]
    record: RunRecord | None
    day: ReportDay | None
    steps: tuple[FunctionStep, ...]
    stage: str
    is_sandbox: bool

    @property
    def todays_record(self) -> RunRecord | None:
        """Return today's run; None before it."""
        record = self.record
        return record if record is not None and record.run.trading_date == self.situation.date else None

    @property
    def next_start(self) -> str:
        """Return when the next run starts, in words; empty when the broker does not say."""
        return next_start(self.situation, is_sandbox=self.is_sandbox)

    @property
    def bars(self) -> Mapping[str, Bar]:
        """Return when each function worked, by module; without those that have not."""
        return bars(self.steps)


def gather(connection: Connection, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Trading:
    """Read the situation and the latest run; a broker that does not answer is part of the result.

    Raises:
        ClientError, BotoCoreError, StateUnavailableError: AWS refused a request or does not answer.
    """
    environment = connection.environment
    situation = situations.gather(situations.sources_of(environment, connection.broker, now=now), environment.stage)
    advice = obstacles.advice_for(environment)

    sources = connection.record_sources()
    run = situation.latest_run
    latest_id = "" if run else sources.latest_id()
    run = run or (sources.runs.load(latest_id) if latest_id else None)
    record = run_record.gather(sources, run) if run else None

    verdict = _verdict(connection)
    is_todays = record is not None and record.run.trading_date == situation.date
    evidence = Evidence(
        record=record if is_todays else None,
        as_of=_as_of(situation),
        verdict=verdict,
        measured_run=_measured_run(connection) if is_todays else "",
    )
    return Trading(
        situation=situation,
        findings=obstacles.in_the_way_of_trading(situation, advice),
        record=record,
        day=day_of(record, verdict) if record else None,
        steps=function_steps(evidence),
        stage=environment.stage,
        is_sandbox=environment.is_sandbox,
    )


def day_of(record: RunRecord, verdict: Verdict | None) -> ReportDay:
    """Return a run as the day report shows it. What the account holds is read elsewhere, and empty here."""
    run = record.run
    is_of_run = verdict is not None and verdict.as_of == run.as_of
    return build_report_day(
        DayEvidence(
            trading_date=run.trading_date,
            run=run,
            verdict=verdict if is_of_run else None,
            before=BrokerState(_UNKNOWN_ACCOUNT, ()),
            after=BrokerState(_UNKNOWN_ACCOUNT, (), record.broker_orders),
            ledger=record.ledger,
            functions={},
            mails=(),
            backlogs=(),
            started_at=run.timeline[0].at if run.timeline else run.deadline_at,
            seconds={},
            decisions=record.decisions,
        )
    )


def next_start(situation: Situation, *, is_sandbox: bool) -> str:
    """Return when the next run starts, in words; empty when the broker does not say.

    Before its start, today's session is the next one; a half day closes earlier, so the close decides.
    """
    market = situation.market
    if market is None:
        return ""
    if is_sandbox:
        return "The next one starts when you trade the next session."
    start = market.clock.next_close.astimezone(new_york()) - STARTS_BEFORE_CLOSE
    if start.date() == situation.date and market.clock.timestamp < start:
        return f"The next one starts at {start:%H:%M} ET."
    if start.date() == situation.date:
        return "The schedule of today is over."
    return f"The next one starts at {start:%H:%M} ET on {start:%A}, {start.day} {start:%B}."


def bars(steps: tuple[FunctionStep, ...]) -> Mapping[str, Bar]:
    """Return when each function worked; the first begin is 0 %, the last end 100 %."""
    spans = {step.module: step.span for step in steps if step.span is not None}
    if not spans:
        return {}
    first = min(began for began, _ in spans.values())
    whole_s = (max(ended for _, ended in spans.values()) - first).total_seconds() or 1.0

    def percent(duration: timedelta) -> float:
        return 100 * duration.total_seconds() / whole_s

    return {module: Bar(percent(began - first), percent(ended - began)) for module, (began, ended) in spans.items()}


def _as_of(situation: Situation) -> date | None:
    market = situation.market
    return None if market is None or isinstance(market.day, StartRefusal) else market.day.as_of


def _measured_run(connection: Connection) -> str:
    """Return the id of the run whose figures are the account's latest; empty without any."""
    latest = performances_of(connection.environment).latest()
    return "" if latest is None else latest.run_id


def _verdict(connection: Connection) -> Verdict | None:
    try:
        return read_verdict(connection.environment.objects())
    except VerdictMalformedError:
        return None  # the situation has it among what stands in the way
