"""An account at the paper exchange that trades for two strategies, with the product's own ledger and metrics.

Only the ten functions are missing: the orders are sent, entered and reported as they do it.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import unquote, urlsplit

from sandbox.exchange import corporate_actions
from sandbox.exchange.account import AccountMode
from sandbox.exchange.activities import Entry
from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.exchange import AccountTerms, Exchange, opening_state
from sandbox.exchange.faults import Fault
from sandbox.exchange.history import BarSeries
from sandbox.exchange.market import Market
from sandbox.exchange.service import Venue
from sandbox.exchange.sessions import session_on, sessions_between
from sandbox.exchange.store import NoStore
from tests.the_alchemiser.fakes import InMemoryLedger
from the_alchemiser.metrics_v2.performance import compute_performances
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import BrokerRejectionError
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.broker.transport import Request, Response
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.ledger.order_entries import TradeFacts, client_order_id, entries_of_trade
from the_alchemiser.shared.messaging.messages import Mark, RunCompleted, envelope
from the_alchemiser.shared.performance.rows import Performance
from the_alchemiser.shared.values import Side

FIRST_DAY = date(2022, 3, 14)
DAYS = tuple(session.date for session in sessions_between(FIRST_DAY, FIRST_DAY + timedelta(days=13)))
SPLIT_SYMBOL = "WHOLE"
"""It cannot be held in fractions, and splits ten to one on the fifth day."""
SPLIT_DAY = DAYS[4]


class VenueTransport:
    """The product's Transport, without sockets."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def close(self) -> None:
        """Do nothing: no socket is open."""

    def send(self, request: Request) -> Response:
        path = unquote(urlsplit(request.url).path)
        answer = self._venue.respond(request.method, path, dict(request.params), dict(request.body or {}))
        return Response(answer.status, dict(answer.headers), json.dumps(answer.payload).encode())


class LittleAccount:
    """An account with 10,000 USD."""

    def __init__(self, closes: Mapping[str, Sequence[float]]) -> None:
        market = Market({symbol: BarSeries(symbol, list(DAYS), list(own), None) for symbol, own in closes.items()})
        action = corporate_actions.CorporateAction(
            type="reverse_split", symbol=SPLIT_SYMBOL, ex_date=SPLIT_DAY, old_rate=Decimal(10)
        )
        market.actions.plant(action)
        terms = AccountTerms(Decimal(10_000), AccountMode.CASH, frozenset({SPLIT_SYMBOL}))
        self.exchange = Exchange(market, opening_state(market, terms))
        self.venue = Venue(self.exchange, NoStore())
        keys = Credentials(key="sandbox-key", secret="sandbox-secret")
        self.broker = Broker("http://paper", "http://paper", lambda: keys, transport=VenueTransport(self.venue))
        self.ledger = InMemoryLedger()
        self.trades = 0
        session = session_on(SPLIT_DAY)
        assert session is not None
        price = market.price(SPLIT_SYMBOL, session.opens)
        split = CorporateAction(
            SPLIT_SYMBOL, SPLIT_DAY, CorporateActionKind.SPLIT, Decimal(10), Decimal(1), price or Decimal(0)
        )
        self.actions = CorporateActions((split,))

    def go_to(self, day: date, phase: Phase = Phase.BEFORE_CLOSE) -> None:
        self.exchange.set_clock(clock_at_phase(self.exchange.market, day, phase))

    def book(self, kind: str, amount: str) -> None:
        """Book a deposit, a fee or the like, unless it would take more than the account has."""
        if Decimal(amount) + self.exchange.account.settled_buying_power() >= 0:
            self.exchange.book(Entry(kind, Decimal(amount)))

    def trade(
        self, run_id: str, symbol: str, signed: Decimal, deltas: Mapping[str, Decimal], *, is_partial: bool = False
    ) -> None:
        """Trade signed shares, and enter the fills; nothing when the broker refuses the order."""
        side, quantity = Side.BUY if signed > 0 else Side.SELL, abs(signed)
        self.trades += 1
        trade_id = f"{run_id}-{side.value}-{symbol}-{self.trades}"
        if is_partial:
            self.venue.faults.plant(Fault(kind="partial_fill", symbol=symbol, fraction=0.4))
        request = OrderRequest(symbol, side, quantity, OrderType.MARKET, client_order_id(trade_id, 1))
        planned = self.broker.latest_trades([symbol])[symbol].price
        try:
            order = self.broker.submit(request)
        except BrokerRejectionError:
            return
        finally:
            self.venue.faults.clear()
        if not self.broker.order(order.id).is_done:
            self.broker.cancel(order.id)
        facts = TradeFacts(trade_id, run_id, symbol, side, quantity, deltas, planned)
        for entry in entries_of_trade(facts, [self.broker.order(order.id)]):
            self.ledger.record(entry)

    def complete(self, run_id: str, day: date, equity_before: Decimal) -> RunCompleted:
        """Return the result of a run that completes now."""
        at, account = self.broker.clock().timestamp, self.broker.account()
        return RunCompleted(
            **envelope(RunCompleted, run_id, occurred_at=at),
            trading_date=day,
            as_of=day - timedelta(days=1),
            weights={},
            outcomes=(),
            positions=tuple(
                Mark(symbol=position.symbol, quantity=position.quantity, price=position.current_price or Decimal(0))
                for position in self.broker.positions()
            ),
            equity_before=equity_before,
            equity_after=account.equity,
            cash_after=account.cash,
            degraded=False,
        )

    def rows_of(self, run: RunCompleted) -> tuple[Performance, ...]:
        """Return the rows that metrics_v2 computes now from the message about a run."""
        return compute_performances(run, self.ledger.entries.values(), self.actions, self.broker.activities())
