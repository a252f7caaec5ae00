from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from the_alchemiser.shared import formats


@pytest.mark.parametrize(
    ("usd", "text"),
    [("1234.5", "$1,234.50"), ("0", "$0.00"), ("-0.004", "$0.00"), ("-3.105", "\N{MINUS SIGN}$3.11")],
)
def test_money_rounds_to_the_cent(usd: str, text: str) -> None:
    assert formats.money(Decimal(usd)) == text


@pytest.mark.parametrize(("usd", "text"), [("1.2", "+$1.20"), ("0.001", "$0.00"), ("-2", "\N{MINUS SIGN}$2.00")])
def test_signed_money_marks_gains_with_a_plus(usd: str, text: str) -> None:
    assert formats.signed_money(Decimal(usd)) == text


@pytest.mark.parametrize(
    ("fraction", "text"), [("0.12345", "+12.35%"), ("0.00001", "0.00%"), ("-0.5", "\N{MINUS SIGN}50.00%")]
)
def test_signed_percent_marks_gains_with_a_plus(fraction: str, text: str) -> None:
    assert formats.signed_percent(Decimal(fraction)) == text


def test_change_from_zero_has_no_percentage() -> None:
    assert formats.change(Decimal(0), Decimal(5)) == "+$5.00"
    assert formats.change(Decimal(100), Decimal(105)) == "+$5.00 (+5.00%)"


@pytest.mark.parametrize(("usd", "text"), [("48.2", "$48.20"), ("0.1234", "$0.1234"), ("1234", "$1,234.00")])
def test_price_shows_fractions_of_a_cent_only_if_any(usd: str, text: str) -> None:
    assert formats.price(Decimal(usd)) == text


@pytest.mark.parametrize(
    ("quantity", "text"), [("1250", "1,250"), ("0.333333333", "0.333333333"), ("10.500", "10.5"), ("0", "0")]
)
def test_shares_drops_trailing_zeros(quantity: str, text: str) -> None:
    assert formats.shares(Decimal(quantity)) == text


def test_dates_counts_and_codes_become_words() -> None:
    assert formats.long_date(date(2022, 3, 5)) == "Saturday, 5 March 2022"
    assert formats.clock(datetime(2022, 3, 5, 19, 45, 2, tzinfo=UTC)) == "19:45:02 UTC"
    assert (formats.plural(1, "trade"), formats.plural(0, "trade")) == ("1 trade", "0 trades")
    assert formats.words("market_closed") == "market closed"
