"""Refusals of the API: an HTTP status, the broker's code and message, and further fields of the body."""

from collections.abc import Mapping

DUPLICATE_OR_MISSING = 40010001
UNPROCESSABLE = 42210000
FORBIDDEN = 40310000
NOT_FOUND = 40410000


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the API, not a failure of the exchange
    """A response that is not a success. `code` is None where the broker sends only a message (market data)."""

    def __init__(self, status: int, code: int | None, message: str, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.facts = dict(facts or {})

    def body(self) -> dict[str, object]:
        """Return the JSON body."""
        head: dict[str, object] = {} if self.code is None else {"code": self.code}
        return head | {"message": str(self)} | self.facts


def invalid(message: str) -> Refusal:
    """Return a 422 for a parameter that breaks a rule of orders."""
    return Refusal(422, UNPROCESSABLE, message)


def malformed(message: str) -> Refusal:
    """Return a 422 for a parameter that is missing, cannot be read, or was used before."""
    return Refusal(422, DUPLICATE_OR_MISSING, message)


def forbidden(message: str, **facts: object) -> Refusal:
    """Return a 403 for something the account may not do."""
    return Refusal(403, FORBIDDEN, message, facts)


def not_found(message: str) -> Refusal:
    return Refusal(404, NOT_FOUND, message)


def bad_data_request(message: str) -> Refusal:
    """Return a 400 of the market-data API, which sends no code."""
    return Refusal(400, None, message)


def bad_control(status: int, message: str) -> Refusal:
    return Refusal(status, None, message)
