"""The paper exchange as a trading day sees it: its clock is set, its account is read."""

from datetime import date, time
from typing import Protocol

import httpx

from automation.system.errors import ToolError
from sandbox.evidence import BrokerState
from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl, ExchangeError, ExchangeState, History
from sandbox.exchange.service import SANDBOX_KEY, SANDBOX_SECRET
from sandbox.exchange.sessions import at_new_york
from the_alchemiser.shared.broker import parsing
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.broker.models import Order

_ORDERS_AT_MOST = 500


class Brokerage(Protocol):
    """What a day needs of the exchange."""

    def history(self) -> History: ...

    def clock(self) -> ExchangeState: ...

    def set_clock(self, session: date, phase: Phase) -> bool:
        """Move the clock to a phase of a session; False when that moment has passed."""
        ...

    def state(self, session: date) -> BrokerState:
        """The account now, with the orders submitted in that session."""
        ...


class PaperBrokerage:
    """Brokerage over HTTP, by the same adapter as the product's."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._credentials = Credentials(SANDBOX_KEY, SANDBOX_SECRET)
        self._control = ExchangeControl(url)
        self._broker = Broker(url, url, lambda: self._credentials)

    def close(self) -> None:
        """Return the sockets."""
        self._control.close()
        self._broker.close()

    def history(self) -> History:
        """What the exchange can replay."""
        try:
            return self._control.ready()
        except ExchangeError as cause:
            raise _down(cause) from cause

    def clock(self) -> ExchangeState:
        """Where its time stands."""
        try:
            return self._control.state()
        except ExchangeError as cause:
            raise _down(cause) from cause

    def set_clock(self, session: date, phase: Phase) -> bool:
        """Move the clock to a phase of a session; False when that moment has passed."""
        try:
            self._control.set_clock(session, phase)
        except ExchangeError as cause:
            if cause.status == httpx.codes.CONFLICT:
                return False
            raise _down(cause) from cause
        return True

    def state(self, session: date) -> BrokerState:
        """The account now, with the orders submitted in that session."""
        try:
            return BrokerState(self._broker.account(), self._broker.positions(), self._orders(session))
        except (BrokerError, httpx.HTTPError) as cause:
            raise _down(cause) from cause

    def _orders(self, session: date) -> tuple[Order, ...]:
        # The product asks for orders one by one, so its adapter has no list of them.
        since = at_new_york(session, time.min)
        params = {"status": "all", "direction": "asc", "limit": str(_ORDERS_AT_MOST), "after": since.isoformat()}
        headers = {"APCA-API-KEY-ID": self._credentials.key, "APCA-API-SECRET-KEY": self._credentials.secret}
        answer = httpx.get(f"{self._url}/v2/orders", params=params, headers=headers, trust_env=False, timeout=10)
        return parsing.parse_all(parsing.order, answer.raise_for_status().json())


def _down(cause: Exception) -> ToolError:
    return ToolError(f"{cause}; run inv sandbox.status, then inv sandbox.up", where="paper exchange")
