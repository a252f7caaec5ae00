"""Each documented error body of the broker becomes the error class that names its cause."""

import json

import pytest

from the_alchemiser.shared.broker import errors

UNAUTHORIZED = [
    (401, {"code": 40110000, "message": "request is not authorized"}, errors.NotAuthorizedError),
    (401, {"message": "unauthorized"}, errors.NotAuthorizedError),
    (401, {"message": "forbidden."}, errors.NotAuthorizedError),
    (403, {"message": "forbidden."}, errors.NotAuthorizedError),
    (403, {"code": 40310000, "message": "Forbidden."}, errors.NotAuthorizedError),
    (403, {"message": "no such key"}, errors.NotAuthorizedError),
    (403, {"message": "subscription does not permit querying recent SIP data"}, errors.DataNotPermittedError),
]
REFUSED_WITH_403 = [
    (40310000, "insufficient buying power", errors.InsufficientBuyingPowerError),
    (40310000, "insufficient balance", errors.InsufficientBuyingPowerError),
    (
        40310000,
        "insufficient qty available for order (requested: 3, available: 0)",
        errors.InsufficientQuantityError,
    ),
    (40310000, 'asset "OCGN" is not fractionable', errors.NotFractionableError),
    (40310000, 'asset "OCGN" is not tradable', errors.AssetNotTradableError),
    (40310000, 'asset "OCGN" is not active', errors.AssetNotTradableError),
    (40310000, "potential wash trade detected. use complex orders", errors.WashTradeError),
    (40310000, "account is not allowed to short", errors.ShortNotAllowedError),
    (40310000, "fractional orders are not allowed to short", errors.ShortNotAllowedError),
    (40310000, "cost basis must be >= minimal amount of order 1", errors.OrderTooSmallError),
    (40310000, "order is below the minimal amount", errors.OrderTooSmallError),
    (40310000, "cost basis is too low", errors.OrderTooSmallError),
    (40310100, "trade denied due to pattern day trading protection", errors.PatternDayTraderError),
    (40310100, "entry denied", errors.PatternDayTraderError),
    (40310000, "account is restricted", errors.BrokerRejectionError),
    (40310200, "a cause that is not documented", errors.BrokerRejectionError),
]
REFUSED_WITH_422 = [
    (40010001, "client_order_id must be unique", errors.DuplicateClientOrderIdError),
    (40010001, "order_id is missing", errors.OrderNotFoundError),
    (40010001, "qty is required", errors.InvalidOrderError),
    (40010001, "qty must be integer", errors.InvalidOrderError),
    (42210000, "fractional orders must be DAY orders", errors.InvalidOrderError),
    (42210000, "fractional orders must be simple orders", errors.InvalidOrderError),
    (42210000, "sub-penny increment does not fulfill minimum pricing criteria", errors.InvalidOrderError),
    (42210000, "stop price must be less than current price", errors.InvalidOrderError),
    (42210000, "potential wash trade detected. use complex orders", errors.WashTradeError),
    (42210000, "trade denied due to pattern day trading protection", errors.PatternDayTraderError),
    (42210000, "insufficient qty available for order (requested: 3, available: 0)", errors.InsufficientQuantityError),
    (
        42210000,
        "position intent mismatch, inferred: sell_to_open, specified: sell_to_close",
        errors.InsufficientQuantityError,
    ),
    (
        42210000,
        "position intent mismatch, inferred: buy_to_close, specified: buy_to_open",
        errors.PositionIntentError,
    ),
    (42210000, 'asset "X" not found', errors.AssetNotFoundError),
    (42210000, "asset X is not tradable", errors.AssetNotTradableError),
    (42210000, "asset X is not active", errors.AssetNotTradableError),
    (42210000, 'order is already in "filled" state', errors.OrderNotCancelableError),
    (42210000, "order is not cancelable", errors.OrderNotCancelableError),
]
CASES = [
    *UNAUTHORIZED,
    *((403, {"code": code, "message": message}, expected) for code, message, expected in REFUSED_WITH_403),
    *((422, {"code": code, "message": message}, expected) for code, message, expected in REFUSED_WITH_422),
    (404, {"code": 40410000, "message": "order not found for 1"}, errors.OrderNotFoundError),
    (404, {"code": 40410000, "message": "position does not exist"}, errors.PositionNotFoundError),
    (404, {"code": 40410000, "message": "asset not found for X"}, errors.AssetNotFoundError),
    (404, {"message": "Not Found"}, errors.NotFoundError),
    (400, {"message": "invalid symbol: X"}, errors.AssetNotFoundError),
    (400, {"message": "client_order_id must be unique"}, errors.BrokerRejectionError),
    (408, {"message": "slow"}, errors.BrokerTimeoutError),
    (429, {"code": 42910000, "message": "rate limit exceeded"}, errors.RateLimitedError),
    (429, {"message": "too many requests."}, errors.RateLimitedError),
    (499, {"message": "closed"}, errors.BrokerRejectionError),
    (500, {"message": "internal server error"}, errors.BrokerServerError),
    (504, {"code": 50410000, "message": "request timed out"}, errors.BrokerServerError),
    (418, {"message": "teapot"}, errors.BrokerRejectionError),
]


@pytest.mark.parametrize(("status", "body", "expected"), CASES)
def test_error_from_documented_body_names_its_cause(
    status: int, body: dict[str, object], expected: type[errors.BrokerError]
) -> None:
    error = errors.error_from_response(status, json.dumps(body), where="POST /v2/orders")

    assert type(error) is expected
    assert error.status == status
    assert error.code == body.get("code")
    assert str(body["message"]) in str(error)


@pytest.mark.parametrize("body", ["", "<html>\n<b>busy</b></html>", "[1]", "null", '{"message": null, "code": "x"}'])
def test_error_from_body_without_code_depends_on_the_status(body: str) -> None:
    error = errors.error_from_response(502, body, where="GET /v2/clock")

    assert type(error) is errors.BrokerServerError
    assert error.code is None
    assert "GET /v2/clock: 502" in str(error)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("<html>\n<b>busy</b></html>", "<html> <b>busy</b></html>"),
        ("x" * 201, "x" * 200),
        (json.dumps(["x" * 201]), "['" + "x" * 198),
        ('{"code": 1}', ""),
    ],
    ids=["a page", "a long page", "a long list", "no message"],
)
def test_error_shows_the_first_200_characters_of_another_body(body: str, shown: str) -> None:
    assert str(errors.error_from_response(502, body, where="GET /v2/clock")) == f"GET /v2/clock: 502 {shown}".rstrip()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.BrokerError, "broker_error"),
        (errors.BrokerServerError, "broker_server_error"),
        (errors.UnexpectedResponseError, "broker_unexpected_response"),
        (errors.RateLimitedError, "broker_rate_limited"),
        (errors.BrokerRejectionError, "broker_rejected"),
    ],
)
def test_errors_with_a_reason_of_their_own_keep_it(error: type[errors.BrokerError], reason: str) -> None:
    assert error.reason == reason


def test_error_without_a_response_has_no_status_and_no_code() -> None:
    assert (errors.BrokerTimeoutError("late").status, errors.RateLimitedError("late").code) == (None, None)
    assert (errors.BrokerTimeoutError("late").code, errors.RateLimitedError("late").status) == (None, None)


def test_errors_have_distinct_reasons() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BrokerError)]

    assert len({kind.reason for kind in kinds}) == len(kinds)
    assert all(kind.retryable == issubclass(kind, errors.BrokerUnavailableError) for kind in kinds)
