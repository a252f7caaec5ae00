"""`inv reconcile`: compare the account with the books, the lots of the strategies and the last plan; accept it.

Exit code 0: account and books agree. Exit code 3: they differ, each difference is a finding; or it cannot be said yet,
because an order of a run may still fill.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from automation.deploying import consent
from automation.system import console
from automation.system.errors import CheckFailedError, Finding
from desk.operations import reconciliation
from desk.operations.environment import Environment, connect
from desk.operations.reconciliation import Reconciliation
from the_alchemiser.coordinator_v2.service import SWEPT_SESSIONS
from the_alchemiser.coordinator_v2.settlement import EXECUTION_WINDOW
from the_alchemiser.shared import formats
from the_alchemiser.shared.books.checks import BooksCheck, CheckState, awaited_splits
from the_alchemiser.shared.books.reconciling import Brokerage, Look, Recent, Reconciler, held_by
from the_alchemiser.shared.books.store import BooksStore
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED, Ledger
from the_alchemiser.shared.ledger.lots import holdings
from the_alchemiser.shared.market_data.calendar import LOOK_BACK
from the_alchemiser.shared.market_data.corporate_actions import read_actions
from the_alchemiser.shared.run.progress import plan_of
from the_alchemiser.shared.run.runs import Run, RunStore, runs_of_day
from the_alchemiser.shared.threads import map_in_threads
from the_alchemiser.shared.values import Clock, Session

_COLUMNS = ("symbol", "broker", "books", "strategies", "nobody's", "last plan", "notes")
_WINDOW = f"{EXECUTION_WINDOW.total_seconds():.0f} s"


class Broker(Brokerage, Protocol):
    """The broker, as this command needs it."""

    def clock(self) -> Clock: ...
    def calendar(self, start: date, end: date) -> tuple[Session, ...]: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the facts come from. `account` is the number of the environment's account; empty for any."""

    stage: str
    account: str
    broker: Broker
    runs: RunStore
    ledger: Ledger
    books: BooksStore
    actions: CorporateActions


@dataclass(frozen=True, slots=True)
class Moment:
    """The broker's time, and its sessions of the last two weeks, ascending."""

    now: datetime
    sessions: Sequence[Session]

    @property
    def today(self) -> date:
        return market_date(self.now)

    @property
    def session(self) -> Session | None:
        """Return today's session; None on a day without one."""
        return next((session for session in self.sessions if session.date == self.today), None)


def reconcile(
    root: Path,
    name: str,
    *,
    accept: bool = False,
    yes: bool = False,
    as_json: bool = False,
    connect: Callable[[Path, str], Environment] = connect,
    is_interactive: Callable[[], bool] = console.is_interactive,
    ask: Callable[[str], str] = console.ask,
) -> None:
    """Show the account beside books, lots and plan; with `accept`, make what the account holds the new books.

    Args:
        yes: the acceptance is confirmed on the command line.
        ask: asks a question on the terminal.

    Raises:
        AutomationError: the environment cannot be used, AWS or the broker does not answer, or nobody confirmed.
        CheckFailedError: the account differs, or nobody can say yet; with `accept`, it cannot be accepted now.
    """
    environment = connect(root, name)
    if accept:
        guards = environment.scope.environment
        consent.require_possible(guards, yes=yes, is_interactive=is_interactive(), command="reconcile --accept")
    with environment.errors(), closing(environment.broker()) as broker:
        sources = _sources(environment, broker)
        state = gather(sources)
        show(state, name, as_json=as_json)
        if not accept or not state.differences:
            _report(state, name, as_json=as_json)
            return
        if not yes:
            consent.confirm(f"accept what {name} holds", environment.scope.environment, ask=ask)
        accepted = accept_shown(sources, state, by=environment.caller(), environment=name)
    if not as_json:
        console.result(f"accepted by {accepted.accepted_by}: the next check starts from {_holdings(accepted)}")


def gather(sources: Sources) -> Reconciliation:
    """Read everything once, and compare; without a look while an order of a run may still fill.

    Raises:
        WrongAccountError: the broker's keys are those of another account.
    """
    moment = _moment(sources.broker)
    stored = sources.books.latest()
    check = None if stored is None else stored.check
    look = None if check is None else _look(sources, check, moment)
    held = held_by(sources.broker) if look is None else look.held
    account = sources.broker.account().number if look is None else look.account

    run = _latest_planned(sources, moment)
    expected = set() if look is None else set(look.expected)
    owned = _owned(sources, held.keys() | expected, moment.today)
    unsettled = () if check is None or look is not None else _reconciler(sources).unsettled(check, _recent(moment))
    return Reconciliation(account, check, look, reconciliation.rows(held, look, owned, run), run, unsettled)


def accept_shown(sources: Sources, shown: Reconciliation, *, by: str, environment: str) -> BooksCheck:
    """Read the account again, and store what it holds as accepted if it still differs as it was shown.

    Raises:
        CheckFailedError: it differs in another way now, a split is not booked yet, or somebody else was first.
    """
    moment, check = _moment(sources.broker), shown.check
    held = () if shown.look is None else shown.look.held
    splits = awaited_splits(sources.actions, held, moment.session, moment.now)
    if splits:
        what = f"{', '.join(splits)}: today's split may not be booked yet; accept after the open, at 09:30 in New York"
        raise CheckFailedError(what, where=environment)

    look = None if check is None else _look(sources, check, moment)
    if check is None or look is None or look.differences != shown.differences:
        message = f"the account has changed meanwhile; run inv reconcile --env {environment} --accept again"
        raise CheckFailedError(message, where=environment)
    accepted = look.check(check.trading_date, check, accepted_by=by)
    # Conditional on the check that was shown: the coordinator, or somebody else, may have stored another one.
    if not sources.books.replace(accepted, previous=check):
        message = f"the books have changed meanwhile; run inv reconcile --env {environment} again"
        raise CheckFailedError(message, where=environment)
    return accepted


def show(state: Reconciliation, environment: str, *, as_json: bool) -> None:
    """Print the reconciliation."""
    if as_json:
        console.result_json(reconciliation.as_json(state, environment=environment))
        return
    console.result(f"account    {state.account or 'without a number'}")
    console.result(f"books      {_check_text(state.check)}")
    console.result(f"last plan  {'none' if state.run is None else f'{state.run.run_id}, {state.run.state}'}")
    shown = [
        (
            row.symbol,
            *map(_shares, (row.broker, row.books, row.strategies, row.nobodys, row.target)),
            "; ".join(row.notes),
        )
        for row in state.rows
    ]
    console.table(_COLUMNS, shown, right=_COLUMNS[1:6])


def _report(state: Reconciliation, environment: str, *, as_json: bool) -> None:
    if state.is_waiting:
        finding = Finding(
            environment,
            f"an order of {', '.join(state.unsettled) or 'a run'}, which is not settled, may still fill",
            f"inv trading.sweep --env {environment}, {_WINDOW} after the end of the run or later; then this again",
        )
        message = "account and books cannot be compared yet"
        raise CheckFailedError(message, where=environment, findings=() if as_json else (finding,))
    if state.differences:
        findings = reconciliation.findings(state.differences, environment)
        message = f"account and books differ in {formats.plural(len(findings), 'place')}"
        raise CheckFailedError(message, where=environment, findings=() if as_json else findings)
    if not as_json:
        agree = "the books are opened by the first run" if state.check is None else "account and books agree"
        console.result(agree, style="bold green")


def _sources(environment: Environment, broker: Any) -> Sources:
    return Sources(
        stage=environment.stage,
        account=environment.parameters.get("BrokerAccount", ""),
        broker=broker,
        runs=environment.runs(),
        ledger=environment.ledger(),
        books=environment.books(),
        actions=read_actions(environment.objects()),
    )


def _reconciler(sources: Sources) -> Reconciler:
    return Reconciler(
        sources.stage, sources.account, sources.broker, sources.runs, sources.ledger, lambda: sources.actions
    )


def _moment(broker: Broker) -> Moment:
    now = broker.clock().timestamp
    today = market_date(now)
    return Moment(now, broker.calendar(today - LOOK_BACK, today))


def _look(sources: Sources, check: BooksCheck, moment: Moment) -> Look | None:
    reconciler = _reconciler(sources)
    # Checked first: with keys of another account no run is ever settled, and a look would only say "not yet".
    reconciler.account_number()
    return reconciler.look(check, _recent(moment), moment.now)


def _recent(moment: Moment) -> Recent:
    return Recent.unread(moment.today, settles_since=moment.sessions[-SWEPT_SESSIONS:][0].date)


def _latest_planned(sources: Sources, moment: Moment) -> Run | None:
    for session in reversed(moment.sessions):
        for run in reversed(runs_of_day(sources.runs, sources.stage, session.date)):
            if plan_of(run) is not None:
                return run
    return None


def _owned(sources: Sources, symbols: set[str], today: date) -> Any:
    entries = chain.from_iterable(map_in_threads(sources.ledger.entries_of, symbols).values())
    owned = holdings(entries, sources.actions.until(today))
    return {owner: shares for owner, shares in owned.items() if owner != UNATTRIBUTED}


def _check_text(check: BooksCheck | None) -> str:
    if check is None:
        return "none before the first run"
    by = f" by {check.accepted_by}" if check.state is CheckState.ACCEPTED else ""
    return f"{check.state} on {check.trading_date}{by}"


def _shares(shares: Any) -> str:
    return "" if shares is None else formats.shares(shares)


def _holdings(check: BooksCheck) -> str:
    return formats.plural(len(check.holdings), "holding")
