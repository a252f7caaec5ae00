"""The paper exchange as a trading day uses it: set its clock, read its account."""

from datetime import date, time
from typing import Protocol

import httpx

from automation.system.errors import ToolError
from sandbox.evidence import BrokerState
from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl, ExchangeError, ExchangeState, History
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET
from sandbox.exchange.sessions import at_new_york
from sandbox.lifecycle import EXCHANGE
from sandbox.outages import SERVER_ERROR, Outages, UnreachableError, never_wait, survives_outages
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import BrokerError


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

    Every method raises ToolError when the exchange refuses the request, or does not answer for as long as `outages`
    says.
    """

    def __init__(self, url: str, outages: Outages | None = None) -> None:
        self.outages = outages or never_wait(EXCHANGE)
        self._url = url
        self._credentials = Credentials(SANDBOX_KEY, SANDBOX_SECRET)
        self._control = ExchangeControl(url)
        self._broker = Broker(url, url, lambda: self._credentials)

    def close(self) -> None:
        """Close the connections."""
        self._control.close()
        self._broker.close()

    @survives_outages
    def history(self) -> History:
        """Return which symbols and sessions the exchange can replay."""
        try:
            return self._control.history()
        except ExchangeError as cause:
            raise _unavailable(cause) from cause

    @survives_outages
    def clock(self) -> ExchangeState:
        """Return the exchange's clock, with a summary of its account."""
        try:
            return self._control.state()
        except ExchangeError as cause:
            raise _unavailable(cause) from cause

    @survives_outages
    def set_clock(self, session: date, phase: Phase) -> bool:
        """Move the clock to a phase of a session; return False when that moment has passed."""
        try:
            self._control.set_clock(session, phase)
        except ExchangeError as cause:
            if cause.status == httpx.codes.CONFLICT:
                return False
            raise _unavailable(cause) from cause
        return True

    @survives_outages
    def state(self, session: date) -> BrokerState:
        """Return the account now, with the orders submitted in that session."""
        try:
            # The start of the day, in New York: no order of another session is younger.
            orders = self._broker.orders(after=at_new_york(session, time.min))
            return BrokerState(self._broker.account(), self._broker.positions(), orders)
        except BrokerError as cause:
            raise _unavailable(cause) from cause


def _unavailable(cause: ExchangeError | BrokerError) -> ToolError:
    if _is_outage(cause):
        return UnreachableError(str(cause), where=EXCHANGE)
    return ToolError(f"{cause}; run inv sandbox.status, then inv sandbox.up", where=EXCHANGE)


def _is_outage(cause: ExchangeError | BrokerError) -> bool:
    if isinstance(cause, BrokerError):
        return cause.retryable
    return cause.status is None or cause.status >= SERVER_ERROR
