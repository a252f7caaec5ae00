"""Each documented error body of the broker becomes the error class that names its cause."""

import json

import pytest

from the_alchemiser.shared.broker import errors

CASES = [
    (401, {"code": 40110000, "message": "request is not authorized"}, errors.NotAuthorizedError),
    (401, {"message": "unauthorized"}, errors.NotAuthorizedError),
    (403, {"message": "forbidden."}, errors.NotAuthorizedError),
    (403, {"message": "subscription does not permit querying recent SIP data"}, errors.DataNotPermittedError),
    (403, {"code": 40310000, "message": "insufficient buying power"}, errors.InsufficientBuyingPowerError),
    (
        403,
        {"code": 40310000, "message": "insufficient qty available for order (requested: 3, available: 0)"},
        errors.InsufficientQuantityError,
    ),
    (403, {"code": 40310000, "message": 'asset "OCGN" is not fractionable'}, errors.NotFractionableError),
    (
        403,
        {"code": 40310000, "message": "potential wash trade detected. use complex orders"},
        errors.WashTradeError,
    ),
    (403, {"code": 40310000, "message": "account is not allowed to short"}, errors.ShortNotAllowedError),
    (403, {"code": 40310000, "message": "fractional orders are not allowed to short"}, errors.ShortNotAllowedError),
    (403, {"code": 40310000, "message": "cost basis must be >= minimal amount of order 1"}, errors.OrderTooSmallError),
    (403, {"code": 40310000, "message": "account is restricted"}, errors.BrokerRejectionError),
    (422, {"code": 40010001, "message": "client_order_id must be unique"}, errors.DuplicateClientOrderIdError),
    (422, {"code": 40010001, "message": "qty is required"}, errors.InvalidOrderError),
    (422, {"code": 42210000, "message": "fractional orders must be DAY orders"}, errors.InvalidOrderError),
    (422, {"code": 42210000, "message": 'asset "X" not found'}, errors.AssetNotFoundError),
    (422, {"code": 42210000, "message": "asset X is not tradable"}, errors.AssetNotTradableError),
    (404, {"code": 40410000, "message": "order not found for 1"}, errors.OrderNotFoundError),
    (404, {"code": 40410000, "message": "position does not exist"}, errors.PositionNotFoundError),
    (404, {"code": 40410000, "message": "asset not found for X"}, errors.AssetNotFoundError),
    (404, {"message": "Not Found"}, errors.NotFoundError),
    (400, {"message": "invalid symbol: X"}, errors.AssetNotFoundError),
    (429, {"code": 42910000, "message": "rate limit exceeded"}, errors.RateLimitedError),
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
    assert str(body["message"]) in str(error)


@pytest.mark.parametrize("body", ["", "<html>\n<b>busy</b></html>", "[1]", "null", '{"message": null, "code": "x"}'])
def test_error_from_body_without_code_depends_on_the_status(body: str) -> None:
    error = errors.error_from_response(502, body, where="GET /v2/clock")

    assert type(error) is errors.BrokerServerError
    assert error.code is None
    assert "GET /v2/clock: 502" in str(error)


def test_errors_have_distinct_reasons() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BrokerError)]

    assert len({kind.reason for kind in kinds}) == len(kinds)
    assert all(kind.retryable == issubclass(kind, errors.BrokerUnavailableError) for kind in kinds)
