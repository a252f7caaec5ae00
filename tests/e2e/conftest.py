"""A separate sandbox for this session: `nox -s e2e` gives it free ports and a folder. No AWS account is touched."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from tests.e2e.aws_proxy import AwsProxy
from tests.e2e.production import Production, make_production

ROOT = Path(__file__).parents[2]
FIRST_DAY = "2022-03-16"
Inv = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The URLs of this session's emulator and exchange."""

    emulator_url: str
    exchange_url: str

    def client(self, service: str, *, account: str = "test", key: str = "test") -> Any:
        """Return a boto3 client of the emulator; a 12-digit key is a separate account."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service, by name
            endpoint_url=self.emulator_url,
            aws_access_key_id=account,
            aws_secret_access_key=key,
            region_name="us-east-1",
        )

    def resources(self, stack: str) -> dict[str, str]:
        """Return the physical ids of a stack's resources, by logical id."""
        resources = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}

    def broker(self, path: str, **query: str) -> Any:
        """Return the exchange's JSON response to a GET."""
        headers = {"APCA-API-KEY-ID": "sandbox-key", "APCA-API-SECRET-KEY": "sandbox-secret"}
        return httpx.get(f"{self.exchange_url}{path}", params=query, headers=headers).raise_for_status().json()


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    try:
        emulator, exchange = os.environ["ALCHEMISER_EMULATOR_PORT"], os.environ["ALCHEMISER_EXCHANGE_PORT"]
    except KeyError:
        pytest.exit("these tests need a separate sandbox; run nox -s e2e", returncode=2)
    return Sandbox(f"http://127.0.0.1:{emulator}", f"http://127.0.0.1:{exchange}")


@pytest.fixture(scope="session")
def inv() -> Inv:
    """Return a function that runs `inv` without a terminal; it captures the output and accepts every exit code."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    return run


@pytest.fixture(scope="session")
def deployed(sandbox: Sandbox, inv: Inv) -> Iterator[Sandbox]:
    """Return a fresh sandbox with both stacks deployed."""
    for words in (("sandbox.reset",), ("deploy", "--env", "local")):
        done = inv(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    yield sandbox
    inv("sandbox.down")


@pytest.fixture(scope="session")
def first_day(deployed: Sandbox, inv: Inv) -> subprocess.CompletedProcess[str]:
    """Trade the demo's day once, for all tests that look at its results."""
    return inv("run-day", "--date", FIRST_DAY)


@pytest.fixture(scope="session")
def prod(deployed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Production:
    """Copy the project for deployments to prod on the emulator; nothing is deployed yet."""
    return make_production(tmp_path_factory.mktemp("prod"), deployed)


@pytest.fixture(scope="session")
def served_proxy(deployed: Sandbox) -> Iterator[AwsProxy]:
    with AwsProxy(deployed.emulator_url).serve() as proxy:
        yield proxy


@pytest.fixture
def proxy(served_proxy: AwsProxy) -> AwsProxy:
    """Return a proxy before the emulator, without faults."""
    served_proxy.clear()
    return served_proxy
