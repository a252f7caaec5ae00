"""What is left alone, why, and what that leaves to invest."""

from decimal import Decimal

import pytest

from tests.the_alchemiser.portfolio_v2.brokerage import position
from the_alchemiser.portfolio_v2.left_out import (
    AccountEmptyError,
    NoTradableTargetError,
    check_targets,
    leave_out,
    quarantine,
    value_left_alone,
)
from the_alchemiser.portfolio_v2.rebalance import LeftOut
from the_alchemiser.shared.broker.models import Account, Asset, Position

SPY = position("SPY", "10", "500")
CRYPTO = position("BTCUSD", "0.1", "60000", asset_class="crypto")
UNPRICED = position("628ESC012", "5")
SHORT = position("TSLA", "-10", "200")


def account(equity: str, cash: str = "0") -> Account:
    money = Decimal(equity)
    return Account("a", "ACTIVE", Decimal(cash), money, money, money, Decimal(1), trading_blocked=False)


@pytest.mark.parametrize(
    ("holding", "reason"),
    [
        (CRYPTO, "not_an_equity"),
        (UNPRICED, "odd_symbol"),
        (SHORT, "short_position"),
        (position("SPY240621C00500000", "1", "3", asset_class="us_option"), "not_an_equity"),
        (position("spy", "1", "3"), "odd_symbol"),
        (position("BRK/B", "1", "3"), "odd_symbol"),
        (position("SPY\n", "1", "3"), "odd_symbol"),
        (position("TLT", "5"), "no_price"),
    ],
)
def test_quarantine_names_what_is_never_handled(holding: Position, reason: str) -> None:
    assert quarantine((SPY, holding)) == {holding.symbol: reason}


def test_quarantine_leaves_ordinary_holdings() -> None:
    assert quarantine((SPY, position("BRK.B", "1", "400"), position("X", "0.5", "0"))) == {}


def _asset(symbol: str, *, tradable: bool = True) -> Asset:
    return Asset(symbol, symbol, tradable, fractionable=True)


def test_leave_out_sorts_targets_and_holdings() -> None:
    assets = {symbol: _asset(symbol, tradable=symbol != "OLD") for symbol in ("OLD", "NEW", "SPY")}
    weights = {"SPY": Decimal("0.5"), "NEW": Decimal("0.25"), "GONE": Decimal("0.25"), "HELD": Decimal(0)}

    left_out = leave_out(
        ("GONE", "HELD", "NEW", "OLD", "SPY"),
        weights,
        assets=assets,
        prices={"SPY": Decimal(500), "OLD": Decimal(1)},
        quarantined={"628ESC012": "odd_symbol"},
    )

    assert left_out == LeftOut(
        {"628ESC012": "odd_symbol", "HELD": "not_tradable", "OLD": "not_tradable"},
        {"GONE": "not_tradable", "NEW": "no_price"},
    )


def test_leave_out_keeps_the_reason_of_a_quarantined_target() -> None:
    left_out = leave_out(("TSLA",), {"TSLA": Decimal(1)}, assets={}, prices={}, quarantined={"TSLA": "short_position"})

    assert left_out == LeftOut({"TSLA": "short_position"}, {})


TARGETS = {"GONE": Decimal("0.5"), "TSLA": Decimal("0.5"), "SPY": Decimal(0)}


def test_check_targets_when_all_are_left_out_is_named() -> None:
    left_out = LeftOut({"TSLA": "short_position"}, {"GONE": "not_tradable"})

    with pytest.raises(NoTradableTargetError) as raised:
        check_targets(TARGETS, left_out)

    assert (raised.value.reason, raised.value.retryable) == ("no_tradable_target", False)
    assert str(raised.value) == "none of the targets GONE, TSLA can be traded; nothing is planned"


@pytest.mark.parametrize("left_out", [LeftOut({}, {"GONE": "x"}), LeftOut({"TSLA": "x"}, {}), LeftOut({}, {})])
def test_check_targets_with_one_that_trades_passes(left_out: LeftOut) -> None:
    check_targets(TARGETS, left_out)


@pytest.mark.parametrize(
    ("equity", "cash", "positions", "left_alone"),
    [
        ("15000", "10000", (SPY,), "0"),
        ("21000", "10000", (SPY, CRYPTO), "6000"),
        ("13000", "10000", (SPY, SHORT), "0"),  # -2,000: the 2,000 from the sale are in the cash, and owed
        ("15000", "10000", (SPY, UNPRICED), "0"),  # the broker counts it as nothing
        ("15700", "10000", (SPY, UNPRICED), "700"),  # the broker counts it with a value that it does not report
        ("21700", "10000", (SPY, UNPRICED, CRYPTO), "6700"),
        ("20000", "10000", (SPY, UNPRICED, CRYPTO), "6000"),
        ("10000", "10000", (UNPRICED, position("TLT", "1")), "0"),
    ],
)
def test_value_left_alone_is_what_must_not_be_invested(
    equity: str, cash: str, positions: tuple[Position, ...], left_alone: str
) -> None:
    quarantined = quarantine(positions)

    assert value_left_alone(account(equity, cash), positions, quarantined) == Decimal(left_alone)


@pytest.mark.parametrize(("equity", "positions"), [("0", ()), ("-3", ()), ("6000", (CRYPTO,)), ("5999", (CRYPTO,))])
def test_value_left_alone_of_an_empty_account_is_named(equity: str, positions: tuple[Position, ...]) -> None:
    with pytest.raises(AccountEmptyError) as raised:
        value_left_alone(account(equity), positions, quarantine(positions))

    assert (raised.value.reason, raised.value.retryable) == ("account_empty", False)


def test_value_left_alone_of_an_empty_account_says_the_sums() -> None:
    with pytest.raises(AccountEmptyError) as raised:
        value_left_alone(account("6000"), (CRYPTO,), {"BTCUSD": "not_an_equity"})

    assert str(raised.value) == "equity is $6,000.00, of which $0.00 could be invested; nothing is planned"


def test_value_left_alone_a_cent_above_nothing_may_be_invested() -> None:
    assert value_left_alone(account("6000.01"), (CRYPTO,), {"BTCUSD": "not_an_equity"}) == 6000
