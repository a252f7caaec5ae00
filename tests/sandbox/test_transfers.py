"""`inv sandbox.transfer` against a served exchange."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from automation.system.errors import ToolError, UsageError
from sandbox.exchange.service import Venue
from sandbox.transfers import transfer
from tests.sandbox.exchange.serving import served
from tests.sandbox.exchange.venues import venue_of

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    venue = venue_of()
    with served(venue) as url:
        monkeypatch.setenv("ALCHEMISER_EXCHANGE_PORT", url.rpartition(":")[2])
        yield venue


@pytest.mark.parametrize(
    ("amount", "kind", "booked"),
    [
        ("2500.50", "", "CSD 2500.5 USD on 2022-03-16; the account has 12500.5 USD in cash\n"),
        ("-100", "", "CSW -100 USD on 2022-03-16; the account has 9900 USD in cash\n"),
        ("-0.25", "fee", "FEE -0.25 USD on 2022-03-16; the account has 9999.75 USD in cash\n"),
    ],
)
def test_transfer_books_and_says_so(
    venue: Venue, capsys: pytest.CaptureFixture[str], amount: str, kind: str, booked: str
) -> None:
    transfer(Path(), amount, kind=kind)

    assert capsys.readouterr().out == booked
    (activity,) = venue.exchange.account.activities
    assert activity.entry.net_amount == Decimal(amount)


def test_transfer_of_a_dividend_names_its_symbol(venue: Venue) -> None:
    transfer(Path(), "3.50", kind="DIV", symbol="calm")

    assert venue.exchange.account.activities[0].entry.symbol == "CALM"


@pytest.mark.parametrize("amount", ["", "0", "many", "nan", "1e999999999"])
def test_transfer_of_no_amount_says_what_one_is(venue: Venue, amount: str) -> None:
    with pytest.raises(UsageError, match=r"^sandbox.transfer: "):
        transfer(Path(), amount)

    assert venue.exchange.account.activities == ()


def test_transfer_that_the_exchange_refuses_says_why(venue: Venue) -> None:
    with pytest.raises(UsageError, match="20000 USD cannot be withdrawn, 10000 can"):
        transfer(Path(), "-20000")


def test_transfer_without_an_exchange_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALCHEMISER_EXCHANGE_PORT", "9")
    with pytest.raises(ToolError, match=r"does not answer .*; run inv sandbox\.up$"):
        transfer(Path(), "1")
