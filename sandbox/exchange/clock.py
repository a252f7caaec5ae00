"""The simulated clock: it stays where it was set, and advances one microsecond with every order event."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sandbox.exchange.market import Market
from sandbox.exchange.refusals import bad_control
from sandbox.exchange.sessions import at_new_york, latest_opened, session_before, session_on, trading_session

_EVENING = time(20, 0)
_BEFORE_CLOSE = timedelta(minutes=15)
_AFTER_CLOSE = timedelta(minutes=5)
_TICK = timedelta(microseconds=1)


class Phase(StrEnum):
    """Moments of a trading day: 20:00 ET on the session before, 15 minutes before the close, 5 minutes after it."""

    EVENING_BEFORE = "evening_before"
    BEFORE_CLOSE = "before_close"
    AFTER_CLOSE = "after_close"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SimulatedClock:
    """The simulated time: `now` is `set_to` plus one microsecond for each order event since.

    A clock is fresh until it is set or an order arrives. A fresh clock may be set to any moment, a later one only
    forward.
    """

    set_to: datetime
    session: date
    phase: Phase
    ticks: int = 0
    is_fresh: bool = False

    @property
    def now(self) -> datetime:
        return self.set_to + self.ticks * _TICK

    def ticked(self) -> "SimulatedClock":
        return SimulatedClock(self.set_to, self.session, self.phase, self.ticks + 1)


def fresh_clock(market: Market) -> SimulatedClock:
    """Return a fresh clock, after the close of the first day on which every symbol has a price."""
    day = market.common_days[0] if market.common_days else market.first_day
    return replace(clock_at_phase(market, day, Phase.AFTER_CLOSE), is_fresh=True)


def clock_at_phase(market: Market, day: date, phase: Phase) -> SimulatedClock:
    """Return the clock at a phase of a session.

    Raises:
        Refusal: 422, the day is not a session, or is outside the history.
    """
    session = session_on(day)
    if session is None:
        raise bad_control(422, f"{day} ({day:%A}) is not a session of the exchange; GET /_control/sessions lists them")
    if not market.covers(day):
        raise bad_control(422, f"{day} is outside the history, {market.first_day} to {market.last_day}")
    if phase is Phase.EVENING_BEFORE:
        moment = at_new_york(session_before(day).date, _EVENING)
    else:
        moment = session.closes + (_AFTER_CLOSE if phase is Phase.AFTER_CLOSE else -_BEFORE_CLOSE)
    return SimulatedClock(moment, day, phase)


def clock_at(market: Market, moment: datetime) -> SimulatedClock:
    """Return the clock at any moment of the history.

    Raises:
        Refusal: 422, the moment has no UTC offset, or is outside the history.
    """
    if moment.tzinfo is None:
        raise bad_control(422, f"{moment.isoformat()} has no offset; write 2022-03-16T15:45:00-04:00")
    opened = latest_opened(moment).date
    if not market.first_day <= opened <= market.last_day:
        raise bad_control(422, f"{moment.isoformat()} is outside the history, {market.first_day} to {market.last_day}")
    return SimulatedClock(moment.astimezone(UTC), trading_session(moment).date, Phase.OTHER)


def check_forward(current: SimulatedClock, wanted: SimulatedClock) -> None:
    """Check that the clock moves forward.

    Raises:
        Refusal: 409, the wanted moment is before the current one.
    """
    if wanted.set_to != current.set_to and not current.is_fresh and wanted.set_to < current.now:
        raise bad_control(
            409,
            f"the clock is at {current.set_to.isoformat()} and cannot go back to {wanted.set_to.isoformat()}; "
            "POST /_control/reset starts over",
        )
