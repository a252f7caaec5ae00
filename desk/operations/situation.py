"""What the commands of the person on duty look at before they act: switch, market, account, runs, data, books."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from desk.operations import orders
from desk.operations.environment import Environment
from desk.operations.orders import OrderBook
from desk.operations.switch import Setting, Switch
from the_alchemiser.coordinator_v2.admission import StartRefusal, TradingDay, refuse_verdict, trading_day
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.broker.account_check import WrongAccountError, require_account
from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.broker.models import Account, Order
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.market_data.calendar import LOOK_BACK, Exchange
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError, read_verdict
from the_alchemiser.shared.run.runs import Run, RunStore, runs_of_day
from the_alchemiser.shared.values import Clock


class Brokerage(Exchange, OrderBook, Protocol):
    """The calls to the broker; broker.client.Broker is the real one."""

    def account(self) -> Account:
        """Return the current state of the account."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the situation comes from.

    Attributes:
        verdict: reads the lake's quality verdict.
        books: reads the latest check of the books.
        account: the number of the account that the environment trades; empty for any.
        now: returns the wall clock; its date counts while the broker does not answer.
    """

    switch: Switch
    broker: Brokerage
    runs: RunStore
    verdict: Callable[[], Verdict | None]
    books: Callable[[], BooksCheck | None]
    account: str
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Market:
    """What the broker answered.

    Attributes:
        day: today's session, or why today is none.
        wrong_account: why this is not the environment's account; empty when it is.
        open_orders: everybody's.
    """

    clock: Clock
    day: TradingDay | StartRefusal
    account: Account
    wrong_account: str
    open_orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the commands know before they act.

    Attributes:
        market: None when the broker does not answer; `broker_error` then says why.
        date: the broker's date; the one in New York when the broker does not answer.
        runs: today's, the latest one last.
        data: why today's run could not use the market data; None when it can, or today is not a session.
        books: the latest check; None before the first.
    """

    switch: Setting
    market: Market | None
    broker_error: str
    date: date
    runs: tuple[Run, ...]
    data: StartRefusal | None
    books: BooksCheck | None

    @property
    def latest_run(self) -> Run | None:
        """Return today's latest run; None before the first."""
        return self.runs[-1] if self.runs else None


def sources_of(environment: Environment, broker: Brokerage, *, now: Callable[[], datetime]) -> Sources:
    """Return the sources of a deployed environment; no call is made yet."""

    def books() -> BooksCheck | None:
        stored = environment.books().latest()
        return None if stored is None else stored.check

    return Sources(
        switch=environment.switch(),
        broker=broker,
        runs=environment.runs(),
        verdict=lambda: read_verdict(environment.objects()),
        books=books,
        account=environment.parameters.get("BrokerAccount", ""),
        now=now,
    )


def gather(sources: Sources, stage: str) -> Situation:
    """Ask AWS and the broker; a broker that does not answer is part of the result.

    Raises:
        ClientError, BotoCoreError, StateUnavailableError: AWS refused a request or does not answer.
    """
    switch = sources.switch.read()
    try:
        market, broker_error = _market(sources.broker, sources.account), ""
    except BrokerError as error:
        market, broker_error = None, str(error)
    today = market_date(market.clock.timestamp if market else sources.now())
    return Situation(
        switch=switch,
        market=market,
        broker_error=broker_error,
        date=today,
        runs=runs_of_day(sources.runs, stage, today),
        data=_refuse_data(sources.verdict, market),
        books=sources.books(),
    )


def _market(broker: Brokerage, expected_account: str) -> Market:
    clock = broker.clock()
    today = market_date(clock.timestamp)
    day = trading_day(clock, broker.calendar(today - LOOK_BACK, today))
    account = broker.account()
    return Market(
        clock, day, account, _refuse_account(account, expected_account), orders.open_orders(broker, clock.timestamp)
    )


def _refuse_account(account: Account, expected: str) -> str:
    try:
        require_account(account, expected)
    except WrongAccountError as error:
        return str(error)
    return ""


def _refuse_data(verdict: Callable[[], Verdict | None], market: Market | None) -> StartRefusal | None:
    if market is None or isinstance(market.day, StartRefusal):
        return None
    try:
        return refuse_verdict(verdict(), market.day.as_of)
    except VerdictMalformedError as error:
        return StartRefusal(reason=error.reason, detail=str(error))
