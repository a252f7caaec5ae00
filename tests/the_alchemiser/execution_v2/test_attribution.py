"""Laws of the split of fills over strategies."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from the_alchemiser.execution_v2.attribution import SHARE_UNIT, attribute, cash_of
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.messaging.messages import Side

shares = st.decimals(min_value=Decimal("-1e6"), max_value=Decimal("1e6"), places=9)
wants = st.dictionaries(st.sampled_from("abcdef"), shares.filter(bool), max_size=6)


def D(text: str) -> Decimal:  # noqa: N802 - as short as a literal
    return Decimal(text)


def test_attribute_with_one_side_splits_in_proportion() -> None:
    split = attribute(D("30"), before=D("0"), ordered=D("30"), deltas={"a": D("10"), "b": D("20")})

    assert split == {"a": D("10"), "b": D("20")}


def test_attribute_with_opposite_wants_crosses_them_inside() -> None:
    split = attribute(D("-10"), before=D("0"), ordered=D("-10"), deltas={"a": D("-15"), "b": D("5")})

    assert split == {"a": D("-15"), "b": D("5")}


def test_attribute_of_half_the_trade_crosses_half() -> None:
    split = attribute(D("-5"), before=D("0"), ordered=D("-10"), deltas={"a": D("-15"), "b": D("5")})

    assert split == {"a": D("-7.5"), "b": D("2.5")}


def test_attribute_of_scaled_down_buy_serves_the_seller_whole() -> None:
    split = attribute(D("6"), before=D("0"), ordered=D("6"), deltas={"a": D("12"), "b": D("-2")})

    assert split == {"a": D("8"), "b": D("-2")}


def test_attribute_that_nobody_wanted_is_unattributed() -> None:
    split = attribute(D("-3"), before=D("0"), ordered=D("-3"), deltas={"a": D("1")})

    assert split == {UNATTRIBUTED: D("-3")}


@given(wants, shares.filter(bool), st.integers(min_value=0, max_value=1000))
def test_attribute_in_two_fills_sums_exactly_to_each(
    deltas: dict[str, Decimal], ordered: Decimal, permille: int
) -> None:
    first = (ordered * permille / 1000).quantize(SHARE_UNIT)

    one = attribute(first, before=Decimal(0), ordered=ordered, deltas=deltas)
    two = attribute(ordered - first, before=first, ordered=ordered, deltas=deltas)

    assert sum(one.values(), Decimal(0)) == first
    assert sum(two.values(), Decimal(0)) == ordered - first


@given(wants, st.integers(min_value=0, max_value=1000))
def test_attribute_of_whole_trade_gives_every_strategy_what_it_wanted(
    deltas: dict[str, Decimal], permille: int
) -> None:
    ordered = sum(deltas.values(), Decimal(0))
    assume(ordered)
    first = (ordered * permille / 1000).quantize(SHARE_UNIT)

    one = attribute(first, before=Decimal(0), ordered=ordered, deltas=deltas)
    two = attribute(ordered - first, before=first, ordered=ordered, deltas=deltas)

    assert {name: one.get(name, Decimal(0)) + two.get(name, Decimal(0)) for name in deltas} == deltas


@given(wants, shares.filter(bool))
def test_attribute_never_turns_a_want_around(deltas: dict[str, Decimal], ordered: Decimal) -> None:
    split = attribute(ordered, before=Decimal(0), ordered=ordered, deltas=deltas)

    assert all(share * deltas[name] > 0 for name, share in split.items() if name != UNATTRIBUTED)


@pytest.mark.parametrize(
    ("side", "price", "expected"), [(Side.BUY, "0.125", "-0.13"), (Side.SELL, "0.125", "0.13"), (Side.SELL, "1", "1")]
)
def test_cash_of_half_a_cent_rounds_up(side: Side, price: str, expected: str) -> None:
    assert cash_of(side, D("1"), D(price)) == D(expected)
