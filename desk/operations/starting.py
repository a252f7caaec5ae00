"""`inv run.start`: start today's run, or one in the place of another, after the coordinator's own checks."""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from automation.deploying import consent
from automation.system import console
from automation.system.errors import CheckFailedError, ToolError
from desk.operations import obstacles
from desk.operations import situation as situations
from desk.operations.environment import COORDINATOR, Environment, connect
from desk.operations.obstacles import Advice
from desk.operations.orders import Stopwatch, this_clock
from desk.operations.situation import Market, Situation
from the_alchemiser.coordinator_v2.admission import NextRun, StartRefusal, next_run
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.run.runs import RunState

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

LONGEST_S = 60.0
POLL_S = 0.5
_REFUSED = "run refused"  # what the coordinator logs


class States(Protocol):
    """The call to the Runs table; dynamo_runs.DynamoRunStore is the real one."""

    def state_of(self, run_id: str) -> RunState | None:
        """Return the state of a run; None when it does not exist."""
        ...


@dataclass(frozen=True, slots=True)
class CoordinatorLog:
    """The log of the coordinator."""

    client: "CloudWatchLogsClient"
    group: str

    def refusal(self, since: datetime) -> StartRefusal | None:
        """Return the latest refusal of a start since a moment; None when there is none."""
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=self.group,
            startTime=int(since.timestamp() * 1000),
            filterPattern=f'{{ $.message = "{_REFUSED}" }}',
        )
        events = chain.from_iterable(page["events"] for page in pages)
        refusals = [refusal for refusal in (read_refusal(event["message"]) for event in events) if refusal]
        return refusals[-1] if refusals else None


def start(
    root: Path,
    name: str,
    *,
    replaces: str = "",
    yes: bool = False,
    connect: Callable[[Path, str], Environment] = connect,
    is_interactive: Callable[[], bool] = console.is_interactive,
    ask: Callable[[str], str] = console.ask,
) -> None:
    """Start a run of today, at any time of the session, and wait until it exists.

    Args:
        replaces: the id of today's latest run, which must have ended and be settled; empty for today's first run.
        yes: the user has confirmed on the command line.
        ask: asks a question on the terminal.

    Raises:
        UsageError: there is no such environment, or it was not confirmed.
        CheckFailedError: the coordinator would refuse the start, or has refused it; the findings say why.
        ToolError: the broker does not answer, or the coordinator has not answered within a minute.
        AutomationError: the environment cannot be used, or AWS does not answer.
    """
    environment = connect(root, name)
    guards = environment.scope.environment
    consent.require_possible(guards, yes=yes, is_interactive=is_interactive(), command="run.start")
    command, advice = (
        StartRun(command="start-run", force=True, replaces=replaces or None),
        obstacles.advice_for(environment),
    )
    with environment.errors(), closing(environment.broker()) as broker:
        sources = situations.sources_of(environment, broker, now=lambda: datetime.now(UTC))
        situation = situations.gather(sources, environment.stage)
    following, market = plan_start(situation, command, advice)

    console.result(f"{name}: start {describe(following, market, situation, is_sandbox=environment.is_sandbox)}")
    console.findings(obstacles.books_findings(situation, advice))
    if not yes:
        consent.confirm(f"start {following.run_id}", guards, ask=ask)
    log = CoordinatorLog(environment.client("logs"), environment.physical_id("CoordinatorLogs"))
    with environment.errors(), console.progress(f"waiting for {following.run_id}"):
        since = datetime.now(UTC)
        environment.send(COORDINATOR, command)
        state = await_run(environment.runs(), following.run_id, lambda: log.refusal(since), wall=this_clock())
    require_started(state, following.run_id, situation, advice)
    console.result(f"{following.run_id}: {state}", style="bold green")
    console.result(f"to follow it: {advice.inv(f'run.show {following.run_id}')}")


def plan_start(situation: Situation, command: StartRun, advice: Advice) -> tuple[NextRun, Market]:
    """Return the run that the coordinator would create now.

    Raises:
        CheckFailedError: it would refuse the start; there is one finding per reason.
    """
    findings = obstacles.in_the_way_of_a_start(situation, command, advice)
    market = situation.market
    if findings or market is None or isinstance(market.day, StartRefusal):
        raise CheckFailedError("this start would be refused; nothing was sent", where="run.start", findings=findings)
    following = next_run(advice.stage, market.day, situation.runs, command)
    if isinstance(following, StartRefusal):
        raise TypeError(f"{following.reason} is missing from the findings")
    return following, market


def describe(following: NextRun, market: Market, situation: Situation, *, is_sandbox: bool) -> str:
    """Return what would be started, and when that is."""
    latest = situation.latest_run
    instead = f" in the place of {latest.run_id}, which is {latest.state}" if latest and following.replaces else ""
    now, close = market.clock.timestamp.astimezone(new_york()), market.clock.next_close.astimezone(new_york())
    where = "at the exchange, whose clock only inv run-day moves on" if is_sandbox else "in New York"
    return f"{following.run_id}{instead}; it is {now:%Y-%m-%d %H:%M} {where}, the market closes at {close:%H:%M}"


def await_run(
    states: States, run_id: str, refusal: Callable[[], StartRefusal | None], *, wall: Stopwatch
) -> RunState | StartRefusal | None:
    """Wait until the run exists, or the coordinator has refused to start it; return None after a minute of neither."""
    started = wall.now()
    while True:
        answer = states.state_of(run_id) or refusal()
        if answer is not None or wall.now() - started >= LONGEST_S:
            return answer
        wall.sleep(POLL_S)


def require_started(answer: RunState | StartRefusal | None, run_id: str, situation: Situation, advice: Advice) -> None:
    """Check that the run exists.

    Raises:
        CheckFailedError: the coordinator has refused the start.
        ToolError: it has not answered.
    """
    if isinstance(answer, StartRefusal):
        finding = obstacles.finding_of(answer, situation, advice)
        raise CheckFailedError(f"the coordinator has refused to start {run_id}", where="run.start", findings=[finding])
    if answer is None:
        message = f"{run_id} does not exist after {LONGEST_S:.0f} s; the command may still wait in the inbox"
        raise ToolError(f"{message}: look with {advice.inv('status')} before you send another one", where="run.start")


def read_refusal(line: str) -> StartRefusal | None:
    """Return the refusal that a line of the coordinator's log reports; None for any other line."""
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.get("message") != _REFUSED:
        return None
    return StartRefusal(reason=str(entry.get("reason")), detail=str(entry.get("detail")))
