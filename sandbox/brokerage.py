"""The paper exchange as a trading day uses it: set its clock, read its account."""

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

_MAX_ORDERS = 500


class Brokerage(Protocol):
    """The operations of the exchange that a trading day needs."""

    def history(self) -> History: ...

    def clock(self) -> ExchangeState: ...

    def set_clock(self, session: date, phase: Phase) -> bool:
        """Move the clock to a phase of a session; return False when that moment has passed."""
        ...

    def state(self, session: date) -> BrokerState:
        """Return the account now, with the orders submitted in that session."""
        ...


class PaperBrokerage:
    """Brokerage over HTTP, through the same adapter that the product uses.

    Every method raises ToolError when the exchange does not answer or refuses the request.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._credentials = Credentials(SANDBOX_KEY, SANDBOX_SECRET)
        self._control = ExchangeControl(url)
        self._broker = Broker(url, url, lambda: self._credentials)

    def close(self) -> None:
        """Close the connections."""
        self._control.close()
        self._broker.close()

    def history(self) -> History:
        """Return which symbols and sessions the exchange can replay."""
        try:
            return self._control.history()
        except ExchangeError as cause:
            raise _unavailable(cause) from cause

    def clock(self) -> ExchangeState:
        """Return the exchange's clock, with a summary of its account."""
        try:
            return self._control.state()
        except ExchangeError as cause:
            raise _unavailable(cause) from cause

    def set_clock(self, session: date, phase: Phase) -> bool:
        """Move the clock to a phase of a session; return False when that moment has passed."""
        try:
            self._control.set_clock(session, phase)
        except ExchangeError as cause:
            if cause.status == httpx.codes.CONFLICT:
                return False
            raise _unavailable(cause) from cause
        return True

    def state(self, session: date) -> BrokerState:
        """Return the account now, with the orders submitted in that session."""
        try:
            return BrokerState(self._broker.account(), self._broker.positions(), self._orders(session))
        except (BrokerError, httpx.HTTPError) as cause:
            raise _unavailable(cause) from cause

    def _orders(self, session: date) -> tuple[Order, ...]:
        # The product reads orders one at a time, so its adapter cannot list them.
        since = at_new_york(session, time.min)
        params = {"status": "all", "direction": "asc", "limit": str(_MAX_ORDERS), "after": since.isoformat()}
        headers = {"APCA-API-KEY-ID": self._credentials.key, "APCA-API-SECRET-KEY": self._credentials.secret}
        response = httpx.get(f"{self._url}/v2/orders", params=params, headers=headers, trust_env=False, timeout=10)
        return parsing.parse_all(parsing.order, response.raise_for_status().json())


def _unavailable(cause: Exception) -> ToolError:
    return ToolError(f"{cause}; run inv sandbox.status, then inv sandbox.up", where="paper exchange")
