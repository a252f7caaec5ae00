"""Control endpoints that plant what the world may do.

These are conditions, corporate actions, odd positions, transfers and fees, and faults in bars.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from sandbox.exchange.activities import Entry
from sandbox.exchange.bar_faults import BarFault, BarFaults
from sandbox.exchange.conditions import Condition
from sandbox.exchange.control_bodies import read_body
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.host import Answer, Call, Endpoint, Host
from sandbox.exchange.market import Market
from sandbox.exchange.positions import Position
from sandbox.exchange.refusals import bad_control
from sandbox.exchange.rendering import render_activity, render_position

_ACTIONS = TypeAdapter(tuple[CorporateAction, ...])


class PlantedPosition(BaseModel):
    """A position that appears in the account, whatever the account has paid for.

    `qty` of zero removes it, and a negative one is short. The market prices the symbols of its history unless
    `current_price` is given; other symbols have `current_price`, which may be null.
    """

    model_config = ConfigDict(extra="forbid")

    symbol: str = Field(min_length=1)
    qty: Decimal
    avg_entry_price: Decimal = Decimal(0)
    asset_class: str = "us_equity"
    current_price: Decimal | None = None

    def position(self, market: Market) -> Position:
        return Position(
            symbol=self.symbol,
            qty=self.qty,
            avg_entry_price=self.avg_entry_price,
            asset_class=self.asset_class,
            is_quoted=self.symbol in market.assets and "current_price" not in self.model_fields_set,
            fixed_price=self.current_price,
        )


class PlantedActivity(BaseModel):
    """What moves the account's money now, besides trades: `activities.Entry` has the fields."""

    model_config = ConfigDict(extra="forbid")

    activity_type: str = Field(pattern="^[A-Z]+$")
    net_amount: Decimal = Field(gt=-(10**12), lt=10**12, decimal_places=2)
    symbol: str | None = None
    qty: Decimal | None = None
    per_share_amount: Decimal | None = None
    description: str = ""
    date: dt.date | None = None

    @field_validator("activity_type")
    @classmethod
    def _is_no_trade(cls, name: str) -> str:
        if name == "FILL":
            raise ValueError("trades come from orders")
        return name

    def entry(self) -> Entry:
        return Entry(
            type=self.activity_type,
            net_amount=self.net_amount,
            symbol=self.symbol,
            qty=self.qty,
            per_share_amount=self.per_share_amount,
            description=self.description,
            settled=self.date,
        )


class SecondSourceSetting(BaseModel):
    """The limit of the second source; 0 means none."""

    model_config = ConfigDict(extra="forbid")

    credits_per_minute: int = Field(ge=0)


def put_condition(host: Host, call: Call) -> Answer:
    condition = read_body(Condition, call)
    _check_symbol(host, condition.symbol)
    host.exchange.put_condition(condition)
    return list_conditions(host, call)


def list_conditions(host: Host, _: Call) -> Answer:
    return Answer([condition.model_dump(mode="json") for condition in host.exchange.market.conditions.values()])


def clear_conditions(host: Host, call: Call) -> Answer:
    """Remove the condition of `symbol`, or all."""
    host.exchange.clear_conditions(call.query.get("symbol"))
    return list_conditions(host, call)


def put_action(host: Host, call: Call) -> Answer:
    action = read_body(CorporateAction, call)
    _check_symbol(host, action.symbol)
    host.exchange.market.actions.plant(action)
    return list_actions(host, call)


def list_actions(host: Host, _: Call) -> Answer:
    return Answer([action.model_dump(mode="json") for action in host.exchange.market.actions.all()])


def clear_actions(host: Host, call: Call) -> Answer:
    host.exchange.market.actions.clear()
    return list_actions(host, call)


def put_position(host: Host, call: Call) -> Answer:
    host.exchange.put_position(read_body(PlantedPosition, call).position(host.exchange.market))
    return list_positions(host, call)


def list_positions(host: Host, _: Call) -> Answer:
    exchange = host.exchange
    held = exchange.account.positions
    return Answer(
        [render_position(held[name], exchange.account, exchange.market, exchange.now) for name in sorted(held)]
    )


def put_activity(host: Host, call: Call) -> Answer:
    host.exchange.book(read_body(PlantedActivity, call).entry())
    return list_activities(host, call)


def list_activities(host: Host, _: Call) -> Answer:
    return Answer([render_activity(activity) for activity in host.exchange.account.activities])


def put_bar_fault(host: Host, call: Call) -> Answer:
    fault = read_body(BarFault, call)
    _check_symbol(host, fault.symbol)
    _faults_of(host)[fault.side].planted.append(fault)
    return list_bar_faults(host, call)


def list_bar_faults(host: Host, _: Call) -> Answer:
    planted = chain.from_iterable(faults.planted for faults in _faults_of(host).values())
    return Answer([fault.model_dump(mode="json", exclude_none=True) for fault in planted])


def clear_bar_faults(host: Host, call: Call) -> Answer:
    """Remove the faults of `symbol` and `side`, by default of all."""
    symbol, side = call.query.get("symbol"), call.query.get("side")
    for name, faults in _faults_of(host).items():
        if side in {None, name}:
            faults.planted[:] = [fault for fault in faults.planted if symbol not in {None, fault.symbol}]
    return list_bar_faults(host, call)


def put_second_source(host: Host, call: Call) -> Answer:
    """Limit the second source."""
    host.second.limit.per_minute = read_body(SecondSourceSetting, call).credits_per_minute
    host.second.limit.clear()
    return Answer({"credits_per_minute": host.second.limit.per_minute})


def _faults_of(host: Host) -> Mapping[str, BarFaults]:
    return {"broker": host.exchange.market.bar_faults, "second": host.second.faults}


def read_actions(market: Market, text: bytes, file: Path) -> None:
    """Plant the corporate actions of a file: a JSON list.

    Raises:
        Refusal: the file is not such a list, or names a symbol without history.
    """
    try:
        actions = _ACTIONS.validate_json(text)
    except ValidationError as error:
        raise bad_control(422, f"{file}: not a list of corporate actions: {error.errors()[0]['msg']}") from error
    for action in actions:
        if action.symbol not in market.assets:
            raise bad_control(422, f"{file}: {action.symbol} has no history")
        market.actions.plant(action)


def _check_symbol(host: Host, symbol: str) -> None:
    if symbol not in host.exchange.market.assets:
        raise bad_control(422, f"symbol: {symbol} has no history; GET /_control/ready lists the symbols")


ENDPOINTS = (
    Endpoint("POST", "/_control/conditions", put_condition, changes=True),
    Endpoint("GET", "/_control/conditions", list_conditions),
    Endpoint("DELETE", "/_control/conditions", clear_conditions, changes=True),
    Endpoint("POST", "/_control/corporate-actions", put_action),
    Endpoint("GET", "/_control/corporate-actions", list_actions),
    Endpoint("DELETE", "/_control/corporate-actions", clear_actions),
    Endpoint("POST", "/_control/positions", put_position, changes=True),
    Endpoint("GET", "/_control/positions", list_positions),
    Endpoint("POST", "/_control/activities", put_activity, changes=True),
    Endpoint("GET", "/_control/activities", list_activities),
    Endpoint("POST", "/_control/bar-faults", put_bar_fault, changes=True),
    Endpoint("GET", "/_control/bar-faults", list_bar_faults),
    Endpoint("DELETE", "/_control/bar-faults", clear_bar_faults, changes=True),
    Endpoint("POST", "/_control/second-source", put_second_source),
)
