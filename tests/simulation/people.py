"""What people and the market do to a running system: acts at their times, conditions from their start to their end."""

from collections.abc import Callable, Mapping
from contextlib import closing
from decimal import Decimal
from typing import Any

from sandbox.exchange import conditions as exchange_conditions
from sandbox.exchange.faults import Fault
from sandbox.exchange.orders import Order
from tests.simulation.deployment import STAGE
from tests.simulation.scenario import Act, ActKind, Condition, ConditionKind
from tests.simulation.system import System
from tests.simulation.world import microseconds
from the_alchemiser.shared.books.checks import awaited_splits
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.books.reconciling import Recent, Reconciler
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.market_data.corporate_actions import read_actions
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore

COORDINATOR = "CoordinatorInbox"
_BROKER = "https://broker.simulated"
_START: Mapping[str, Any] = {"command": "start-run"}
_MANY = 1000
_STALE_S = 900.0
_PARTS_APART_S = 5.0
_NEW_ORDERS = {"method": "POST", "path": "/v2/orders"}
_DAY_TRADER = {"status": 403, "code": 40310100, "message": "trade denied due to pattern day trading protection"}
_FAULTS: Mapping[ConditionKind, Mapping[str, Any]] = {
    ConditionKind.RESTING: {"kind": "rest"},
    ConditionKind.REJECTED: {"kind": "reject_later", "seconds": 1.0},
    ConditionKind.SILENT_CANCEL: {"kind": "cancel_ignored", "times": 1},
    ConditionKind.REFUSED: {"kind": "refuse", **_NEW_ORDERS, **_DAY_TRADER},
    ConditionKind.OUTAGE: {"kind": "refuse", "status": 503},
    ConditionKind.BUSY: {"kind": "refuse", "status": 429},
}
_TIMED: Mapping[ConditionKind, Mapping[str, Any]] = {
    ConditionKind.LATE_FILLS: {"kind": "fill_later"},
    ConditionKind.SLOW_CANCEL: {"kind": "cancel_slowly"},
    ConditionKind.UNKNOWN_STATUS: {"kind": "odd_status", "status_name": "pending_odd"},
}


def _keys() -> Credentials:
    return Credentials("k", "s")


class People:
    """The acts and the conditions of a history. `owner_orders` are the ids of the orders that the owner sent."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.owner_orders: list[str] = []
        self._active: list[Condition] = []
        self._acts: Mapping[ActKind, Callable[[Act], str]] = {
            ActKind.START: self._start,
            ActKind.FORCE: self._force,
            ActKind.PAUSE: lambda _: self._switch("paused"),
            ActKind.ENABLE: lambda _: self._switch("enabled"),
            ActKind.OWNER_BUY: lambda act: self._trade(act, "buy"),
            ActKind.OWNER_SELL: lambda act: self._trade(act, "sell"),
            ActKind.OWNER_CANCEL: self._cancel,
            ActKind.OWNER_EDIT: self._edit,
            ActKind.REDRIVE: self._redrive,
            ActKind.ACCEPT: self._accept,
            ActKind.CHANGE_KEYS: self._change_keys,
        }

    def plan(self, acts: tuple[Act, ...], conditions: tuple[Condition, ...]) -> None:
        """Schedule everything."""
        world = self._system.world
        for act in acts:
            world.schedule(microseconds(act.at), lambda act=act: self._do(act))  # type: ignore[misc] # binds the act now
        for condition in conditions:
            world.schedule(microseconds(condition.start), lambda condition=condition: self._begin(condition))  # type: ignore[misc]
            world.schedule(microseconds(condition.end), lambda condition=condition: self._end(condition))  # type: ignore[misc]

    # --- acts -------------------------------------------------------------------------------------------------------

    def _do(self, act: Act) -> None:
        result = self._acts[act.kind](act)
        self._system.world.note(f"{act.kind.value} {act.symbol}".strip(), result)

    def _start(self, _: Act) -> str:
        self._system.send(COORDINATOR, _START)
        return "sent"

    def _force(self, act: Act) -> str:
        body = {**_START, "force": True}
        replaced = self._day_owner()
        if act.replaces and replaced:
            body["replaces"] = replaced
        self._system.send(COORDINATOR, body)
        return f"replaces {body.get('replaces', 'none')}"

    def _day_owner(self) -> str:
        """Return the run that owns the latest day, as a person reads it in the Runs table."""
        days = [item for item in self._system.tables.data["Runs"].items() if item["pk"]["S"].startswith("DAY#")]
        return max(days, key=lambda item: str(item["pk"]["S"]))["run_id"]["S"] if days else ""

    def _switch(self, text: str) -> str:
        self._system.account.set_switch(text)
        return "ok"

    def _redrive(self, _: Act) -> str:
        return f"{sum(inbox.redrive() for inbox in self._system.inboxes.values())} messages"

    def _accept(self, _: Act) -> str:
        """Accept what the account holds, as `inv reconcile --accept` does."""
        dynamodb = self._system.account.client("dynamodb")
        books = DynamoBooks(dynamodb, "Runs")
        stored = books.latest()
        if stored is None:
            return "no books"

        base = stored.check
        with closing(Broker(_BROKER, _BROKER, _keys)) as broker:
            runs, ledger = DynamoRunStore(dynamodb, "Runs"), DynamoLedger(dynamodb, "Ledger")
            now = broker.clock().timestamp
            recent = Recent.unread(market_date(now), settles_since=base.held_on)
            look = Reconciler(STAGE, "", broker, runs, ledger, self._actions).look(base, recent, now)
            sessions = broker.calendar(market_date(now), market_date(now))
        if look is None or not look.differences or awaited_splits(self._actions(), look.held, sessions[0], now):
            return "nothing to accept"
        accepted = look.check(base.trading_date, base, accepted_by="a person")
        return "accepted" if books.replace(accepted, previous=base) else "somebody else was first"

    def _actions(self) -> CorporateActions:
        return read_actions(S3Objects(self._system.account.client("s3"), "Lake"))

    def _change_keys(self, _: Act) -> str:
        """Let the secret hold the keys of another account, which holds the same."""
        account = self._system.exchange.account
        account.generation += 1
        return account.number

    def _trade(self, act: Act, side: str) -> str:
        body = {
            "symbol": act.symbol,
            "qty": format(act.quantity, "f"),
            "side": side,
            "type": "market",
            "time_in_force": "day",
        }
        return self._placed("POST", "/v2/orders", body)

    def _cancel(self, act: Act) -> str:
        order = self._open_order(act.symbol)
        return "no open order" if order is None else self._request("DELETE", f"/v2/orders/{order.id}", {})[0]

    def _edit(self, act: Act) -> str:
        order = self._open_order(act.symbol)
        if order is None or order.limit_price is None:
            return "no open limit order"
        tick = Decimal("0.01") if order.limit_price >= 1 else Decimal("0.0001")
        price = max((order.limit_price * (1 + act.quantity / 100)).quantize(tick), tick)
        return self._request("PATCH", f"/v2/orders/{order.id}", {"limit_price": format(price, "f")})[0]

    def _placed(self, method: str, path: str, body: Mapping[str, Any]) -> str:
        text, payload = self._request(method, path, body)
        if isinstance(payload, Mapping) and "id" in payload:
            self.owner_orders.append(str(payload["id"]))
        return text

    def _request(self, method: str, path: str, body: Mapping[str, Any]) -> tuple[str, Any]:
        answer = self._system.brokerage.respond(method, path, {}, body)
        return str(answer.status), answer.payload

    def _open_order(self, symbol: str) -> Order | None:
        orders = [order for order in self._system.exchange.account.open_orders() if symbol in (order.symbol, "")]
        ours = [order for order in orders if str(order.id) not in self.owner_orders]
        return ours[0] if ours else None

    # --- conditions -------------------------------------------------------------------------------------------------

    def _begin(self, condition: Condition) -> None:
        self._active.append(condition)
        self._system.world.note(f"{condition.symbol}: {condition.kind.value}", "begins")
        self._apply()

    def _end(self, condition: Condition) -> None:
        self._active.remove(condition)
        self._system.world.note(f"{condition.symbol}: {condition.kind.value}", "ends")
        self._apply()

    def _apply(self) -> None:
        system = self._system
        market, faults = system.exchange.market, system.brokerage.venue.faults
        system.exchange.advance(system.world.at)
        market.conditions.clear()
        faults.clear()
        for condition in self._active:
            planted = market_condition(condition, market.conditions.get(condition.symbol), system)
            if planted is not None:
                market.conditions[condition.symbol] = planted
            for fault in exchange_faults(condition):
                faults.plant(fault)


def market_condition(
    condition: Condition, before: exchange_conditions.Condition | None, system: System
) -> exchange_conditions.Condition | None:
    """Return what the market of a symbol becomes; None when the condition is about orders."""
    planted = before or exchange_conditions.Condition(symbol=condition.symbol)
    match condition.kind:
        case ConditionKind.HALTED:
            return planted.model_copy(update={"halted": True, "since": max(condition.start, system.world.at)})
        case ConditionKind.STALE:
            return planted.model_copy(update={"quote_age_s": _STALE_S})
        case ConditionKind.WIDE:
            return planted.model_copy(update={"spread": condition.size})
        case ConditionKind.ONE_SIDED:
            side = "ask" if condition.symbol < "GGG" else "bid"
            return planted.model_copy(update={"empty_side": side})
    return None


def exchange_faults(condition: Condition) -> tuple[Fault, ...]:
    """Return what the exchange does to orders of the symbol, or to all requests; empty for conditions of prices."""
    if condition.kind is ConditionKind.UNREADABLE:
        details: Mapping[str, Any] = {"kind": "refuse", "status": 503, "path": "/v2/orders"}
        return tuple(_fault(condition, method=method, **details) for method in ("GET", "DELETE"))
    if condition.kind is ConditionKind.PARTIAL:
        return (_fault(condition, kind="fill_in_parts", parts=int(condition.size), seconds=_PARTS_APART_S),)
    if condition.kind in _TIMED:
        return (_fault(condition, seconds=float(condition.size), **_TIMED[condition.kind]),)
    if condition.kind in _FAULTS:
        return (_fault(condition, **_FAULTS[condition.kind]),)
    return ()


def _fault(condition: Condition, *, times: int = _MANY, **details: Any) -> Fault:
    return Fault(symbol=condition.symbol or None, times=times, **details)
