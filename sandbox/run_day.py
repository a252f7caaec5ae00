"""`inv run-day`: check the request, trade the requested days one by one, print and verify each."""

import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from automation.system import console, files
from automation.system.errors import CheckFailedError, ConfigurationError, Finding, ToolError
from sandbox import emulator, lifecycle, servers, summary
from sandbox.aws_account import prepare_account
from sandbox.brokerage import PaperBrokerage
from sandbox.cloud import LocalCloud
from sandbox.day import DayContext, trade_day
from sandbox.deployment import DEPLOY_HINT, Deployment, find_deployment
from sandbox.evidence import DayEvidence
from sandbox.local_environment import LocalEnvironment, read_local_environment
from sandbox.outages import Outages, UnreachableError, WallClock
from sandbox.preflight import first_bar_dates, require_bars
from sandbox.settings import SandboxSettings, read_settings
from sandbox.trading_dates import ChosenDates, choose_dates, parse_date
from sandbox.verify import verify_day
from the_alchemiser.shared.errors import AlchemiserError

HISTORY = Path(__file__).parent / "history"

type WriteReport = Callable[[Sequence[DayEvidence], Path], Path]
"""Writes the report on one or more days to a path and returns the path."""


@dataclass(frozen=True, slots=True)
class DayRequest:
    """The options of the command; an empty `date` means the next session."""

    env: str
    date: str = ""
    days: int = 1
    as_json: bool = False


def run_days(root: Path, request: DayRequest, write_report: WriteReport, universe: Callable[[], Iterable[str]]) -> None:
    """Trade the requested days; stop after the first that fails its checks.

    Args:
        universe: returns the symbols of the book; raises AutomationError when the book cannot be read.

    Raises:
        UsageError: the environment or a date cannot be traded.
        ConfigurationError: another run-day is running, or the deployed stacks do not fit this sandbox.
        ToolError: the sandbox is down, or stops answering.
        CheckFailedError: a day failed, or failed its checks; the findings say why.
    """
    lifecycle.require_linux(platform.system())
    wanted_date = parse_date(request.date) if request.date else None
    local = read_local_environment(root, request.env)
    settings = read_settings(root, os.environ)

    with _day_lock(settings), translate_sandbox_errors():
        deployment = _reached_deployment(root, local, settings)
        limit_s = deployment.longest_retry_s
        cloud = LocalCloud(local.target, deployment, _outages(emulator.NAME, limit_s))
        exchange = PaperBrokerage(settings.exchange_url, _outages(lifecycle.EXCHANGE, limit_s))
        try:
            dates = choose_dates(
                wanted_date,
                request.days,
                states=cloud.run_states(),
                last_session=exchange.history().last_session,
                unchecked=_without_report(settings),
            )
            if dates.to_trade:
                require_bars(universe(), first_bar_dates(HISTORY), before=dates.to_trade[0])
            context = DayContext(
                cloud, exchange, _wall_clock(), lambda: datetime.now(UTC), console.note, report_wait=_report_wait
            )
            DayRunner(settings, context, write_report, request).trade(dates)
        finally:
            cloud.close()
            exchange.close()


@dataclass(frozen=True, slots=True)
class DayRunner:
    """Trades the days of one command: runs, reports and verifies each."""

    settings: SandboxSettings
    context: DayContext
    write_report: WriteReport
    request: DayRequest

    def trade(self, dates: ChosenDates) -> None:
        """Trade the chosen dates in order; print a summary of each, or all of them as JSON.

        Raises:
            CheckFailedError: a day failed, or failed its checks; no later day was traded.
        """
        for day in dates.already_traded:
            console.note(f"{day} was already traded")
        if not dates.to_trade:
            self._print_nothing_traded(dates.already_traded)
            return

        summaries, traded = list[Mapping[str, object]](), list[DayEvidence]()
        try:
            for session in dates.to_trade:
                self._trade_day(session, traded, summaries)
        finally:
            if self.request.as_json:
                console.result_json(summaries)
            if len(traded) > 1:
                self._write_report_on_all(traded)
        if not self.request.as_json:
            console.result("next    inv run-day trades the next session")

    def _trade_day(self, session: date, traded: list[DayEvidence], summaries: list[Mapping[str, object]]) -> None:
        console.note(f"trading {session}")
        day = trade_day(session, self.context)
        traded.append(day)

        # Written before the checks, so that a day that fails them can be read in its report.
        day_files = self._write_files(day)
        findings = verify_day(day)
        summaries.append(summary.day_as_json(day, day_files, findings))
        if not self.request.as_json:
            summary.print_day(day, day_files)

        if findings:
            message = (
                f"{session} failed its checks: {_first_of(findings)}; read {day_files.report}, fix the cause, then "
            )
            # The JSON already has the findings; without them here, no table is printed after it.
            table = () if self.request.as_json else findings
            raise CheckFailedError(message + "run inv run-day: it trades the next session", findings=table)

    def _write_files(self, day: DayEvidence) -> summary.DayFiles:
        mail_paths = []
        for number, mail in enumerate(day.mails, start=1):
            suffix = f"-{number}" if number > 1 else ""
            path = self._reports / f"{day.trading_date}-mail{suffix}.html"
            files.write_atomically(path, mail.html or mail.text)
            mail_paths.append(path)

        report = self.write_report([day], _report_of(self.settings, day.trading_date))
        return summary.DayFiles(report, tuple(mail_paths))

    def _write_report_on_all(self, traded: Sequence[DayEvidence]) -> None:
        name = f"{traded[0].trading_date}--{traded[-1].trading_date}.html"
        path = self.write_report(traded, self._reports / name)
        if not self.request.as_json:
            console.result(f"report on all {len(traded)} days  {path}")

    @property
    def _reports(self) -> Path:
        return self.settings.directory / "reports"

    def _print_nothing_traded(self, already_traded: Sequence[date]) -> None:
        if self.request.as_json:
            console.result_json([])
        else:
            console.results(f"nothing traded: {day} was already traded" for day in already_traded)


def _reached_deployment(root: Path, local: LocalEnvironment, settings: SandboxSettings) -> Deployment:
    """Return what is deployed; a server that runs, but does not answer, gets as long as it may take to start."""
    sandbox = _outages("the sandbox", servers.START_TIMEOUT_S)
    sandbox.survive(lambda: _require_running(root))
    return sandbox.survive(lambda: _usable_deployment(local, settings))


def _outages(server: str, limit_s: float) -> Outages:
    return Outages(server, _wall_clock(), _report_wait, limit_s)


def _report_wait(text: str) -> None:
    """Print why nothing seems to happen, with and without a terminal."""
    console.note(text)
    console.event(text)


def _require_running(root: Path) -> None:
    for server in lifecycle.status(root):
        if server.pid is None:
            raise ToolError("is not running; run inv sandbox.up", where=server.name)
        if not server.is_ready:
            raise UnreachableError(f"does not answer; see {server.log}", where=server.name)


def _usable_deployment(local: LocalEnvironment, settings: SandboxSettings) -> Deployment:
    deployment = find_deployment(local.target, local.stacks)
    url = deployment.parameters.get("BrokerTradingUrl")
    if url != settings.exchange_url:
        raise ConfigurationError(
            f"the deployed stacks trade at {url}, but the exchange listens at {settings.exchange_url}; {DEPLOY_HINT}"
        )
    prepare_account(local.target, senders=[deployment.parameters["MailFrom"]])
    return deployment


def _without_report(settings: SandboxSettings) -> Callable[[date], bool]:
    """Return whether a day has no report: a command was interrupted before it could check the day."""
    return lambda day: not _report_of(settings, day).is_file()


def _report_of(settings: SandboxSettings, day: date) -> Path:
    return settings.directory / "reports" / f"{day}.html"


def _wall_clock() -> WallClock:
    return WallClock(time.monotonic, time.sleep)


def _first_of(findings: Sequence[Finding]) -> str:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{findings[0].where}: {findings[0].what}{more}"


@contextmanager
def _day_lock(settings: SandboxSettings) -> Iterator[None]:
    """Let one run-day run at a time: two would move the same clock. A second one fails at once."""
    try:
        with files.lock(settings.directory / "day.lock", wait_s=0, doing="trading a day"):
            yield
    except ToolError as cause:
        if cause.where == str(settings.directory / "day.lock"):
            raise ConfigurationError(cause.message, where=cause.where) from cause
        raise


@contextmanager
def translate_sandbox_errors() -> Iterator[None]:
    """Turn what boto3 and the product's adapters raise when the sandbox stops during a day into a ToolError."""
    try:
        yield
    except (BotoCoreError, ClientError, AlchemiserError) as cause:
        message = f"a call failed: {cause}; run inv sandbox.status, then inv run-day again to resume"
        raise ToolError(message, where="sandbox") from cause
