"""A command that cannot be carried out says what is wrong and what to type next, and has its exit code."""

import pytest

from tests.e2e.conftest import Inv, Sandbox

pytestmark = pytest.mark.usefixtures("first_day")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("run-day", "--date", "2022-03-19"), 2, "2022-03-18"),
        (("run-day", "--date", "yesterday"), 2, "yesterday"),
        (("run-day", "--date", "2021-03-16"), 2, "sandbox.reset"),
        (("run-day", "--env", "nonsense"), 2, "local, dev, pr-*, staging, prod"),
        (("deploy", "--env", "nonsense"), 2, "local, dev, pr-*, staging, prod"),
        (("deploy", "--env", "prod"), 2, "--yes"),
    ],
)
def test_request_that_cannot_be_met_fails_with_advice(inv: Inv, words: tuple[str, ...], code: int, text: str) -> None:
    done = inv(*words)

    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert text in done.stderr


def test_run_day_with_the_exchange_down_says_up(deployed: Sandbox, inv: Inv) -> None:
    inv("sandbox.down")

    done = inv("run-day")
    up = inv("sandbox.up")

    assert done.returncode == 5
    assert "inv sandbox.up" in done.stderr
    assert up.returncode == 0
    assert deployed.broker("/v2/positions")


def test_up_on_a_taken_port_leaves_nothing_running(deployed: Sandbox, inv: Inv) -> None:
    port = deployed.exchange_url.rpartition(":")[2]

    done = inv("sandbox.up", ALCHEMISER_SANDBOX_DIR=".sandbox/elsewhere", ALCHEMISER_EMULATOR_PORT=port)
    status = inv("sandbox.status", "--json", ALCHEMISER_SANDBOX_DIR=".sandbox/elsewhere")

    assert done.returncode in {4, 5}
    assert port in done.stderr
    assert '"state": "ready"' not in status.stdout
