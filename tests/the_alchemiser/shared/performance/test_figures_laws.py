"""Time-weighted returns equal those of empyrical, and do not depend on deposits."""

from datetime import date, timedelta
from decimal import Decimal

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as draw

from tests.the_alchemiser.shared.performance.account_rows import account_row
from the_alchemiser.shared.performance.figures import History, days, growth, period

FIRST = date(2022, 3, 14)
MOVES = draw.lists(draw.tuples(draw.integers(-30, 40), draw.integers(0, 900_000)), min_size=1, max_size=30)


def history(moves: list[tuple[int, int]], *, has_deposits: bool = True) -> History:
    """Return the rows of an account that moves by percents of its capital, after deposits in cents."""
    equity, deposited = Decimal(1000), Decimal(0)
    rows = [account_row(FIRST, "1000")]
    for number, (percent, cents) in enumerate(moves, start=1):
        deposit = Decimal(cents) / 100 if has_deposits else Decimal(0)
        equity = (equity + deposit) * (100 + percent) / 100
        deposited += deposit
        rows.append(account_row(FIRST + timedelta(days=number), str(equity), deposits=str(deposited)))
    return History.of(rows)


@given(moves=MOVES)
def test_return_and_growth_equal_those_of_empyrical(moves: list[tuple[int, int]]) -> None:
    rows = history(moves)
    returns = np.array([float(day.time_weighted_return or 0) for day in days(rows)])

    whole = period(rows)

    assert whole is not None
    assert whole.time_weighted_return is not None
    assert float(whole.time_weighted_return) == pytest.approx(empyrical.cum_returns_final(returns), abs=1e-9)
    values = [float(value) for _, value in growth(rows)]
    assert values == pytest.approx(list(empyrical.cum_returns(returns, starting_value=1)), rel=1e-9)


@given(moves=MOVES)
def test_deposits_change_no_time_weighted_return(moves: list[tuple[int, int]]) -> None:
    with_deposits, without = period(history(moves)), period(history(moves, has_deposits=False))

    assert with_deposits is not None
    assert without is not None
    assert with_deposits.time_weighted_return is not None
    assert without.time_weighted_return is not None
    assert abs(with_deposits.time_weighted_return - without.time_weighted_return) < Decimal("1e-15")
