"""A second source of daily bars with the API of Twelve Data: its own copy of the history, key, limit and faults.

It knows nothing of the broker: neither its faults nor its corporate actions. Like the broker, it serves a session's
bar once the session has closed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from sandbox.exchange.answers import Answer
from sandbox.exchange.bar_faults import BarFaults
from sandbox.exchange.history import Bar
from sandbox.exchange.keys import SECOND_KEY
from sandbox.exchange.market import Market
from sandbox.exchange.parameters import Params
from sandbox.exchange.rate_limit import RateLimit
from sandbox.exchange.rendering import Json

SECOND_PATH = "/time_series"
MOST_ROWS = 5000
_DEFAULT_ROWS = 30
_INTERVAL = "1day"
_ADJUSTMENTS = frozenset({"all", "splits", "dividends", "none"})


class SourceError(Exception):
    """The source answers with an error: a code, which is also the status, and a message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class SecondSource:
    """The server's state.

    Attributes:
        market: its own history; nothing is ever planted in it.
        faults: of its bars; the exchange's state has them.
        limit: counts credits, one per symbol; 0 per minute means no limit.
    """

    market: Market
    faults: BarFaults
    limit: RateLimit = field(default_factory=lambda: RateLimit(0))
    key: str = SECOND_KEY

    def reset(self) -> None:
        """Remove the limit."""
        self.limit.per_minute = 0
        self.limit.clear()

    def respond(self, method: str, params: Params, key: str, now: datetime) -> Answer:
        """Answer a request; an error is an answer too.

        Args:
            key: of the request's header; a request without one may have it in the query.
        """
        headers: Mapping[str, str] = {}
        try:
            self._check(method, key or params.get("apikey", ""))
            headers = self._take_credits(len(_symbols(params)))
            return Answer(self._answer(params, now), 200, headers)
        except SourceError as error:
            return error_answer(error.code, str(error), headers)

    def _check(self, method: str, key: str) -> None:
        if method != "GET":
            raise SourceError(404, "this endpoint only takes GET")
        if key != self.key:
            raise SourceError(401, "the apikey parameter is incorrect or missing; the paper source has one key")

    def _take_credits(self, count: int) -> Mapping[str, str]:
        per_minute = self.limit.per_minute
        if not per_minute:
            return {}
        taken = [self.limit.take() for _ in range(count)]
        if not all(taken):
            raise SourceError(429, f"the API credits of the current minute are used up: {per_minute} per minute")
        left = int(self.limit.headers()["X-RateLimit-Remaining"])
        return {"api-credits-used": str(per_minute - left), "api-credits-left": str(left)}

    def _answer(self, params: Params, now: datetime) -> Json:
        symbols = _symbols(params)
        if len(symbols) == 1:
            return self._series(symbols[0], params, now)
        return {symbol: self._series_or_error(symbol, params, now) for symbol in symbols}

    def _series_or_error(self, symbol: str, params: Params, now: datetime) -> Json:
        try:
            return self._series(symbol, params, now)
        except SourceError as error:
            return _error(error.code, str(error))

    def _series(self, symbol: str, params: Params, now: datetime) -> Json:
        if params.get("interval") != _INTERVAL:
            raise SourceError(400, f"interval must be {_INTERVAL}; the paper source has no other")
        if params.get("adjust", "splits") not in _ADJUSTMENTS:
            raise SourceError(400, f"adjust must be one of {', '.join(sorted(_ADJUSTMENTS))}")
        if symbol not in self.market.assets:
            raise SourceError(404, f"the symbol parameter is missing or invalid: {symbol}")

        start, end = _day("start_date", params), _day("end_date", params)
        most = _count(params, is_bounded=start is not None and end is not None)
        bars = self.market.visible_bars(symbol, now, start=start or date.min, end=end or date.max)
        served = self.faults.apply(symbol, bars, partial(self.market.true_bar, symbol))[-most:]
        if not served:
            raise SourceError(400, "No data is available on the specified dates. Try setting other dates.")
        rows = [_row(bar) for bar in served]
        return {
            "meta": {
                "symbol": symbol,
                "interval": _INTERVAL,
                "currency": "USD",
                "exchange_timezone": "America/New_York",
                "exchange": "NYSE",
                "mic_code": "XNYS",
                "type": "Common Stock",
            },
            "values": rows if params.get("order", "desc").lower() == "asc" else rows[::-1],
            "status": "ok",
        }


def error_answer(code: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error as the source answers it."""
    return Answer(_error(code, message), code, headers or {})


def _error(code: int, message: str) -> Json:
    return {"code": code, "message": message, "status": "error"}


def _symbols(params: Params) -> tuple[str, ...]:
    symbols = tuple(filter(None, params.get("symbol", "").upper().split(",")))
    if not symbols:
        raise SourceError(404, "the symbol parameter is missing or invalid")
    return symbols


def _day(name: str, params: Params) -> date | None:
    """Return the day of a parameter. An end at midnight excludes nothing: a bar is stamped with its day's midnight."""
    text = params.get(name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise SourceError(400, f"{name} must be a date such as 2022-03-15, got {text}") from None


def _count(params: Params, *, is_bounded: bool) -> int:
    text = params.get("outputsize") or str(MOST_ROWS if is_bounded else _DEFAULT_ROWS)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_ROWS:
        raise SourceError(400, f"outputsize must be a number from 1 to {MOST_ROWS}, got {text}")
    return int(text)


def _row(bar: Bar) -> Json:
    return {
        "datetime": bar.date.isoformat(),
        "open": f"{bar.open:.5f}",
        "high": f"{bar.high:.5f}",
        "low": f"{bar.low:.5f}",
        "close": f"{bar.close:.5f}",
        "volume": str(bar.volume),
    }
