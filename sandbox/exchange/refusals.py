"""What the exchange says no to: an HTTP status, the broker's code, its message, and the facts beside it."""

from collections.abc import Mapping

DUPLICATE_OR_MISSING = 40010001
UNPROCESSABLE = 42210000
FORBIDDEN = 40310000
NOT_FOUND = 40410000


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the API, not a failure of the exchange
    """An answer that is not a success. `code` is None where the broker sends only a message (market data)."""

    def __init__(self, status: int, code: int | None, message: str, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.facts = dict(facts or {})

    def body(self) -> dict[str, object]:
        head: dict[str, object] = {} if self.code is None else {"code": self.code}
        return head | {"message": str(self)} | self.facts


def invalid(message: str) -> Refusal:
    """422: a parameter breaks a rule of orders."""
    return Refusal(422, UNPROCESSABLE, message)


def malformed(message: str) -> Refusal:
    """422: a parameter is missing, unreadable or used before."""
    return Refusal(422, DUPLICATE_OR_MISSING, message)


def forbidden(message: str, **facts: object) -> Refusal:
    """403: the account may not do this."""
    return Refusal(403, FORBIDDEN, message, facts)


def absent(message: str) -> Refusal:
    return Refusal(404, NOT_FOUND, message)


def bad_data_request(message: str) -> Refusal:
    """400 of the market-data API, which sends no code."""
    return Refusal(400, None, message)


def bad_control(status: int, message: str) -> Refusal:
    return Refusal(status, None, message)
