"""Keys of another account than the environment's are refused."""

from decimal import Decimal

import pytest

from the_alchemiser.shared.broker.account_check import WrongAccountError, require_account
from the_alchemiser.shared.broker.models import Account

USD = Decimal(1)


def account(number: str) -> Account:
    return Account("an-id", "ACTIVE", USD, USD, USD, USD, USD, trading_blocked=False, number=number)


@pytest.mark.parametrize("expected", ["PA1", ""])
def test_require_account_accepts_its_number_or_any(expected: str) -> None:
    require_account(account("PA1"), expected)


@pytest.mark.parametrize(("number", "shown"), [("PA10", "PA10"), ("", "without a number")])
def test_require_account_of_another_number_names_both(number: str, shown: str) -> None:
    message = f"the broker's keys belong to account {shown}, this environment trades PA1"
    with pytest.raises(WrongAccountError, match=f"^{message}$") as failure:
        require_account(account(number), "PA1")

    assert (failure.value.reason, failure.value.retryable) == ("wrong_account", False)
