"""Settles the orders of runs that have ended: cancels what rests, records what filled. Places no order.

A trade whose execution gave up, or whose run failed meanwhile, may have left an order at the broker. Nobody else looks
at it again, so every sweep does, until all orders of the run are final and all fills are in the ledger.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from the_alchemiser.coordinator_v2.settlement import Review, is_window_over, review, sent_trades
from the_alchemiser.shared import aws
from the_alchemiser.shared.broker.account_check import require_account
from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.broker.models import Account, Order
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.ledger.ledger import Ledger, LedgerEntry
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import RunSettled, envelope
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.runs import SETTLEMENT, Run, RunItem, RunStore

# A sweep has 30 s and shares the broker's rate limit with others. What is left is cancelled by the next sweep.
CANCELS_AT_MOST = 50

logger = logging.getLogger(__name__)


class Brokerage(Protocol):
    """The broker, as the sweep needs it."""

    def account(self) -> Account: ...
    def orders(self, *, after: datetime) -> tuple[Order, ...]: ...
    def cancel(self, order_id: str) -> None: ...


class OrderSettler(Frozen):
    """Settles runs.

    Attributes:
        now: returns the wall clock, UTC.
        account: the number of the account that the environment trades; empty for any.
    """

    runs: RunStore
    broker: Brokerage
    ledger: Ledger
    now: Callable[[], datetime]
    account: str = ""

    def settle(self, run: Run, *, opened_at: datetime, at: datetime) -> None:
        """Bring the run, which has ended, closer to settled. A failure is logged and left to the next sweep.

        No failure leaves this method, so that a sweep always reports the runs that have failed.

        Args:
            opened_at: when the session of the run opened.
            at: business time, UTC.
        """
        try:
            self._settle(run, opened_at, at)
        except AlchemiserError as error:
            logger.warning("run not settled", extra={"run_id": run.run_id, "detail": str(error)})
        except (aws.BotoCoreError, aws.ClientError):
            logger.exception("run not settled", extra={"run_id": run.run_id})

    def _settle(self, run: Run, opened_at: datetime, at: datetime) -> None:
        if not sent_trades(run):
            # A run that has ended releases no further trades, so no order can follow.
            self.runs.mark_settled(run.run_id)
            return

        if self.account:
            # Another account knows nothing of the run: its orders would seem to be final, without a fill.
            require_account(self.broker.account(), self.account)
        # Read before the orders are: an order that leaves at the very end of the window must be among them.
        is_over = is_window_over(run, self.now(), at)
        state = review(run, self.broker.orders(after=opened_at))
        if state.open:
            self._cancel(state.open)
            state = review(run, self.broker.orders(after=opened_at))
        self._record(run.run_id, state.entries)

        if state.open or not is_over:
            logger.warning("run not settled yet", extra={"run_id": run.run_id, "open_orders": state.open})
            return
        # Last: a settled run is never looked at again, and another run may then trade in its place.
        self._store(run, state, at)
        self.runs.mark_settled(run.run_id)

    def _cancel(self, order_ids: Sequence[str]) -> None:
        for order_id in order_ids[:CANCELS_AT_MOST]:
            try:
                self.broker.cancel(order_id)
            except BrokerError as error:
                # Filled, being cancelled, or the answer was lost: the orders themselves say which, when read again.
                logger.warning("order not cancelled", extra={"order_id": order_id, "detail": str(error)})

    def _record(self, run_id: str, entries: Iterable[LedgerEntry]) -> None:
        # Execution has recorded most of them. The index may lag, and recording again is harmless.
        recorded = {entry.order_id for entry in self.ledger.entries_of_run(run_id)}
        for entry in entries:
            if entry.order_id not in recorded:
                self.ledger.record(entry)

    def _store(self, run: Run, state: Review, at: datetime) -> None:
        """Store what nobody has reported yet, with its message: the item is put once, so people read it once."""
        if not state.unreported:
            return
        message = RunSettled(
            **envelope(RunSettled, run.run_id, occurred_at=at),
            trading_date=run.trading_date,
            orders=state.unreported,
        )
        self.runs.put_once(run.run_id, RunItem(SETTLEMENT, outbox.encode(message), (message,)))
