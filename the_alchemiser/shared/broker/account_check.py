"""Checks that the broker's keys belong to the account that the environment names."""

from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.errors import AlchemiserError


class WrongAccountError(AlchemiserError):
    """The broker's keys are those of another account than the environment's: nothing may be ordered or recorded."""


def require_account(account: Account, expected: str) -> None:
    """Check the account's number; every account passes when `expected` is empty.

    Raises:
        WrongAccountError: the account has another number.
    """
    if expected and account.number != expected:
        number = account.number or "without a number"
        raise WrongAccountError(f"the broker's keys belong to account {number}, this environment trades {expected}")
