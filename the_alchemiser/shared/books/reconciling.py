"""Reads what a check of the books needs, and compares: the coordinator and people's command look in the same way."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Literal, Protocol

from the_alchemiser.shared.books.checks import (
    BooksCheck,
    CheckState,
    Evidence,
    Expected,
    compare,
    expected_holdings,
    explain,
)
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.broker.models import Account, Order, Position
from the_alchemiser.shared.corporate_actions import CorporateActionKind, CorporateActions
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.runs import Run, RunStore
from the_alchemiser.shared.threads import map_in_threads

_ONE_DAY = timedelta(days=1)
# The orders since an old check may be many; older ones explain nothing that is of use now.
_EXPLAINED = timedelta(days=7)


class Brokerage(Protocol):
    """The broker, as a look needs it."""

    def account(self) -> Account: ...
    def positions(self) -> tuple[Position, ...]: ...
    def orders(self, *, after: datetime, status: Literal["open", "closed", "all"] = "all") -> tuple[Order, ...]: ...


class Recent(Frozen):
    """The runs of the latest days, as they were read before the look.

    Attributes:
        since: the first of these days; a look reads the runs of earlier days when it needs them.
        settles_since: the first day whose runs the sweeps still settle.
    """

    runs: Sequence[Run]
    since: date
    settles_since: date

    @classmethod
    def unread(cls, today: date, *, settles_since: date) -> "Recent":
        """Return that no run was read before the look."""
        return cls((), today + _ONE_DAY, settles_since)

    def is_unsettled(self, run: Run) -> bool:
        """Return whether an order of the run may still fill, or a fill may still come into the ledger."""
        return run.trading_date >= self.settles_since and not run.settled


class Look(Frozen):
    """What the broker shows at one moment, and what the books say about it.

    Attributes:
        at: business time, UTC.
        account: the number of the account.
        held: shares by symbol, as the broker reports them.
        runs: the runs of that day, whose fills both contain.
    """

    at: datetime
    account: str
    held: Mapping[str, Decimal]
    expected: Mapping[str, Expected]
    differences: tuple[Difference, ...]
    runs: tuple[str, ...]

    def check(self, trading_date: date, base: BooksCheck, *, accepted_by: str = "") -> BooksCheck:
        """Return the check of a trading day that follows from this look.

        Args:
            base: what the look started from.
            accepted_by: the person who accepts the differences, if one does.
        """
        if self.differences and not accepted_by:
            return BooksCheck(
                trading_date=trading_date,
                state=CheckState.DIFFERS,
                checked_at=self.at,
                holdings=base.holdings,
                held_at=base.held_at,
                account=base.account,
                runs=base.runs,
                differences=self.differences,
            )
        return BooksCheck(
            trading_date=trading_date,
            state=CheckState.ACCEPTED if self.differences else CheckState.AGREED,
            checked_at=self.at,
            holdings=self.held,
            held_at=self.at,
            account=self.account,
            runs=self.runs,
            differences=self.differences,
            accepted_by=accepted_by if self.differences else "",
        )


class Reconciler(Frozen):
    """Compares the account with the books.

    Attributes:
        account: the number of the account that the environment trades; empty for any.
        actions: returns the known corporate actions.
    """

    stage: str
    account: str
    broker: Brokerage
    runs: RunStore
    ledger: Ledger
    actions: Callable[[], CorporateActions]

    def open(self, trading_date: date, now: datetime, runs: Iterable[Run]) -> BooksCheck:
        """Return the first check: the books begin with what the account holds.

        Args:
            trading_date: the session before the first run.
            now: the broker's time.
            runs: those of today until now, all settled.

        Raises:
            AlchemiserError: the broker cannot answer now, or the account is not the environment's.
        """
        account = self.account_number()
        return BooksCheck(
            trading_date=trading_date,
            state=CheckState.OPENED,
            checked_at=now,
            holdings=held_by(self.broker),
            held_at=now,
            account=account,
            runs=tuple(run.run_id for run in runs),
        )

    def look(self, base: BooksCheck, recent: Recent, now: datetime) -> Look | None:
        """Compare the account with the books; None while an order of a run may not be final.

        Args:
            base: the latest check.
            now: the broker's time.

        Raises:
            AlchemiserError: the broker or a store cannot answer now, or the account is not the environment's.
        """
        known: list[Run] = []
        for run in self._runs(base, recent):
            if recent.is_unsettled(run):
                return None
            known.append(run)
        today = market_date(now)
        account = self.account_number()
        counted = tuple(run for run in known if not base.includes(run))
        held, resting = held_by(self.broker), self.broker.orders(after=_listed_from(base, now), status="open")
        books = _Books(base, self.ledger, [run.run_id for run in counted], self.actions(), today)

        expected = books.expected()
        differences = compare(expected, held, resting, stage=self.stage)
        if differences:
            # The index by run may lag behind a fill that was entered a moment ago.
            expected = books.expected_again({difference.symbol for difference in differences})
            differences = compare(expected, held, resting, stage=self.stage)
        if differences:
            differences = self._explained(differences, base, books, account, now)

        of_today = [run.run_id for run in counted if run.trading_date == today]
        included = base.runs if base.held_on == today else ()
        return Look(now.astimezone(UTC), account, held, expected, differences, (*included, *of_today))

    def unsettled(self, base: BooksCheck, recent: Recent) -> tuple[str, ...]:
        """Return the ids of the runs for which a look waits.

        Raises:
            AlchemiserError: a store cannot answer now.
        """
        return tuple(run.run_id for run in self._runs(base, recent) if recent.is_unsettled(run))

    def account_number(self) -> str:
        """Return the number of the account.

        Raises:
            WrongAccountError: it is not the environment's account.
        """
        account = self.broker.account()
        require_account(account, self.account)
        return account.number

    def _runs(self, base: BooksCheck, recent: Recent) -> Iterator[Run]:
        return chain(recent.runs, self._earlier(base, recent))

    def _earlier(self, base: BooksCheck, recent: Recent) -> Iterator[Run]:
        """Yield the runs since the base that were not read yet, the latest day first: its runs settle last."""
        day = recent.since - _ONE_DAY
        while day >= base.held_on:
            for run_id in self.runs.runs_on(day):
                run = self.runs.load(run_id)
                if run is not None:
                    yield run
            day -= _ONE_DAY

    def _explained(
        self, differences: Sequence[Difference], base: BooksCheck, books: "_Books", account: str, now: datetime
    ) -> tuple[Difference, ...]:
        changed = f"the books are those of account {base.account}, the broker's keys belong to {account}"
        evidence = Evidence(
            orders=self.broker.orders(after=_listed_from(base, now)),
            recorded=books.recorded(),
            split=books.split(),
            account="" if account == base.account else changed,
        )
        return explain(differences, evidence, stage=self.stage)


class _Books:
    """The fills of some runs, and what they make of the holdings of a check."""

    def __init__(
        self, base: BooksCheck, ledger: Ledger, runs: Sequence[str], actions: CorporateActions, today: date
    ) -> None:
        self._base = base
        self._ledger = ledger
        self._runs = runs
        self._actions = actions
        self._today = today
        self._entries: dict[tuple[str, str], LedgerEntry] = {}

    def expected(self) -> Mapping[str, Expected]:
        """Return what the account must hold, by the ledger's index of runs."""
        for run_id in self._runs:
            self._add(self._ledger.entries_of_run(run_id))
        return expected_holdings(self._base, self._entries.values(), self._actions, through=self._today)

    def expected_again(self, symbols: Iterable[str]) -> Mapping[str, Expected]:
        """Return the same after a strongly consistent read of these symbols."""
        fills = chain.from_iterable(map_in_threads(self._ledger.entries_of, symbols).values())
        self._add(entry for entry in fills if entry.run_id in self._runs)
        return expected_holdings(self._base, self._entries.values(), self._actions, through=self._today)

    def recorded(self) -> frozenset[str]:
        """Return the broker's ids of the orders that filled."""
        return frozenset(entry.order_id for entry in self._entries.values())

    def split(self) -> frozenset[str]:
        """Return the symbols with a split since the holdings."""
        return frozenset(
            action.symbol
            for action in self._actions.actions
            if action.kind is CorporateActionKind.SPLIT and self._base.held_on <= action.ex_date <= self._today
        )

    def _add(self, entries: Iterable[LedgerEntry]) -> None:
        self._entries.update({(entry.order_id, entry.fill): entry for entry in entries})


def _listed_from(base: BooksCheck, now: datetime) -> datetime:
    return max(base.held_at, now.astimezone(UTC) - _EXPLAINED)


def held_by(broker: Brokerage) -> Mapping[str, Decimal]:
    """Return the shares that the account holds, by symbol as the broker spells it."""
    return {position.symbol: position.quantity for position in broker.positions()}
