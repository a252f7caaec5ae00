"""One error class for every way a broker request can fail, and the rules that choose it from a response.

The broker's codes are stable and its messages are not, but one code covers several causes. So a rule matches status,
code and a fragment of the message. A response that matches no rule is classified by its status.
"""

import json
from typing import ClassVar

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.records import Frozen


class BrokerError(AlchemiserError):
    """The broker did not carry out a request. `status` and `code` are those of its response, None without one."""

    reason: ClassVar[str] = "broker_error"

    def __init__(self, message: str, *, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class BrokerUnavailableError(BrokerError):
    """The broker gave no usable answer: it may or may not have carried out the request."""

    retryable: ClassVar[bool] = True


class BrokerUnreachableError(BrokerUnavailableError):
    """The connection could not be made, or broke."""


class BrokerTimeoutError(BrokerUnavailableError):
    """No response arrived before the time-out."""


class BrokerServerError(BrokerUnavailableError):
    """The broker answered with a 5xx status. A 504 may follow an order that was accepted."""

    reason: ClassVar[str] = "broker_server_error"


class UnexpectedResponseError(BrokerUnavailableError):
    """The response is not the JSON that the broker documents; for example, it is a proxy's error page."""

    reason: ClassVar[str] = "broker_unexpected_response"


class RateLimitedError(BrokerUnavailableError):
    """The account sent more than 200 requests in a minute: this one got status 429, or was not sent.

    It was not carried out. `retry_after_s` is the time until the next minute, None when the broker did not say it.
    """

    reason: ClassVar[str] = "broker_rate_limited"

    def __init__(
        self, message: str, *, status: int | None = None, code: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, status=status, code=code)
        self.retry_after_s = retry_after_s


class BrokerRejectionError(BrokerError):
    """The broker understood the request and refused it; the same request would be refused again."""

    reason: ClassVar[str] = "broker_rejected"


class NotAuthorizedError(BrokerRejectionError):
    """The key is unknown, wrong or revoked."""


class DataNotPermittedError(BrokerRejectionError):
    """The data subscription does not include the requested data. The feed `iex` needs no subscription."""


class InsufficientBuyingPowerError(BrokerRejectionError):
    """The order costs more than the account may spend."""


class InsufficientQuantityError(BrokerRejectionError):
    """The order sells more shares than are available; open orders reserve some of them."""


class NotFractionableError(BrokerRejectionError):
    """The order is for a fraction of an asset that trades in whole shares only."""


class PatternDayTraderError(BrokerRejectionError):
    """The order would be a day trade more than the account may make; see the broker's rules for pattern day traders."""


class WashTradeError(BrokerRejectionError):
    """The account has an open order on the opposite side of the same symbol."""


class ShortNotAllowedError(BrokerRejectionError):
    """The order would sell shares that the account does not hold."""


class PositionIntentError(BrokerRejectionError):
    """The order was to open a position or to close one, and would have done the opposite."""


class AssetNotTradableError(BrokerRejectionError):
    """The asset exists but cannot be traded at the moment."""


class InvalidOrderError(BrokerRejectionError):
    """The order has an invalid price increment, quantity or type."""


class OrderTooSmallError(BrokerRejectionError):
    """The order is worth less than the broker's minimum of one dollar."""


class DuplicateClientOrderIdError(BrokerRejectionError):
    """An order with this client_order_id already exists, open or closed."""


class OrderNotCancelableError(BrokerRejectionError):
    """The order is already done."""


class NotFoundError(BrokerRejectionError):
    """Status 404, and no rule says what was not found."""


class OrderNotFoundError(NotFoundError):
    """The broker has no such order."""


class PositionNotFoundError(NotFoundError):
    """The account holds no shares of this symbol."""


class AssetNotFoundError(NotFoundError):
    """The broker does not know this symbol."""


class _Rule(Frozen):
    """A response with one of the statuses whose message contains the fragment; `code` None means any code or none."""

    statuses: tuple[int, ...]
    code: int | None
    fragment: str
    error: type[BrokerError]


# The broker refuses an order with 403 or 422, and does not always use the same one for the same cause.
_REFUSED = (403, 422)

_RULES: tuple[_Rule, ...] = (
    _Rule((403,), 40310100, "", PatternDayTraderError),
    _Rule(_REFUSED, None, "pattern day trad", PatternDayTraderError),
    _Rule(_REFUSED, None, "wash trade", WashTradeError),
    _Rule(_REFUSED, None, "buying power", InsufficientBuyingPowerError),
    _Rule(_REFUSED, None, "insufficient balance", InsufficientBuyingPowerError),
    _Rule(_REFUSED, None, "insufficient qty", InsufficientQuantityError),
    _Rule(_REFUSED, None, "not fractionable", NotFractionableError),
    _Rule(_REFUSED, None, "inferred: sell_to_open", InsufficientQuantityError),
    _Rule(_REFUSED, None, "position intent", PositionIntentError),
    _Rule(_REFUSED, None, "short", ShortNotAllowedError),
    _Rule(_REFUSED, None, "cost basis", OrderTooSmallError),
    _Rule(_REFUSED, None, "minimal amount", OrderTooSmallError),
    _Rule(_REFUSED, None, "not tradable", AssetNotTradableError),
    _Rule(_REFUSED, None, "not active", AssetNotTradableError),
    _Rule((403,), None, "subscription", DataNotPermittedError),
    _Rule((403,), None, "forbidden", NotAuthorizedError),
    _Rule((422,), 40010001, "client_order_id", DuplicateClientOrderIdError),
    _Rule((422,), 40010001, "order_id is missing", OrderNotFoundError),
    _Rule((422,), 42210000, "asset", AssetNotFoundError),
    _Rule((422,), 42210000, "cancel", OrderNotCancelableError),
    _Rule((422,), 42210000, "order is already in", OrderNotCancelableError),
    _Rule((404,), None, "position", PositionNotFoundError),
    _Rule((404,), None, "order", OrderNotFoundError),
    _Rule((404,), None, "asset", AssetNotFoundError),
    _Rule((400,), None, "invalid symbol", AssetNotFoundError),
)

_BY_STATUS: dict[int, type[BrokerError]] = {
    401: NotAuthorizedError,
    404: NotFoundError,
    408: BrokerTimeoutError,
    422: InvalidOrderError,
    429: RateLimitedError,
}


def error_from_response(status: int, body: str, *, where: str) -> BrokerError:
    """Return the error that names the cause of an unsuccessful response.

    Args:
        body: JSON with `code` and `message`; JSON with `message` only (market data API); or a proxy's page.
        where: method and path of the request, for the error's message.
    """
    code, message = _code_and_message(body)
    # The first match counts: more specific rules come first.
    error_class = next((rule.error for rule in _RULES if _matches(rule, status, code, message)), None)
    if error_class is None:
        error_class = _by_status(status, code)
    return error_class(f"{where}: {status} {message}".rstrip(), status=status, code=code)


def _matches(rule: _Rule, status: int, code: int | None, message: str) -> bool:
    return status in rule.statuses and rule.code in {None, code} and rule.fragment in message.lower()


def _by_status(status: int, code: int | None) -> type[BrokerError]:
    if status >= 500:
        return BrokerServerError
    if status == 403 and code is None:
        # A refused order has a code; without one, the request itself was not allowed.
        return NotAuthorizedError
    return _BY_STATUS.get(status, BrokerRejectionError)


def _code_and_message(body: str) -> tuple[int | None, str]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return None, " ".join(body.split())[:200]
    if not isinstance(parsed, dict):
        return None, str(parsed)[:200]
    code = parsed.get("code")
    return code if isinstance(code, int) else None, str(parsed.get("message", ""))
