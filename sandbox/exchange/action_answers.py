"""The market-data response of GET /v1/corporate-actions: actions by type, selected by their process date, in pages."""

import base64
import binascii
from collections.abc import Sequence
from datetime import date

from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.parameters import Params, count_of, day_of, symbols_of
from sandbox.exchange.refusals import bad_data_request
from sandbox.exchange.rendering import Json

_TYPES = frozenset(
    {
        "forward_split",
        "reverse_split",
        "unit_split",
        "stock_dividend",
        "cash_dividend",
        "spin_off",
        "cash_merger",
        "stock_merger",
        "stock_and_cash_merger",
        "redemption",
        "name_change",
        "worthless_removal",
        "rights_distribution",
    }
)
_DEFAULT_ROWS, _MOST_ROWS = 100, 1000


def actions_page(params: Params, planted: Sequence[CorporateAction], today: date) -> Json:
    """Return one page of actions, with the token of the next page if there is one.

    Raises:
        Refusal: 400, a parameter cannot be parsed.
    """
    limit = count_of("limit", params.get("limit"), default=_DEFAULT_ROWS, most=_MOST_ROWS, refuse=bad_data_request)
    if params.get("sort", "asc") not in {"asc", "desc"}:
        raise bad_data_request(f"invalid sort: {params.get('sort')}")
    actions = _selected(params, planted, today)
    if params.get("sort") == "desc":
        actions.reverse()

    first = _read_token(params.get("page_token"))
    page, is_more = actions[first : first + limit], len(actions) > first + limit
    groups: dict[str, list[Json]] = {}
    for action in page:
        groups.setdefault(f"{action.type}s", []).append(render_action(action))
    return {"corporate_actions": groups, "next_page_token": _token(first + limit) if is_more else None}


def render_action(action: CorporateAction) -> Json:
    """Render an action with the fields of its type; the CUSIPs are the symbol."""
    head: Json = {"id": str(action.id), "symbol": action.symbol}
    days: Json = {
        "process_date": action.processed.isoformat(),
        "ex_date": action.ex_date.isoformat(),
        "record_date": action.ex_date.isoformat(),
        "payable_date": action.processed.isoformat(),
    }
    rates: Json = {"new_rate": _number(action.new_rate), "old_rate": _number(action.old_rate)}
    if action.type == "forward_split":
        return head | {"cusip": action.symbol} | rates | days | {"due_bill_redemption_date": action.ex_date.isoformat()}
    if action.type == "reverse_split":
        return head | {"old_cusip": action.symbol, "new_cusip": action.symbol} | rates | days
    return head | {"cusip": action.symbol, "rate": float(action.rate), "special": False, "foreign": False} | days


def _number(rate: object) -> int | float:
    number = float(str(rate))
    return int(number) if number.is_integer() else number


def _selected(params: Params, planted: Sequence[CorporateAction], today: date) -> list[CorporateAction]:
    known = [action for action in planted if action.announced is None or action.announced <= today]
    ids = params.get("ids")
    if ids:
        _check_ids_alone(params)
        return [action for action in known if str(action.id) in ids.split(",")]

    start, end = (day_of(name, params.get(name), bad_data_request) or today for name in ("start", "end"))
    if end < start:
        raise bad_data_request("end should not be before start")
    symbols, types = symbols_of(params.get("symbols")), _types(params.get("types"))
    return [
        action
        for action in known
        if start <= action.processed <= end
        and (not symbols or action.symbol in symbols)
        and (not types or action.type in types)
    ]


def _check_ids_alone(params: Params) -> None:
    if any(params.get(name) for name in ("symbols", "cusips", "types", "start", "end")):
        raise bad_data_request("ids cannot be combined with other filters")


def _types(value: str | None) -> frozenset[str]:
    types = frozenset(filter(None, (value or "").split(",")))
    for name in sorted(types - _TYPES):
        raise bad_data_request(f"invalid type: {name}")
    return types


def _token(first: int) -> str:
    return base64.b64encode(f"CA|{first}".encode()).decode()


def _read_token(token: str | None) -> int:
    if not token:
        return 0
    try:
        head, _, first = base64.b64decode(token, validate=True).decode().partition("|")
        number = int(first)
    except (binascii.Error, ValueError):
        raise bad_data_request("invalid page_token") from None
    if head != "CA" or number < 0:
        raise bad_data_request("invalid page_token")
    return number
