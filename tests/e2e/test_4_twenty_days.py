"""Twenty sessions in a row complete. It takes minutes, so it only runs with `-m slow`."""

import json

import pytest

from tests.e2e.conftest import FIRST_DAY, Inv, Sandbox

DAYS = 20


@pytest.mark.slow
def test_twenty_consecutive_days_complete(sandbox: Sandbox, inv: Inv) -> None:
    for words in (("sandbox.reset",), ("deploy", "--env", "local")):
        assert inv(*words).returncode == 0

    done = inv("run-day", "--date", FIRST_DAY, "--days", str(DAYS), "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    days = json.loads(done.stdout)
    assert [day["state"] for day in days] == ["COMPLETED"] * DAYS
