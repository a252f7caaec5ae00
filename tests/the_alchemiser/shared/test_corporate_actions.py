from datetime import date, timedelta
from decimal import Decimal

import pytest

from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions

DAY = date(2022, 3, 16)


def split(
    new: str, *, days: int = 0, symbol: str = "SPY", kind: CorporateActionKind = CorporateActionKind.SPLIT
) -> CorporateAction:
    return CorporateAction(symbol, DAY + timedelta(days=days), kind, Decimal(1), Decimal(new))


LATE, EARLY, TLT = split("4", days=5), split("2"), split("3", symbol="TLT")
DIVIDEND = CorporateAction("SPY", DAY, CorporateActionKind.DIVIDEND, cash=Decimal("1.5"))
ACTIONS = CorporateActions((LATE, DIVIDEND, EARLY, TLT))


@pytest.mark.parametrize(("old", "new", "ratio"), [("10", "1", "0.1"), ("2", "3", "1.5"), ("1", "1", "1")])
def test_ratio_is_new_shares_per_old(old: str, new: str, ratio: str) -> None:
    action = CorporateAction("SPY", DAY, CorporateActionKind.SPLIT, Decimal(old), Decimal(new))

    assert action.ratio == Decimal(ratio)


def test_a_dividend_changes_no_shares() -> None:
    assert (DIVIDEND.ratio, DIVIDEND.cash) == (Decimal(1), Decimal("1.5"))
    assert EARLY.cash == 0


@pytest.mark.parametrize("kind", CorporateActionKind)
def test_kind_of_its_name_is_the_kind(kind: CorporateActionKind) -> None:
    assert CorporateActionKind.of(kind.value) is kind


def test_kind_of_an_unknown_name_is_other() -> None:
    assert CorporateActionKind.of("tokenisation") is CorporateActionKind.OTHER


def test_splits_are_those_of_the_symbol_in_order() -> None:
    assert ACTIONS.splits("SPY") == (EARLY, LATE)
    assert ACTIONS.splits("GLD") == ()


@pytest.mark.parametrize(
    ("days", "kept"), [(-1, ()), (0, (DIVIDEND, EARLY, TLT)), (4, (DIVIDEND, EARLY, TLT)), (5, ACTIONS.actions)]
)
def test_until_a_day_keeps_what_has_taken_effect(days: int, kept: tuple[CorporateAction, ...]) -> None:
    assert ACTIONS.until(DAY + timedelta(days=days)).actions == kept


@pytest.mark.parametrize(
    ("after", "through", "ratio"), [(-1, 0, 2), (0, 4, 1), (0, 5, 4), (-1, 5, 8), (-3, -1, 1), (5, 9, 1)]
)
def test_ratio_of_a_period_multiplies_its_splits(after: int, through: int, ratio: int) -> None:
    period = {"after": DAY + timedelta(days=after), "through": DAY + timedelta(days=through)}

    assert ACTIONS.ratio("SPY", **period) == ratio
