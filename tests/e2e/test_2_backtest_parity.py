"""A backtest of the days traded so far has the same decisions, the same trades, and the same money to the cent."""

import pytest

from desk.backtest.parity import find_differences
from tests.e2e.conftest import Inv, Sandbox
from tests.e2e.parity_days import backtested_days, deployed_days


@pytest.mark.usefixtures("first_day")
def test_backtest_of_the_traded_days_equals_the_deployment(deployed: Sandbox, inv: Inv) -> None:
    if len(deployed_days(deployed)) < 2:
        next_day = inv("run-day")
        assert next_day.returncode == 0, next_day.stdout + next_day.stderr

    traded = deployed_days(deployed)

    assert len(traded) >= 2
    assert find_differences(traded, backtested_days([record.day for record in traded])) == ()
