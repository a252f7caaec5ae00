"""A deployment whose smoke test fails stays unproven until the test passes."""

import subprocess
from collections.abc import Iterator

import pytest

from automation.deploying import records
from automation.system.targets import Target
from tests.e2e.conftest import ROOT, Inv, Sandbox

STACK = "alchemiser-local"
FUNCTION = "MetricsFunction"


@pytest.fixture
def broken_function(deployed: Sandbox) -> Iterator[str]:
    """Take the environment variables from one function, and forget that its stack was ever proven."""
    functions = deployed.client("lambda")
    name = deployed.resources(STACK)[FUNCTION]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    records.path_of(ROOT, Target("us-east-1", deployed.emulator_url, "test", "test"), STACK).unlink()

    yield name
    functions.update_function_configuration(FunctionName=name, Environment=environment)


def deploy(inv: Inv) -> subprocess.CompletedProcess[str]:
    return inv("deploy", "--env", "local")


def test_deploy_failed_smoke_fails_again_until_the_function_works(
    deployed: Sandbox, inv: Inv, request: pytest.FixtureRequest
) -> None:
    functions, name = deployed.client("lambda"), deployed.resources(STACK)[FUNCTION]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    request.getfixturevalue("broken_function")

    failures = [deploy(inv), deploy(inv)]
    functions.update_function_configuration(FunctionName=name, Environment=environment)
    repaired, proven = deploy(inv), deploy(inv)

    for failure in failures:
        assert failure.returncode == 6, failure.stdout + failure.stderr
        assert f"{FUNCTION} failed" in failure.stderr
    assert (repaired.returncode, proven.returncode) == (0, 0)
    assert "10 functions answered" in repaired.stdout
    assert "functions answered" not in proven.stdout
    assert "nothing has changed in local" in proven.stdout
