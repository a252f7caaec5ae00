"""A client of the control endpoints, for commands that simulate a trading day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx

from sandbox.exchange.clock import Phase
from sandbox.exchange.sessions import Session, at_new_york


class ExchangeError(Exception):
    """The exchange cannot be reached, or it refused a request; `status` is None when there was no response."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """The exchange's clock and account.

    Attributes:
        cash: USD.
        positions: shares by symbol.
        open_orders, orders, fills: how many there are.
        last_traded: the day of the last fill; None before the first.
    """

    now: datetime
    session: date
    phase: Phase
    account_id: str
    cash: Decimal
    positions: Mapping[str, Decimal]
    open_orders: int
    orders: int
    fills: int
    last_traded: date | None


@dataclass(frozen=True, slots=True)
class History:
    """The history that is replayed; `common` has the first and last day on which every symbol has a bar."""

    symbols: tuple[str, ...]
    first_session: date
    last_session: date
    common: tuple[date, date] | None


class ExchangeControl:
    """The control endpoints of one server; every method raises ExchangeError when a request fails."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None, timeout_s: float = 10.0) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(timeout=timeout_s, transport=transport, trust_env=False)

    def __enter__(self) -> "ExchangeControl":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def is_ready(self) -> bool:
        """Return whether an exchange answers."""
        try:
            self.history()
        except ExchangeError:
            return False
        return True

    def history(self) -> History:
        """Return which symbols and sessions can be replayed."""
        answer = self._call("GET", "ready")
        common = answer["common_first_session"], answer["common_last_session"]
        return History(
            symbols=tuple(answer["symbols"]),
            first_session=date.fromisoformat(answer["first_session"]),
            last_session=date.fromisoformat(answer["last_session"]),
            common=(date.fromisoformat(common[0]), date.fromisoformat(common[1])) if common[0] else None,
        )

    def sessions(self, start: date, end: date) -> tuple[Session, ...]:
        """Return the sessions of the history from start through end, ascending."""
        rows = self._call("GET", "sessions", params={"start": start.isoformat(), "end": end.isoformat()})
        return tuple(_session(row) for row in rows)

    def state(self) -> ExchangeState:
        return _state(self._call("GET", "state"))

    def set_clock(self, session: date, phase: Phase) -> ExchangeState:
        """Move the clock to a phase of a session.

        Raises:
            ExchangeError: not a session, outside the history, or (status 409) before the clock's current time.
        """
        return _state(self._call("POST", "clock", body={"session": session.isoformat(), "phase": phase.value}))

    def set_now(self, moment: datetime) -> ExchangeState:
        """Move the clock to any aware moment; raises what `set_clock` raises."""
        return _state(self._call("POST", "clock", body={"now": moment.isoformat()}))

    def reset(self, cash: Decimal = Decimal(100_000), **terms: object) -> ExchangeState:
        """Start over: a new account with `cash` in USD, nothing planted, and a clock that may be set anywhere.

        Args:
            terms: further fields of `control_routes.ResetSetting`; the mode stays as it was.
        """
        return _state(self._call("POST", "reset", body={"cash": str(cash), **terms}))

    def plant(self, kind: str, **settings: object) -> None:
        """Plant a fault for the next requests; `faults.Fault` has the kinds and settings."""
        self._call("POST", "faults", body={"kind": kind, **settings})

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def put_condition(self, symbol: str, **settings: object) -> None:
        """Plant the condition of a symbol's market; `conditions.Condition` has the settings."""
        self._call("POST", "conditions", body={"symbol": symbol, **settings})

    def clear_conditions(self) -> None:
        self._call("DELETE", "conditions")

    def plant_action(self, kind: str, symbol: str, ex_date: date, **settings: object) -> None:
        """Plant a corporate action; `corporate_actions.CorporateAction` has the settings."""
        body = {"type": kind, "symbol": symbol, "ex_date": ex_date.isoformat(), **settings}
        self._call("POST", "corporate-actions", body=body)

    def plant_bar_fault(self, kind: str, symbol: str, day: date, **settings: object) -> None:
        """Plant a fault in the bars that the broker or the second source serves; `bar_faults.BarFault` has both."""
        body = {"kind": kind, "symbol": symbol, "day": day.isoformat(), **settings}
        self._call("POST", "bar-faults", body=body)

    def bar_faults(self) -> tuple[Mapping[str, Any], ...]:
        """Return the planted faults in bars."""
        return tuple(self._call("GET", "bar-faults"))

    def clear_bar_faults(self, **selection: str) -> None:
        """Remove the faults in bars, or those of a `symbol` or a `side`."""
        self._call("DELETE", "bar-faults", params=selection)

    def limit_second_source(self, credits_per_minute: int) -> None:
        """Let the second source answer for so many symbols per minute; 0 for any number."""
        self._call("POST", "second-source", body={"credits_per_minute": credits_per_minute})

    def put_position(self, symbol: str, qty: Decimal, **settings: object) -> None:
        """Plant a position; `planting_routes.PlantedPosition` has the settings."""
        self._call("POST", "positions", body={"symbol": symbol, "qty": str(qty), **settings})

    def book(self, activity_type: str, net_amount: Decimal, **settings: object) -> Mapping[str, Any]:
        """Book a deposit, fee or the like, and return it; `planting_routes.PlantedActivity` has the settings."""
        body = {"activity_type": activity_type, "net_amount": str(net_amount), **settings}
        return dict(self._call("POST", "activities", body=body)[-1])

    def _call(
        self,
        method: str,
        name: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        url = f"{self._url}/_control/{name}"
        try:
            response = self._http.request(method, url, params=params, json=body)
        except httpx.HTTPError as error:
            raise ExchangeError(f"the paper exchange does not answer at {self._url}: {error}") from error

        if not response.is_success:
            raise ExchangeError(f"paper exchange: {_message(response)}", status=response.status_code)
        try:
            return response.json()
        except ValueError as error:
            raise ExchangeError(
                f"{url}: the response is not JSON; another program may be using the port of the paper exchange"
            ) from error


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {response.status_code}: {response.text[:200]}"


def _session(row: Mapping[str, str]) -> Session:
    day = date.fromisoformat(row["date"])
    opens, closes = (datetime.strptime(row[name], "%H:%M").time() for name in ("open", "close"))  # noqa: DTZ007
    return Session(day, at_new_york(day, opens), at_new_york(day, closes))


def _state(answer: Mapping[str, Any]) -> ExchangeState:
    return ExchangeState(
        now=datetime.fromisoformat(answer["now"]),
        session=date.fromisoformat(answer["session"]),
        phase=Phase(answer["phase"]),
        account_id=answer["account_id"],
        cash=Decimal(answer["cash"]),
        positions={row["symbol"]: Decimal(row["qty"]) for row in answer["positions"]},
        open_orders=len(answer["open_orders"]),
        orders=answer["orders"],
        fills=answer["fills"],
        last_traded=date.fromisoformat(answer["last_traded"]) if answer["last_traded"] else None,
    )
