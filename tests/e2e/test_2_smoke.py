"""A deployment whose smoke test fails stays unproven until the test passes."""

from collections.abc import Callable, Iterator

import pytest

from automation.deploying import records
from automation.system.targets import Target
from tests.e2e.conftest import ROOT, Inv, Sandbox

STACK = "alchemiser-local"
FUNCTION = "MetricsFunction"


@pytest.fixture
def repair(deployed: Sandbox) -> Iterator[Callable[[], None]]:
    """Break one function and remove the record of its stack; return what repairs the function."""
    functions, name = deployed.client("lambda"), deployed.resources(STACK)[FUNCTION]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]

    def restore_variables() -> None:
        functions.update_function_configuration(FunctionName=name, Environment=environment)

    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    records.path_of(ROOT, Target("us-east-1", deployed.emulator_url, "test", "test"), STACK).unlink()
    yield restore_variables
    restore_variables()


def test_deploy_failed_smoke_fails_again_until_the_function_works(inv: Inv, repair: Callable[[], None]) -> None:
    failures = [inv("deploy", "--env", "local") for _ in range(2)]
    repair()
    repaired, proven = inv("deploy", "--env", "local"), inv("deploy", "--env", "local")

    for failure in failures:
        assert failure.returncode == 6, failure.stdout + failure.stderr
        assert f"{FUNCTION} failed" in failure.stderr
    assert (repaired.returncode, proven.returncode) == (0, 0)
    assert "10 functions answered" in repaired.stdout
    assert "functions answered" not in proven.stdout
    assert "nothing has changed in local" in proven.stdout
