"""The attribution of fills to strategies: cases, and laws that always hold."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from the_alchemiser.shared.ledger.attribution import attribute, cash_of
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.values import LEDGER_SHARE, Side

shares = st.decimals(min_value=Decimal("-1e6"), max_value=Decimal("1e6"), places=9)
deltas_by_strategy = st.dictionaries(st.sampled_from("abcdef"), shares.filter(bool), max_size=6)


def D(text: str) -> Decimal:  # noqa: N802 - as short as a literal
    return Decimal(text)


def test_attribute_with_one_side_splits_in_proportion() -> None:
    split = attribute(D("30"), before=D("0"), ordered=D("30"), deltas={"a": D("10"), "b": D("20")})

    assert split == {"a": D("10"), "b": D("20")}


def test_attribute_with_opposite_deltas_crosses_them_internally() -> None:
    split = attribute(D("-10"), before=D("0"), ordered=D("-10"), deltas={"a": D("-15"), "b": D("5")})

    assert split == {"a": D("-15"), "b": D("5")}


def test_attribute_of_half_the_trade_crosses_half() -> None:
    split = attribute(D("-5"), before=D("0"), ordered=D("-10"), deltas={"a": D("-15"), "b": D("5")})

    assert split == {"a": D("-7.5"), "b": D("2.5")}


def test_attribute_of_scaled_down_buy_fills_the_seller_completely() -> None:
    split = attribute(D("6"), before=D("0"), ordered=D("6"), deltas={"a": D("12"), "b": D("-2")})

    assert split == {"a": D("8"), "b": D("-2")}


@pytest.mark.parametrize("delta", ["1", "0"])
def test_attribute_of_fill_no_strategy_wants_is_unattributed(delta: str) -> None:
    split = attribute(D("-3"), before=D("0"), ordered=D("-3"), deltas={"a": D(delta)})

    # The stored word: entries of earlier releases have it.
    assert split == {"unattributed": D("-3")}


def test_attribute_gives_the_last_unit_to_the_largest_remainder() -> None:
    split = attribute(D("1"), before=D("0"), ordered=D("1"), deltas={"a": D("1"), "b": D("2")})

    assert split == {"a": D("0.333333333"), "b": D("0.666666667")}


@pytest.mark.parametrize(("filled", "share"), [("1.5", "1.500000000"), ("-2", "-2.000000000"), ("1E-12", "1E-12")])
def test_attribute_to_one_strategy_is_whole_fill_in_ledger_places(filled: str, share: str) -> None:
    split = attribute(D(filled), before=D("0"), ordered=D(filled), deltas={"a": D(filled) * 7})

    assert {name: str(value) for name, value in split.items()} == {"a": share}


@given(deltas_by_strategy, shares.filter(bool), st.integers(min_value=0, max_value=1000))
def test_attribute_in_two_fills_sums_exactly_to_each(
    deltas: dict[str, Decimal], ordered: Decimal, permille: int
) -> None:
    first = (ordered * permille / 1000).quantize(LEDGER_SHARE)

    first_split = attribute(first, before=Decimal(0), ordered=ordered, deltas=deltas)
    second_split = attribute(ordered - first, before=first, ordered=ordered, deltas=deltas)

    assert sum(first_split.values(), Decimal(0)) == first
    assert sum(second_split.values(), Decimal(0)) == ordered - first


def test_attribute_of_large_trade_in_two_fills_is_exact() -> None:
    """The products have 32 digits; the default context of decimal would round them to 28."""
    deltas = {"a": D("-959261.026801023"), "b": D("798.384000001"), "c": D("762485.19911572")}
    ordered, first = D("-195977.443685302"), D("-27240.864672257")

    first_split = attribute(first, before=D("0"), ordered=ordered, deltas=deltas)
    second_split = attribute(ordered - first, before=first, ordered=ordered, deltas=deltas)

    assert {name: first_split.get(name, D("0")) + second_split.get(name, D("0")) for name in deltas} == deltas


@given(deltas_by_strategy, st.integers(min_value=0, max_value=1000))
def test_attribute_of_whole_trade_gives_every_strategy_its_delta(deltas: dict[str, Decimal], permille: int) -> None:
    ordered = sum(deltas.values(), Decimal(0))
    assume(ordered)
    first = (ordered * permille / 1000).quantize(LEDGER_SHARE)

    first_split = attribute(first, before=Decimal(0), ordered=ordered, deltas=deltas)
    second_split = attribute(ordered - first, before=first, ordered=ordered, deltas=deltas)

    total = {name: first_split.get(name, Decimal(0)) + second_split.get(name, Decimal(0)) for name in deltas}
    assert total == deltas


@given(deltas_by_strategy, shares.filter(bool))
def test_attribute_never_reverses_a_delta(deltas: dict[str, Decimal], ordered: Decimal) -> None:
    split = attribute(ordered, before=Decimal(0), ordered=ordered, deltas=deltas)

    assert all(share * deltas[name] > 0 for name, share in split.items() if name != UNATTRIBUTED)


@pytest.mark.parametrize(
    ("side", "price", "expected"), [(Side.BUY, "0.125", "-0.13"), (Side.SELL, "0.125", "0.13"), (Side.SELL, "1", "1")]
)
def test_cash_of_half_a_cent_rounds_up(side: Side, price: str, expected: str) -> None:
    assert cash_of(side, D("1"), D(price)) == D(expected)
