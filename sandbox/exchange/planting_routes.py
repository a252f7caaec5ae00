"""Control endpoints that plant what the world may do: market conditions, corporate actions, odd positions."""

from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sandbox.exchange.conditions import Condition
from sandbox.exchange.control_bodies import read_body
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.host import Answer, Call, Endpoint, Host
from sandbox.exchange.market import Market
from sandbox.exchange.positions import Position
from sandbox.exchange.refusals import bad_control
from sandbox.exchange.rendering import render_position

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
)
