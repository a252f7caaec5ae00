"""`inv sandbox.transfer`: deposit money at the paper exchange, withdraw it, or book a fee or a dividend."""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path

from automation.system import console
from automation.system.errors import ToolError, UsageError
from sandbox.exchange.control import ExchangeControl, ExchangeError
from sandbox.settings import read_settings

_WHERE = "sandbox.transfer"
_BAD_REQUEST = range(400, 500)


def transfer(root: Path, amount: str, *, kind: str = "", symbol: str = "") -> None:
    """Book an amount now, and print the account's activity and cash.

    Args:
        amount: USD, such as 10000 or -250.50; negative when it leaves the account.
        kind: the broker's name of the type, such as FEE, DIV or INT; by default CSD, or CSW when it is negative.
        symbol: of a dividend.

    Raises:
        UsageError: the amount cannot be booked; the message says why.
        ToolError: the exchange does not answer.
    """
    usd = _usd(amount)
    settings = {"symbol": symbol.upper()} if symbol else {}
    with ExchangeControl(read_settings(root, os.environ).exchange_url) as exchange:
        try:
            activity = exchange.book(kind.upper() or ("CSD" if usd > 0 else "CSW"), usd, **settings)
            cash = exchange.state().cash
        except ExchangeError as cause:
            if cause.status in _BAD_REQUEST:
                raise UsageError(str(cause), where=_WHERE) from cause
            raise ToolError(f"{cause}; run inv sandbox.up", where=_WHERE) from cause

    booked = f"{activity['activity_type']} {activity['net_amount']} USD on {activity['date']}"
    console.result(f"{booked}; the account has {cash} USD in cash")


def _usd(amount: str) -> Decimal:
    try:
        usd = Decimal(amount)
    except InvalidOperation:
        usd = Decimal(0)
    if not usd.is_finite() or not usd:
        raise UsageError(f"--amount must be USD, such as 10000 or -250.50, got {amount!r}", where=_WHERE)
    return usd
