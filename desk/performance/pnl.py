"""`inv pnl`: the figures of the account and its strategies, and whether they agree with the broker.

Exit code 0: the books agree with the broker to the cent. Exit code 3: they differ; each difference is a finding.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Protocol

from automation.system import console
from automation.system.errors import CheckFailedError, Finding, UsageError
from desk.operations.environment import Environment, connect
from desk.performance import pnl_json, pnl_text
from desk.performance.live_books import Live, LiveBooks, Since, compare_live
from desk.performance.report import Report
from the_alchemiser.shared import formats
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.broker.models import Account, Activity, Position
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.ledger.ledger import Ledger
from the_alchemiser.shared.market_data.corporate_actions import read_actions
from the_alchemiser.shared.performance.figures import History
from the_alchemiser.shared.performance.rows import Performance
from the_alchemiser.shared.performance.table import DynamoPerformances
from the_alchemiser.shared.threads import map_in_threads
from the_alchemiser.shared.values import Clock

_ATTEMPTS = 5


class Broker(Protocol):
    """The broker, as this command needs it."""

    def account(self) -> Account: ...
    def activities(self, *, after: datetime | None = None) -> tuple[Activity, ...]: ...
    def clock(self) -> Clock: ...
    def positions(self) -> tuple[Position, ...]: ...


class Performances(Protocol):
    """The Performance table, as this command needs it."""

    def history(self, *, since: date | None = None) -> History: ...
    def traded(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts come from. `account` is the number of the environment's account; empty for any."""

    account: str
    broker: Broker
    performances: Performances
    ledger: Ledger
    actions: Callable[[], CorporateActions]


def sources_of(environment: Environment, broker: Broker) -> Sources:
    """Return the sources of a deployed environment; no call is made yet."""
    return Sources(
        account=environment.parameters.get("BrokerAccount", ""),
        broker=broker,
        performances=DynamoPerformances(environment.client("dynamodb"), environment.output("PerformanceTable")),
        ledger=environment.ledger(),
        actions=lambda: read_actions(environment.objects()),
    )


def pnl(
    root: Path,
    name: str,
    *,
    strategy: str = "",
    since: str = "",
    as_json: bool = False,
    connect: Callable[[Path, str], Environment] = connect,
    sources_of: Callable[[Environment, Broker], Sources] = sources_of,
) -> None:
    """Print the figures of the environment `name`; docs/performance.md defines them, pnl_json.py describes the JSON.

    Args:
        strategy: show only this one, or `unattributed`.
        since: the first trading date, such as 2022-03-16; all by default.

    Raises:
        UsageError: the environment or strategy does not exist, or `since` is not a date.
        AutomationError: the environment cannot be used, or AWS or the broker does not answer.
        CheckFailedError: books and broker differ.
    """
    first = _date(since) if since else None
    environment = connect(root, name)
    with environment.errors(), closing(environment.broker()) as broker:
        report = gather(sources_of(environment, broker), name, strategy=strategy, since=first)
    if as_json:
        console.result_json(pnl_json.as_json(report))
    else:
        pnl_text.show(report)
    _require_agreement(report, as_json=as_json)


def gather(sources: Sources, environment: str, *, strategy: str = "", since: date | None = None) -> Report:
    """Read the rows, and compare the books with the broker as it is now.

    Raises:
        UsageError: no row is that of this strategy.
        WrongAccountError: the broker's keys are those of another account.
    """
    history = sources.performances.history(since=since)
    if strategy and strategy not in history.names:
        known = ", ".join(history.names) or "none yet"
        raise UsageError(f"there are no figures of {strategy}; there are those of: {known}", where="--strategy")
    books = compare_with_broker(sources, history.account[-1]) if history.account else None
    return Report(environment, history, strategy, since, books)


def compare_with_broker(sources: Sources, row: Performance) -> LiveBooks:
    """Compare the account's row of the last run, carried forward, with the broker.

    Raises:
        WrongAccountError: the broker's keys are those of another account.
    """
    live = _live(sources)
    symbols = {*row.holdings, *sources.performances.traded(), *(position.symbol for position in live.positions)}
    entries = chain.from_iterable(map_in_threads(sources.ledger.entries_of, sorted(symbols)).values())
    since = Since(
        fills=[entry for entry in entries if entry.filled_at > row.completed_at],
        activities=[
            activity
            for activity in sources.broker.activities(after=row.completed_at)
            if row.completed_at < activity.booked_at <= live.at
        ],
        actions=sources.actions(),
    )
    return compare_live(row, since, live)


def _live(sources: Sources) -> Live:
    """Read account and positions at one moment.

    Prices move between two requests: the account is read before and after the positions, until both are equal.
    """
    account = sources.broker.account()
    require_account(account, sources.account)
    for _ in range(_ATTEMPTS):
        positions, before = sources.broker.positions(), account
        account = sources.broker.account()
        if account == before:
            break
    at = sources.broker.clock().timestamp
    return Live(at, account, positions, is_moving=account != before)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(f"{text!r} is not a date; write it as 2022-03-16", where="--since") from cause


def _require_agreement(report: Report, *, as_json: bool) -> None:
    if report.books is None or not report.books.differences:
        return
    fix = f"run inv reconcile --env {report.environment}"
    parts = [difference.partition(": ") for difference in report.books.differences]
    findings = [Finding(where, what, fix) for where, _, what in parts]
    message = f"{pnl_text.equities(report.books)}: they differ in {formats.plural(len(findings), 'place')}"
    raise CheckFailedError(message, where=report.environment, findings=() if as_json else findings)
