"""A `run-day` that is killed in the middle of its day: the next one completes and checks that day."""

import json
import subprocess
import sys
import time

import pytest

from tests.e2e.conftest import ROOT, Inv, Sandbox

pytestmark = pytest.mark.usefixtures("first_day")


def runs(sandbox: Sandbox) -> set[str]:
    """Return the ids of all runs."""
    table = sandbox.resources("alchemiser-local")["Runs"]
    rows = sandbox.client("dynamodb").scan(TableName=table)["Items"]
    return {row["pk"]["S"] for row in rows if row["sk"]["S"] == "META" and row["pk"]["S"].startswith("RUN#")}


def test_interrupted_day_is_completed_and_checked(deployed: Sandbox, inv: Inv) -> None:
    before = runs(deployed)
    deposited = inv("sandbox.transfer", "--amount", "2500.50")  # test_3_performance.py finds it in the figures
    assert deposited.returncode == 0, deposited.stdout + deposited.stderr
    interrupted = subprocess.Popen(
        [sys.executable, "-m", "invoke", "run-day"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while runs(deployed) == before and interrupted.poll() is None:
        time.sleep(0.05)
    interrupted.kill()
    interrupted.wait()

    again = inv("run-day", "--json")

    assert again.returncode == 0, again.stdout + again.stderr
    (day,) = json.loads(again.stdout)
    assert (day["state"], day["ok"], day["findings"]) == ("COMPLETED", True, [])
    assert runs(deployed) - before == {f"RUN#{day['run_id']}"}
