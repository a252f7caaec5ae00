"""Allocations are scaled down to leave room for a new one."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.strategies.allocation_scaling import scale_down

parts = st.lists(st.integers(min_value=20, max_value=1000), min_size=1, max_size=12)


def allocations_of(numbers: list[int]) -> list[Decimal]:
    """Return multiples of 0.0001 that sum to exactly 1."""
    total = sum(numbers)
    allocations = [Decimal(number * 10_000 // total) / 10_000 for number in numbers]
    allocations[-1] += 1 - sum(allocations)
    return allocations


@given(parts, st.integers(min_value=1, max_value=5000))
def test_scale_down_plus_the_new_one_sums_to_exactly_one(numbers: list[int], new: int) -> None:
    before = allocations_of(numbers)
    allocation = Decimal(new) / 10_000

    after = scale_down(before, new=allocation)
    assert sum(after) + allocation == 1
    for was, now in zip(before, after, strict=True):
        assert abs(now - was * (1 - allocation)) < Decimal("0.0001")


def test_scale_down_finer_allocation_is_kept_exactly() -> None:
    assert scale_down([Decimal("0.5"), Decimal("0.5")], new=Decimal("0.00003")) == (
        Decimal("0.49999"), Decimal("0.49998"),
    )  # fmt: skip


def test_scale_down_remainder_goes_to_the_largest_loss() -> None:
    third = Decimal("0.3333")

    assert scale_down([Decimal("0.3334"), third, third], new=Decimal("0.1")) == (
        Decimal("0.3"), Decimal("0.3"), Decimal("0.3"),
    )  # fmt: skip


def test_scale_down_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fall below 0\.0001"):
        scale_down([Decimal("0.9999"), Decimal("0.0001")], new=Decimal("0.9"))
