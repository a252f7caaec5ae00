"""What stands in the way of trading or of a start, each with the command that helps. Pure.

A start is checked by the coordinator's own rules, so that a person reads the refusal before the command is sent.
"""

from dataclasses import dataclass
from datetime import timedelta

from automation.system.errors import Finding
from desk.operations.environment import Environment
from desk.operations.situation import Market, Situation
from the_alchemiser.coordinator_v2.admission import StartRefusal, next_run, refuse_time
from the_alchemiser.coordinator_v2.settlement import EXECUTION_WINDOW
from the_alchemiser.shared.books.checks import describe
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.messaging.commands import StartRun
from the_alchemiser.shared.run.runs import Run, RunState

PAUSED = "paused"  # where the finding about the kill switch is
_WINDOW = f"{EXECUTION_WINDOW.total_seconds():.0f} s"
_BROKER_PAGE = "look at the broker's status page"


@dataclass(frozen=True, slots=True)
class Advice:
    """The commands of one environment that findings advise."""

    environment: str
    stage: str
    is_sandbox: bool

    def inv(self, words: str) -> str:
        """Return the command `inv <words>` for this environment."""
        return f"inv {words} --env {self.environment}"


def advice_for(environment: Environment) -> Advice:
    """Return the commands of a deployed environment."""
    return Advice(environment.name, environment.stage, environment.is_sandbox)


def in_the_way_of_trading(situation: Situation, advice: Advice) -> tuple[Finding, ...]:
    """Return what keeps the system from trading today, and what of today's run needs a person."""
    findings = [*_switch(situation, advice), *_market(situation, advice), *books_findings(situation, advice)]
    if situation.data is not None and situation.market is not None and _is_before_close(situation.market):
        findings.append(finding_of(situation.data, situation, advice))
    latest = situation.latest_run
    if latest is not None and latest.state is RunState.FAILED:
        findings.append(Finding(latest.run_id, "the run has failed", advice.inv(f"run.show {latest.run_id}")))
    return tuple(findings)


def in_the_way_of_a_start(situation: Situation, command: StartRun, advice: Advice) -> tuple[Finding, ...]:
    """Return every reason for which the coordinator would refuse this start now.

    Args:
        situation: with a market: without one, nobody knows.
    """
    market = situation.market
    findings = [*_switch(situation, advice), *_market(situation, advice)]
    if market is None:
        return tuple(findings)
    if isinstance(market.day, StartRefusal):
        return (*findings, finding_of(market.day, situation, advice))

    closed = refuse_time(market.day, force=command.is_forced)
    following = next_run(advice.stage, market.day, situation.runs, command)
    # Once the session is over, no other reason can be removed in time.
    refusals = (closed, following, situation.data) if _is_before_close(market) else (closed,)
    findings += [finding_of(refusal, situation, advice) for refusal in refusals if isinstance(refusal, StartRefusal)]
    return tuple(findings)


def _switch(situation: Situation, advice: Advice) -> list[Finding]:
    setting = situation.switch
    if setting.is_enabled:
        return []
    by = f" by {setting.by}" if setting.by else ""
    since = f" since {setting.since:%Y-%m-%d %H:%M:%S} UTC" if setting.since else ""
    what = f"trading is {setting.value or 'paused: there is no kill switch'}{since}{by}"
    return [Finding(PAUSED, what, advice.inv("trading.resume"))]


def _market(situation: Situation, advice: Advice) -> list[Finding]:
    market = situation.market
    if market is None:
        fix = "inv sandbox.status, then inv sandbox.up" if advice.is_sandbox else _BROKER_PAGE
        return [Finding("broker", situation.broker_error, fix)]
    findings: list[Finding] = []
    if market.account.trading_blocked:
        findings.append(Finding("account_blocked", "the broker blocks trading on the account", "ask the broker why"))
    if market.wrong_account:
        findings.append(Finding("wrong_account", market.wrong_account, advice.inv("secrets.set broker")))
    return findings


def books_findings(situation: Situation, advice: Advice) -> tuple[Finding, ...]:
    """Return the difference of the latest check of the books. A start looks again before it is refused for it."""
    books = situation.books
    if books is None or not books.differs:
        return ()
    what = f"{books.trading_date}: {'; '.join(describe(difference) for difference in books.differences)}"
    return (Finding("books_differ", what, f"{advice.inv('reconcile')}; once it is explained, add --accept"),)


def _is_before_close(market: Market) -> bool:
    return not isinstance(market.day, StartRefusal) and market.day.to_close > timedelta(0)


def finding_of(refusal: StartRefusal, situation: Situation, advice: Advice) -> Finding:
    """Return why the coordinator refuses a start, with the command that helps."""
    what, latest = refusal.detail, situation.latest_run
    replace = advice.inv(f"run.start --replaces {latest.run_id}" if latest else "run.start")
    match refusal.reason:
        case "replaces_missing" | "replaces_another":
            # The refusal's own text advises a message to an inbox; this command sends it.
            what, fix = _about(latest), replace
        case "run_not_settled":
            what = f"{_about(latest)}; its orders may not all be final before a sweep, {_WINDOW} after its end or later"
            fix = f"{advice.inv('trading.sweep')}, then {replace}"
        case "run_exists":
            fix = advice.inv("run.show latest")
        case "verdict_missing" | "verdict_stale" | "verdict_malformed":
            fix = advice.inv("data.refresh")
        case "paused":
            fix = advice.inv("trading.resume")
        case "books_differ":
            fix = f"{advice.inv('reconcile')}; once it is explained, add --accept"
        case "wrong_account":
            fix = advice.inv("secrets.set broker")
        case "market_closed" | "not_a_session":
            fix = _next_session(situation.market, advice)
        case _:
            fix = _BROKER_PAGE
    return Finding(refusal.reason, what, fix)


def _about(latest: Run | None) -> str:
    return "today has no run yet" if latest is None else f"today's latest run is {latest.run_id}, {latest.state}"


def _next_session(market: Market | None, advice: Advice) -> str:
    if advice.is_sandbox:
        return "inv run-day moves the exchange's clock to the next session, and trades it"
    opens = "" if market is None else f": it opens {market.clock.next_open.astimezone(new_york()):%A %Y-%m-%d %H:%M} ET"
    return f"wait for the next session{opens}"
