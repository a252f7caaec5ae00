"""Every way the broker can fail, by name, and the reading of its error bodies.

Codes are stable and messages are not, yet one code covers several causes: a rule matches status, code and a piece
of the message, and what matches no rule falls back on its status.
"""

import json
from typing import ClassVar, NamedTuple

from the_alchemiser.shared.errors import AlchemiserError


class BrokerError(AlchemiserError):
    """The broker did not do what was asked. `reason` is the short code that messages carry."""

    reason: ClassVar[str] = "broker_error"

    def __init__(self, message: str, *, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class BrokerUnavailableError(BrokerError):
    """No answer that settles anything: what was asked may have been done or not."""

    retryable: ClassVar[bool] = True
    reason: ClassVar[str] = "broker_unavailable"


class BrokerUnreachableError(BrokerUnavailableError):
    """The connection failed or broke."""

    reason: ClassVar[str] = "broker_unreachable"


class BrokerTimeoutError(BrokerUnavailableError):
    """The time-out passed before the answer came."""

    reason: ClassVar[str] = "broker_timeout"


class BrokerServerError(BrokerUnavailableError):
    """A 5xx; 504 may follow an order that was accepted."""

    reason: ClassVar[str] = "broker_server_error"


class UnexpectedResponseError(BrokerUnavailableError):
    """An answer that is not the broker's documented JSON, such as a proxy's page."""

    reason: ClassVar[str] = "broker_unexpected_response"


class RateLimitedError(BrokerUnavailableError):
    """429: nothing was done; 200 requests a minute an account."""

    reason: ClassVar[str] = "broker_rate_limited"


class BrokerRejectionError(BrokerError):
    """The broker understood and refused: asking again changes nothing."""

    reason: ClassVar[str] = "broker_rejected"


class NotAuthorizedError(BrokerRejectionError):
    """The key is unknown, wrong or revoked."""

    reason: ClassVar[str] = "not_authorized"


class DataNotPermittedError(BrokerRejectionError):
    """The data subscription does not cover what was asked; the feed `iex` is free."""

    reason: ClassVar[str] = "data_not_permitted"


class InsufficientBuyingPowerError(BrokerRejectionError):
    """The order costs more than the account may spend."""

    reason: ClassVar[str] = "insufficient_buying_power"


class InsufficientQuantityError(BrokerRejectionError):
    """More shares to sell than are free; open orders hold some."""

    reason: ClassVar[str] = "insufficient_quantity"


class NotFractionableError(BrokerRejectionError):
    """A fraction of an asset that trades in whole shares only."""

    reason: ClassVar[str] = "not_fractionable"


class WashTradeError(BrokerRejectionError):
    """An open order of the account stands on the other side."""

    reason: ClassVar[str] = "wash_trade"


class ShortNotAllowedError(BrokerRejectionError):
    """The order would sell what is not held."""

    reason: ClassVar[str] = "short_not_allowed"


class AssetNotTradableError(BrokerRejectionError):
    """The asset exists and cannot be traded now."""

    reason: ClassVar[str] = "asset_not_tradable"


class InvalidOrderError(BrokerRejectionError):
    """A malformed order: price increment, quantity, type."""

    reason: ClassVar[str] = "invalid_order"


class OrderTooSmallError(BrokerRejectionError):
    """The order is worth less than the broker's minimum, one dollar."""

    reason: ClassVar[str] = "order_too_small"


class DuplicateClientOrderIdError(BrokerRejectionError):
    """An order with this client_order_id exists, whatever became of it."""

    reason: ClassVar[str] = "duplicate_client_order_id"


class OrderNotCancelableError(BrokerRejectionError):
    """The order is already done."""

    reason: ClassVar[str] = "order_not_cancelable"


class NotFoundError(BrokerRejectionError):
    """404, of a thing no rule names."""

    reason: ClassVar[str] = "not_found"


class OrderNotFoundError(NotFoundError):
    """No such order."""

    reason: ClassVar[str] = "order_not_found"


class PositionNotFoundError(NotFoundError):
    """Nothing of this symbol is held."""

    reason: ClassVar[str] = "position_not_found"


class AssetNotFoundError(NotFoundError):
    """No such symbol."""

    reason: ClassVar[str] = "asset_not_found"


class _Rule(NamedTuple):
    status: int
    code: int | None
    fragment: str
    error: type[BrokerError]


_RULES: tuple[_Rule, ...] = (
    _Rule(403, 40310000, "buying power", InsufficientBuyingPowerError),
    _Rule(403, 40310000, "insufficient balance", InsufficientBuyingPowerError),
    _Rule(403, 40310000, "insufficient qty", InsufficientQuantityError),
    _Rule(403, 40310000, "not fractionable", NotFractionableError),
    _Rule(403, 40310000, "wash trade", WashTradeError),
    _Rule(403, 40310000, "short", ShortNotAllowedError),
    _Rule(403, 40310000, "cost basis", OrderTooSmallError),
    _Rule(403, 40310000, "not tradable", AssetNotTradableError),
    _Rule(403, 40310000, "not active", AssetNotTradableError),
    _Rule(403, 40310000, "", BrokerRejectionError),
    _Rule(403, None, "subscription", DataNotPermittedError),
    _Rule(403, None, "", NotAuthorizedError),
    _Rule(422, 40010001, "client_order_id", DuplicateClientOrderIdError),
    _Rule(422, 42210000, "not tradable", AssetNotTradableError),
    _Rule(422, 42210000, "not active", AssetNotTradableError),
    _Rule(422, 42210000, "asset", AssetNotFoundError),
    _Rule(422, 42210000, "cancel", OrderNotCancelableError),
    _Rule(404, None, "position", PositionNotFoundError),
    _Rule(404, None, "order", OrderNotFoundError),
    _Rule(404, None, "asset", AssetNotFoundError),
    _Rule(400, None, "invalid symbol", AssetNotFoundError),
)

_BY_STATUS: dict[int, type[BrokerError]] = {
    401: NotAuthorizedError,
    404: NotFoundError,
    408: BrokerTimeoutError,
    422: InvalidOrderError,
    429: RateLimitedError,
}


def error_of(status: int, body: str, *, where: str) -> BrokerError:
    """The named error of a response that is not a success.

    Args:
        body: JSON with `code` and `message`, with `message` only (market data), or a proxy's page.
        where: method and path, for the message.
    """
    code, message = _code_and_message(body)
    kind = next((rule.error for rule in _RULES if _matches(rule, status, code, message)), None)
    if kind is None:
        kind = BrokerServerError if status >= 500 else _BY_STATUS.get(status, BrokerRejectionError)
    return kind(f"{where}: {status} {message}".rstrip(), status=status, code=code)


def _matches(rule: _Rule, status: int, code: int | None, message: str) -> bool:
    return rule.status == status and rule.code in {None, code} and rule.fragment in message.lower()


def _code_and_message(body: str) -> tuple[int | None, str]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return None, " ".join(body.split())[:200]
    if not isinstance(parsed, dict):
        return None, str(parsed)[:200]
    code = parsed.get("code")
    return code if isinstance(code, int) else None, str(parsed.get("message", ""))
