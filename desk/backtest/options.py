"""Parse the options of `inv backtest`. Pure."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from automation.system.errors import UsageError
from desk.backtest.period import RequestedPeriod

DEFAULT_PAGE = Path(__file__).resolve().parents[2] / ".alchemiser" / "backtest.html"
DEFAULT_CAPITAL = "100000"
DEFAULT_COSTS_BPS = "1"
_MAX_COSTS_BPS = Decimal(1000)
_WHERE = "backtest"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Texts:
    """The options as typed; an empty text means that the option was not given.

    Attributes:
        html: path of a page to write, True for the default path, None for no page.
        compare: an earlier backtest's JSON, or names of strategies separated by commas.
        split: first day out of sample.
    """

    start: str = ""
    end: str = ""
    capital: str = DEFAULT_CAPITAL
    costs_bps: str = DEFAULT_COSTS_BPS
    html: str | bool | None = None
    csv: str = ""
    compare: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed options; None means that the option was not given.

    Attributes:
        capital: USD.
        costs_bps: basis points per side.
        stored: file of an earlier backtest to compare with.
        others: strategies to compare with.
    """

    period: RequestedPeriod
    capital: Decimal
    costs_bps: Decimal
    page: Path | None
    csv: Path | None
    stored: Path | None
    others: tuple[str, ...]
    split: date | None


def parse(texts: Texts) -> Options:
    """Parse all options.

    Raises:
        UsageError: an option is not valid.
    """
    is_stored = texts.compare.endswith(".json")
    return Options(
        period=RequestedPeriod(_parse_day("start", texts.start), _parse_day("end", texts.end)),
        capital=_parse_capital(texts.capital),
        costs_bps=_parse_costs(texts.costs_bps),
        page=_page_path(texts.html),
        csv=_csv_path(texts.csv),
        stored=Path(texts.compare) if is_stored else None,
        others=() if is_stored else _parse_names(texts.compare),
        split=_parse_day("split", texts.split),
    )


def _parse_day(option: str, text: str) -> date | None:
    if not text:
        return None
    try:
        # Python accepts other date formats too, for example 20210104; a user who types one may mean something else.
        return date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        raise UsageError(f"--{option} {text!r} is not a date; write it like 2021-01-04", where=_WHERE) from None


def _parse_capital(text: str) -> Decimal:
    amount = _parse_number(text.replace(",", "").removeprefix("$"))
    if amount is None or amount < 1 or amount != round(amount, 2):
        raise UsageError(
            f"--capital {text!r} is not a valid amount; give at least 1 USD, for example 100000", where=_WHERE
        )
    return amount


def _parse_costs(text: str) -> Decimal:
    costs = _parse_number(text)
    if costs is None or not 0 <= costs <= _MAX_COSTS_BPS:
        raise UsageError(
            f"--costs-bps must be a number from 0 to {_MAX_COSTS_BPS} (basis points per side), got {text!r}",
            where=_WHERE,
        )
    return costs


def _parse_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _page_path(html: str | bool | None) -> Path | None:
    if not html or html is True:
        return DEFAULT_PAGE if html else None
    if not html.endswith(".html"):
        # Invoke takes the word after --html as its value, so this may be the name of a strategy.
        message = f"--html {html!r} does not end in .html; give the path of a page, or put strategy names before --html"
        raise UsageError(message, where=_WHERE)
    return Path(html)


def _csv_path(csv: str) -> Path | None:
    if csv and not csv.endswith(".csv"):
        raise UsageError(f"--csv {csv!r} does not end in .csv; give the path of a file", where=_WHERE)
    return Path(csv) if csv else None


def _parse_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
