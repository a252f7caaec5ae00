"""`inv run-day`: check what can be checked, trade the days asked for one by one, print and verify each."""

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
from sandbox import lifecycle, summary
from sandbox.account import prepare_account
from sandbox.brokerage import PaperBrokerage
from sandbox.cloud import LocalCloud
from sandbox.day import Surroundings, trade_day
from sandbox.deployment import MEND, Deployment, find_deployment
from sandbox.evidence import DayEvidence
from sandbox.follow import Wall
from sandbox.local import Local, read_local
from sandbox.preflight import first_bars, require_bars
from sandbox.settings import SandboxSettings, read_settings
from sandbox.trading_dates import Choice, choose, parse_date
from sandbox.verify import verify
from the_alchemiser.shared.errors import AlchemiserError

HISTORY = Path(__file__).parent / "history"

type WriteReport = Callable[[Sequence[DayEvidence], Path], Path]
"""Writes the report about one day or several to a path, and returns where it is."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for; `date` is empty for the next session."""

    env: str
    date: str = ""
    days: int = 1
    as_json: bool = False


def run_days(root: Path, request: Request, write_report: WriteReport, universe: Callable[[], Iterable[str]]) -> None:
    """Trade the days asked for, and stop at the first that does not add up.

    Args:
        universe: the symbols of the book; it raises AutomationError when the book cannot be read.

    Raises:
        UsageError: the environment or a date cannot be traded.
        ConfigurationError: another run-day is at work, or what is deployed does not fit.
        ToolError: the sandbox is down.
        CheckFailedError: a day failed or does not add up; the findings say why.
    """
    lifecycle.require_linux(platform.system())
    asked = parse_date(request.date) if request.date else None
    local = read_local(root, request.env)
    settings = read_settings(root, os.environ)
    with _only_one(settings), told_plainly():
        _require_running(root)
        deployment = _deployment(local, settings)
        cloud, exchange = LocalCloud(local.target, deployment), PaperBrokerage(settings.exchange_url)
        try:
            choice = choose(asked, request.days, traded=cloud.traded(), last_session=exchange.history().last_session)
            if choice.to_trade:
                require_bars(universe(), first_bars(HISTORY), before=choice.to_trade[0])
            around = Surroundings(cloud, exchange, _wall(), lambda: datetime.now(UTC), console.note)
            Days(settings, around, write_report, request).trade(choice)
        finally:
            cloud.close()
            exchange.close()


@dataclass(frozen=True, slots=True)
class Days:
    """The days of one command."""

    settings: SandboxSettings
    around: Surroundings
    write_report: WriteReport
    request: Request

    def trade(self, choice: Choice) -> None:
        for day in choice.done:
            console.note(f"{day} has been traded before")
        if not choice.to_trade:
            self._say_nothing_traded(choice.done)
            return
        told, traded = list[Mapping[str, object]](), list[DayEvidence]()
        try:
            for session in choice.to_trade:
                self._trade_one(session, traded, told)
        except CheckFailedError as failed:
            if self.request.as_json:
                # Findings would be printed as a table, behind the JSON that has them.
                raise CheckFailedError(str(failed)) from failed
            raise
        finally:
            if self.request.as_json:
                console.result_json(told)
            if len(traded) > 1:
                self._write_whole_report(traded)

    def _trade_one(self, session: date, traded: list[DayEvidence], told: list[Mapping[str, object]]) -> None:
        console.note(f"trading {session}")
        day = trade_day(session, self.around)
        traded.append(day)
        made = self._write(day)
        findings = verify(day)
        told.append(summary.as_json(day, made, findings))
        if not self.request.as_json:
            summary.show(day, made)
        if findings:
            raise CheckFailedError(f"{session} does not add up: {_told(findings)}", findings=findings)

    def _write(self, day: DayEvidence) -> summary.Files:
        mails = tuple(
            self._reports / f"{day.trading_date}-mail{f'-{number}' if number > 1 else ''}.html"
            for number in range(1, len(day.mails) + 1)
        )
        for path, mail in zip(mails, day.mails, strict=True):
            files.write_atomically(path, mail.html or mail.text)
        return summary.Files(self.write_report([day], self._reports / f"{day.trading_date}.html"), mails)

    def _write_whole_report(self, traded: Sequence[DayEvidence]) -> None:
        name = f"{traded[0].trading_date}--{traded[-1].trading_date}.html"
        path = self.write_report(traded, self._reports / name)
        if not self.request.as_json:
            console.result(f"report of all {len(traded)} days  {path}")

    @property
    def _reports(self) -> Path:
        return self.settings.directory / "reports"

    def _say_nothing_traded(self, done: Sequence[date]) -> None:
        if self.request.as_json:
            console.result_json([])
        else:
            console.results(f"{day} has been traded already: nothing traded" for day in done)


def _require_running(root: Path) -> None:
    for server in lifecycle.status(root):
        if not server.is_ready:
            state = "is not running" if server.pid is None else f"does not answer; see {server.log}"
            raise ToolError(f"{state}; run inv sandbox.up", where=server.name)


def _deployment(local: Local, settings: SandboxSettings) -> Deployment:
    deployment = find_deployment(local.target, local.stacks)
    url = deployment.parameters.get("BrokerTradingUrl")
    if url != settings.exchange_url:
        raise ConfigurationError(f"the stacks trade at {url}, the exchange is at {settings.exchange_url}; {MEND}")
    prepare_account(local.target, senders=[deployment.parameters["MailFrom"]])
    return deployment


def _wall() -> Wall:
    return Wall(time.monotonic, time.sleep)


def _told(findings: Sequence[Finding]) -> str:
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return f"{findings[0].where}: {findings[0].what}{more}"


@contextmanager
def _only_one(settings: SandboxSettings) -> Iterator[None]:
    """One run-day at a time; a second one is refused at once."""
    try:
        with files.lock(settings.directory / "day.lock", wait_s=0, doing="trading a day"):
            yield
    except ToolError as cause:
        if cause.where == str(settings.directory / "day.lock"):
            raise ConfigurationError(cause.message, where=cause.where) from cause
        raise


@contextmanager
def told_plainly() -> Iterator[None]:
    """What the product's adapters and boto3 raise when the sandbox goes away in the middle of a day."""
    try:
        yield
    except (BotoCoreError, ClientError, AlchemiserError) as cause:
        raise ToolError(f"does not answer as it should: {cause}; run inv sandbox.status", where="sandbox") from cause
