"""Separate sandboxes for this session: `nox -s e2e` gives it free ports and a folder. No AWS account is touched.

Two workers run it beside each other, each with a sandbox of its own: one trades days, the other one deploys to prod.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from sandbox.settings import DIRECTORY_VARIABLE, EMULATOR_PORT_VARIABLE, EXCHANGE_PORT_VARIABLE
from tests.e2e.aws_proxy import AwsProxy
from tests.e2e.deploy_role import REPOSITORY, DeployRole, token
from tests.e2e.production import Production, copy_project, make_production

ROOT = Path(__file__).parents[2]
FIRST_DAY = "2022-03-16"
# The tests of the second worker: they deploy in accounts of their own, and need nothing of what is deployed to local;
# the tutorial, which comes last, deploys to local itself.
OF_PROD = (
    *("test_0_differences.py", "test_0_fidelity.py", "test_0_identity_tokens.py"),
    *("test_0_release_table.py", "test_0_stores.py"),
    *("test_1_size_history.py", "test_6_deployment.py", "test_6_temporary.py", "test_7_destroy.py"),
    "test_9_tutorial.py",
)
Inv = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The URLs of this session's emulator and exchange."""

    emulator_url: str
    exchange_url: str

    def client(self, service: str, *, account: str = "test", key: str = "test") -> Any:
        """Return a boto3 client of the emulator; a 12-digit key is a separate account."""
        return _client(self.emulator_url, service, account, key)

    def resources(self, stack: str) -> dict[str, str]:
        """Return the physical ids of a stack's resources, by logical id."""
        resources = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def broker(self, path: str, **query: str) -> Any:
        """Return the exchange's JSON response to a GET."""
        headers = {"APCA-API-KEY-ID": "sandbox-key", "APCA-API-SECRET-KEY": "sandbox-secret"}
        return httpx.get(f"{self.exchange_url}{path}", params=query, headers=headers).raise_for_status().json()


@cache
def _client(url: str, service: str, account: str, key: str) -> Any:
    """Create a client, which takes longer than most calls."""
    return boto3.client(
        service,  # type: ignore[call-overload]  # any service, by name
        endpoint_url=url,
        aws_access_key_id=account,
        aws_secret_access_key=key,
        region_name="us-east-1",
    )


def pytest_configure() -> None:
    """Give a worker of pytest-xdist a folder and ports of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and DIRECTORY_VARIABLE in os.environ:
        os.environ[DIRECTORY_VARIABLE] = str(Path(os.environ[DIRECTORY_VARIABLE]) / worker)
        for variable in (EMULATOR_PORT_VARIABLE, EXCHANGE_PORT_VARIABLE):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                os.environ[variable] = str(probe.getsockname()[1])


class TwoGroups(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Keeps the tests of a group together and in order: each builds on what those before it have left."""

    def _split_scope(self, nodeid: str) -> str:
        return "prod" if Path(nodeid.partition("::")[0]).name in OF_PROD else "days"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TwoGroups:
    """Give one group to each of two workers."""
    return TwoGroups(config, log)


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    try:
        emulator, exchange = os.environ[EMULATOR_PORT_VARIABLE], os.environ[EXCHANGE_PORT_VARIABLE]
    except KeyError:
        pytest.exit("these tests need a separate sandbox; run nox -s e2e", returncode=2)
    return Sandbox(f"http://127.0.0.1:{emulator}", f"http://127.0.0.1:{exchange}")


@pytest.fixture(scope="session")
def inv() -> Inv:
    """Return a function that runs `inv` without a terminal; it captures the output and accepts every exit code."""

    def run(*words: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=cwd,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    return run


@pytest.fixture(scope="session")
def running(sandbox: Sandbox, inv: Inv) -> Sandbox:
    """Return a fresh sandbox in which nothing is deployed; the session of Nox stops it."""
    done = inv("sandbox.reset", "sandbox.up")
    assert done.returncode == 0, done.stdout + done.stderr
    return sandbox


@pytest.fixture(scope="session")
def bootstrapped(running: Sandbox, inv: Inv, tmp_path_factory: pytest.TempPathFactory) -> DeployRole:
    """Return the deploy role of an account that is prepared for local."""
    done = inv("bootstrap", "--env", "local", "--repository", REPOSITORY)
    assert done.returncode == 0, done.stdout + done.stderr
    file = tmp_path_factory.mktemp("github") / "token"
    file.write_text(token("local"))
    return DeployRole(running, file)


@pytest.fixture(scope="session")
def deployed(running: Sandbox, bootstrapped: DeployRole, inv: Inv) -> Sandbox:
    """Return a fresh sandbox with both stacks deployed, by the deploy role."""
    done = inv("deploy", "--env", "local", **bootstrapped.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return running


@pytest.fixture(scope="session")
def project(deployed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, for edits, whose local environment is the one of this session."""
    return copy_project(tmp_path_factory.mktemp("edited"), deployed.exchange_url)


@pytest.fixture(scope="session")
def first_day(deployed: Sandbox, inv: Inv) -> subprocess.CompletedProcess[str]:
    """Trade the demo's day once, for all tests that look at its results."""
    return inv("run-day", "--date", FIRST_DAY)


@pytest.fixture(scope="session")
def prod(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Production:
    """Copy the project for deployments to prod on the emulator; nothing is deployed yet."""
    return make_production(tmp_path_factory.mktemp("prod"), running)


@pytest.fixture(scope="session")
def served_proxy(running: Sandbox) -> Iterator[AwsProxy]:
    with AwsProxy(running.emulator_url).serve() as proxy:
        yield proxy


@pytest.fixture
def proxy(served_proxy: AwsProxy) -> AwsProxy:
    """Return a proxy before the emulator, without faults."""
    served_proxy.clear()
    return served_proxy
