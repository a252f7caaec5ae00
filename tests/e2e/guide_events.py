"""What a guide can only wait for on AWS: the test lets it happen on the emulator and at the paper exchange."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from automation.system.targets import Target
from sandbox.brokerage import PaperBrokerage
from sandbox.cloud import LocalCloud
from sandbox.day import DayContext, trade_day
from sandbox.deployment import find_deployment
from sandbox.evidence import DayEvidence
from sandbox.exchange.clock import Phase
from sandbox.exchange.sessions import session_after
from sandbox.outages import WallClock
from sandbox.schedules import due_schedules
from sandbox.trading_dates import FIRST_DATE

STACKS = ("alchemiser-prod-data", "alchemiser-prod")
POLL_S, PATIENCE_S = 0.2, 60.0


@dataclass(slots=True)
class Market:
    """The days that pass while a guide is followed.

    Attributes:
        day: the next session of the exchange.
        traded: the days that were traded.
    """

    target: Target
    exchange_url: str
    day: date = FIRST_DATE
    traded: list[DayEvidence] = field(default_factory=list)

    def open_account(self) -> None:
        """Let the evening before the first session begin."""
        with self._exchange() as exchange:
            exchange.set_clock(self.day, Phase.EVENING_BEFORE)

    def pass_paused_day(self) -> None:
        """Let the schedules start the run of a session while trading is paused, and wait for the mail about it."""
        started = datetime.now(UTC)
        with self._cloud() as cloud, self._exchange() as exchange:
            exchange.set_clock(self.day, Phase.BEFORE_CLOSE)
            # The hourly check too: until its first figure, an alarm rings.
            hourly = [schedule for schedule in cloud.deployment.schedules if "check-day" in schedule.body]
            for schedule in (*hourly, *due_schedules(cloud.deployment.schedules, exchange.clock().now)):
                cloud.send(schedule)
            wait_until(lambda: any("REFUSED" in mail.subject for mail in cloud.mails(started)))
        self.day = session_after(self.day).date

    def trade_day(self) -> None:
        """Trade a session as its schedules would."""
        with self._cloud() as cloud, self._exchange() as exchange:
            context = DayContext(
                cloud,
                exchange,
                WallClock(time.monotonic, time.sleep),
                now=lambda: datetime.now(UTC),
                report_progress=lambda _line: None,
            )
            self.traded.append(trade_day(self.day, context))
        self.day = session_after(self.day).date

    @contextmanager
    def _cloud(self) -> Iterator[LocalCloud]:
        cloud = LocalCloud(self.target, find_deployment(self.target, STACKS))
        try:
            yield cloud
        finally:
            cloud.close()

    @contextmanager
    def _exchange(self) -> Iterator[PaperBrokerage]:
        exchange = PaperBrokerage(self.exchange_url)
        try:
            yield exchange
        finally:
            exchange.close()


def wait_until(is_done: Callable[[], bool]) -> None:
    """Wait until something has happened.

    Raises:
        TimeoutError: it does not happen.
    """
    give_up_at = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"it did not happen within {PATIENCE_S} s")
        time.sleep(POLL_S)
