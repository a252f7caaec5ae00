"""Checks the books: after each close, and before a run starts. A difference is mailed, and blocks the next run."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from the_alchemiser.coordinator_v2.admission import StartRefusal, TradingDay
from the_alchemiser.shared import aws
from the_alchemiser.shared.books.checks import BooksCheck, books_differ, describe
from the_alchemiser.shared.books.reconciling import Look, Recent, Reconciler
from the_alchemiser.shared.books.store import BooksStore, StoredCheck
from the_alchemiser.shared.broker.account_check import WrongAccountError
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.records import Frozen

# A start at the last moment may still create its run: its function has 30 s, and the index of runs lags some seconds.
AFTER_CLOSE = timedelta(minutes=5)
NAMED_AT_MOST = 5

logger = logging.getLogger(__name__)


class BooksChecker(Frozen):
    """Checks the books of the account, once per trading day."""

    books: BooksStore
    reconciler: Reconciler

    def after_close(self, day: TradingDay, recent: Recent) -> Reaction:
        """Check the day, once it is over, and publish a difference until that is marked as sent.

        No failure leaves this method, so that a sweep always reports the runs that have failed. What could not be
        checked, the next sweep checks, and after the last one of an evening the next start.
        """
        if day.to_close > -AFTER_CLOSE:
            return Reaction()
        try:
            stored = self._checked(day, recent)
        except AlchemiserError as error:
            logger.warning("books not checked", extra={"reason": error.reason, "detail": str(error)})
        except (aws.BotoCoreError, aws.ClientError):
            logger.exception("books not checked")
        else:
            return self._news(stored)
        return Reaction()

    def refuse(self, day: TradingDay, recent: Recent) -> StartRefusal | None:
        """Refuse a start while the account differs from the books, or is not the environment's.

        The first start of all opens the books. A start after a difference, or after an evening without a check, looks
        itself: it is refused only for a difference that still exists.

        Args:
            recent: with the runs of today, all settled.

        Raises:
            AlchemiserError: the broker or a store cannot answer now.
        """
        try:
            return self._refuse(day, recent)
        except WrongAccountError as error:
            return StartRefusal(reason=error.reason, detail=str(error))

    def are_differing(self) -> bool:
        """Return whether the latest check differs."""
        stored = self.books.latest()
        return stored is not None and stored.check.differs

    def _checked(self, day: TradingDay, recent: Recent) -> StoredCheck | None:
        """Return the check of the day; None while there is none."""
        stored = self.books.latest()
        if stored is None or stored.check.trading_date >= day.session.date:
            return stored
        look = self._look(stored.check, day, recent)
        return None if look is None else self._put(look.check(day.session.date, stored.check))

    def _news(self, stored: StoredCheck | None) -> Reaction:
        if stored is None or stored.sent:
            return Reaction()
        message = books_differ(stored.check, stage=self.reconciler.stage)
        return Reaction((message,), on_published=lambda: self.books.mark_sent(stored.check))

    def _refuse(self, day: TradingDay, recent: Recent) -> StartRefusal | None:
        if self.reconciler.account:
            # Not left to a look: there is none while an order may still fill, or when the evening's check agreed.
            self.reconciler.account_number()
        stored = self.books.latest()
        if stored is None:
            self._put(self.reconciler.open(day.as_of, day.now, recent.runs))
            return None

        check = stored.check
        if not check.differs and check.trading_date >= day.as_of:
            return None
        look = self._look(check, day, recent)
        if look is None:
            return self._refusal(check, check.differences)
        return self._refusal(self._looked_again(look, check, day), look.differences)

    def _looked_again(self, look: Look, check: BooksCheck, day: TradingDay) -> BooksCheck:
        """Store what a start has found, and return the check that is stored then."""
        if check.trading_date < day.as_of:
            return self._put(look.check(day.as_of, check)).check
        if look.differences:
            return check
        agreed = look.check(check.trading_date, check)
        # Conditional: a person may have accepted the difference at this moment.
        if self.books.replace(agreed, previous=check):
            _log(agreed)
        return self._latest(agreed).check

    def _refusal(self, check: BooksCheck, differences: Sequence[Difference]) -> StartRefusal | None:
        if not check.differs:
            return None
        named = "; ".join(describe(difference) for difference in differences[:NAMED_AT_MOST])
        more = len(differences) - NAMED_AT_MOST
        rest = f"; and {more} more" if more > 0 else ""
        command = f"inv reconcile --env {self.reconciler.stage} --accept"
        return StartRefusal(reason="books_differ", detail=f"{named}{rest}; to accept what the account holds: {command}")

    def _look(self, base: BooksCheck, day: TradingDay, recent: Recent) -> Look | None:
        look = self.reconciler.look(base, recent, day.now)
        if look is None:
            runs = [run.run_id for run in recent.runs if recent.is_unsettled(run)]
            logger.info("books not checked: orders of a run may still be open", extra={"runs": runs})
        return look

    def _put(self, check: BooksCheck) -> StoredCheck:
        """Store the check unless its day has one, and return the one that is stored."""
        if self.books.put(check):
            _log(check)
            return StoredCheck(check, sent=not check.differs)
        return self._latest(check)

    def _latest(self, check: BooksCheck) -> StoredCheck:
        return self.books.latest() or StoredCheck(check)


def _log(check: BooksCheck) -> None:
    level = logger.warning if check.differs else logger.info
    differences = [describe(difference) for difference in check.differences]
    level("books checked", extra={"date": check.trading_date, "state": check.state, "differences": differences})
