"""Twenty deployed days equal a backtest of the same dates. It takes minutes, so it only runs with `-m slow`."""

import pytest

from desk.backtest.parity import find_differences
from tests.e2e.conftest import FIRST_DAY, Inv, Sandbox
from tests.e2e.parity_days import backtested_days, deployed_days

DAYS = 20


@pytest.mark.slow
def test_backtest_of_twenty_days_equals_the_deployment(sandbox: Sandbox, inv: Inv) -> None:
    for words in (("sandbox.reset",), ("deploy", "--env", "local")):
        assert inv(*words).returncode == 0
    done = inv("run-day", "--date", FIRST_DAY, "--days", str(DAYS), "--json")
    assert done.returncode == 0, done.stdout + done.stderr

    traded = deployed_days(sandbox)

    assert len(traded) == DAYS
    assert sum(len(record.trades) for record in traded) > DAYS
    assert find_differences(traded, backtested_days([record.day for record in traded])) == ()
