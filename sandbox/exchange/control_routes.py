"""Control endpoints: set the clock, reset, plant faults, read the state. They need no key."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from sandbox.exchange.account import AccountMode
from sandbox.exchange.clock import Phase, SimulatedClock, clock_at, clock_at_phase
from sandbox.exchange.control_bodies import read_body
from sandbox.exchange.exchange import AccountTerms
from sandbox.exchange.faults import Fault
from sandbox.exchange.host import Answer, Call, Endpoint, Host
from sandbox.exchange.money import decimal_text
from sandbox.exchange.parameters import day_of
from sandbox.exchange.rendering import Json, eastern, render_order, render_position, render_session
from sandbox.exchange.sessions import NEW_YORK, sessions_between


class ClockSetting(BaseModel):
    """The body of POST /_control/clock: a phase of a session, or any moment."""

    model_config = ConfigDict(extra="forbid")

    session: date | None = None
    phase: Literal["evening_before", "before_close", "after_close"] = "before_close"
    now: AwareDatetime | None = None

    @model_validator(mode="after")
    def _has_session_or_now(self) -> Self:
        if (self.session is None) == (self.now is None):
            raise ValueError("either session (with phase) or now is required")
        return self


class ResetSetting(BaseModel):
    """The terms of the next account, as `AccountTerms` has them: `cash` in USD and cents, the mode as before."""

    model_config = ConfigDict(extra="forbid")

    cash: Decimal = Field(default=Decimal(100_000), ge=0, le=10**12, decimal_places=2)
    mode: AccountMode | None = None
    whole_shares: frozenset[str] = frozenset()
    fractional_shorts: bool = False


def get_ready(host: Host, _: Call) -> Answer:
    market = host.exchange.market
    common = market.common_days
    return Answer(
        {
            "ready": True,
            "symbols": list(market.assets),
            "first_session": market.first_day.isoformat(),
            "last_session": market.last_day.isoformat(),
            "common_first_session": common[0].isoformat() if common else None,
            "common_last_session": common[1].isoformat() if common else None,
        }
    )


def get_sessions(host: Host, call: Call) -> Answer:
    """Return the sessions of the history from `start` through `end`."""
    market = host.exchange.market
    start = max(day_of("start", call.query.get("start")) or market.first_day, market.first_day)
    end = min(day_of("end", call.query.get("end")) or market.last_day, market.last_day)
    return Answer([render_session(session) for session in sessions_between(start, end)])


def get_state(host: Host, _: Call) -> Answer:
    return Answer(_state(host))


def set_clock(host: Host, call: Call) -> Answer:
    before = host.exchange.now
    host.exchange.set_clock(_wanted_clock(host, read_body(ClockSetting, call)))
    if host.exchange.now > before:
        host.limit.clear()
    return Answer(_state(host))


def reset(host: Host, call: Call) -> Answer:
    setting = read_body(ResetSetting, call)
    mode = setting.mode or host.exchange.account.mode
    host.exchange.reset(AccountTerms(setting.cash, mode, setting.whole_shares, setting.fractional_shorts))
    host.faults.clear()
    host.limit.clear()
    host.second.reset()
    return Answer(_state(host))


def plant_fault(host: Host, call: Call) -> Answer:
    host.faults.plant(read_body(Fault, call))
    return list_faults(host, call)


def list_faults(host: Host, _: Call) -> Answer:
    return Answer([fault.model_dump(mode="json") for fault in host.faults.planted])


def clear_faults(host: Host, call: Call) -> Answer:
    host.faults.clear()
    return list_faults(host, call)


def _wanted_clock(host: Host, setting: ClockSetting) -> SimulatedClock:
    if setting.session is not None:
        return clock_at_phase(host.exchange.market, setting.session, Phase(setting.phase))
    moment: datetime = setting.now or host.exchange.now
    return clock_at(host.exchange.market, moment)


def _state(host: Host) -> Json:
    exchange, account = host.exchange, host.exchange.account
    last = account.fills[-1] if account.fills else None
    held = account.positions

    return {
        "now": eastern(exchange.now),
        "session": exchange.clock.session.isoformat(),
        "phase": exchange.clock.phase.value,
        "account_id": str(account.id),
        "mode": account.mode.value,
        "cash": decimal_text(account.cash),
        "positions": [render_position(held[name], account, exchange.market, exchange.now) for name in sorted(held)],
        "open_orders": [render_order(order, exchange.now) for order in account.open_orders()],
        "orders": len(account.orders),
        "fills": len(account.fills),
        "last_traded": None if last is None else last.at.astimezone(NEW_YORK).date().isoformat(),
    }


ENDPOINTS = (
    Endpoint("GET", "/_control/ready", get_ready),
    Endpoint("GET", "/_control/sessions", get_sessions),
    Endpoint("GET", "/_control/state", get_state),
    Endpoint("POST", "/_control/clock", set_clock, changes=True),
    Endpoint("POST", "/_control/reset", reset, changes=True),
    Endpoint("POST", "/_control/faults", plant_fault),
    Endpoint("GET", "/_control/faults", list_faults),
    Endpoint("DELETE", "/_control/faults", clear_faults),
)
