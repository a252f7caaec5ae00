"""Domains intersect, and conditions become claims about them."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.strategies.domains import Claim, Domain, interpret_condition
from the_alchemiser.shared.symphony.comparing import compare
from the_alchemiser.shared.symphony.tree import (
    Comparison,
    Condition,
    CurrentPrice,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Number,
)

RSI = IndicatorOf(Indicator(IndicatorKind.RSI, (10,)), "SPY")
PRICE = CurrentPrice("SPY")
AVERAGE = IndicatorOf(Indicator(IndicatorKind.MOVING_AVERAGE_PRICE, (10,)), "SPY")

ends = st.sampled_from([-inf, 0.0, 1.0, 2.0, inf])
domains = st.builds(Domain, ends, ends, st.booleans(), st.booleans(), st.frozensets(st.sampled_from([0.0, 1.0, 2.0])))
numbers = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0])


def contains(domain: Domain, number: float) -> bool:
    return not domain.intersect(Domain(number, number)).is_empty


@given(domains, domains, numbers)
def test_intersect_contains_what_both_contain(left: Domain, right: Domain, number: float) -> None:
    assert contains(left.intersect(right), number) == (contains(left, number) and contains(right, number))


@given(domains, numbers)
def test_is_empty_domain_contains_no_number(domain: Domain, number: float) -> None:
    assert not (domain.is_empty and contains(domain, number))


@given(st.sampled_from(Comparison), numbers, numbers)
def test_interpret_condition_holds_where_the_comparison_does(
    comparison: Comparison, value: float, bound: float
) -> None:
    for condition in (
        Condition(comparison, RSI, Number(bound)),
        Condition(comparison, Number(bound), RSI),
    ):
        claim = interpret_condition(condition)
        assert isinstance(claim, Claim)
        pair = (value, bound) if condition.left == RSI else (bound, value)
        assert contains(claim.holds, value) == compare(comparison, *pair)
        assert contains(claim.fails, value) != compare(comparison, *pair)


@given(st.sampled_from(Comparison), numbers, numbers)
def test_interpret_condition_of_two_values_is_about_their_difference(
    comparison: Comparison, price: float, average: float
) -> None:
    value_of = {PRICE: price, AVERAGE: average}
    for left, right in ((PRICE, AVERAGE), (AVERAGE, PRICE)):
        claim = interpret_condition(Condition(comparison, left, right))
        assert isinstance(claim, Claim)
        assert claim.subject.minus is not None
        difference = value_of[claim.subject.value] - value_of[claim.subject.minus]
        assert contains(claim.holds, difference) == compare(comparison, value_of[left], value_of[right])


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Condition(Comparison.GREATER, Number(2), Number(1)), True),
        (Condition(Comparison.EQUAL, Number(2), Number(1)), False),
        (Condition(Comparison.EQUAL, Number(1.0000000001), Number(1)), True),
        (Condition(Comparison.GREATER, RSI, RSI), False),
        (Condition(Comparison.LESS_OR_EQUAL, RSI, RSI), True),
    ],
)
def test_interpret_condition_constant_is_its_outcome(condition: Condition, holds: bool) -> None:
    assert interpret_condition(condition) is holds


@pytest.mark.parametrize(
    ("domain", "text"),
    [
        (Domain(), "any number"),
        (Domain(2, 2), "2"),
        (Domain(low=1), "at least 1"),
        (Domain(0, 79.5, low_open=True, high_open=True), "above 0 and below 79.5"),
        (Domain(high=3, holes=frozenset({1.0})), "at most 3 and not 1"),
    ],
)
def test_domain_as_text_is_a_phrase(domain: Domain, text: str) -> None:
    assert str(domain) == text
