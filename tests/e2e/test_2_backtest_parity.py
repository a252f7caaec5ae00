"""A backtest of the days traded here so far does the same: every decision, every trade, the money to the cent."""

import pytest

from desk.backtest.parity import differences
from tests.e2e.conftest import Inv, Sandbox
from tests.e2e.parity_days import backtested_days, deployed_days


@pytest.mark.usefixtures("first_day")
def test_backtest_of_the_days_traded_so_far_is_what_was_deployed(deployed: Sandbox, inv: Inv) -> None:
    if len(deployed_days(deployed)) < 2:
        next_day = inv("run-day")
        assert next_day.returncode == 0, next_day.stdout + next_day.stderr

    traded = deployed_days(deployed)

    assert len(traded) >= 2
    assert differences(traded, backtested_days([record.day for record in traded])) == ()
