"""One emulator for the tests of its rules; it starts when the first of them needs it."""

from collections.abc import Iterator

import pytest

from automation.system.aws import client
from automation.system.targets import Target
from sandbox import emulator
from sandbox.settings import SandboxSettings
from tests.sandbox.emulated_stacks import Clients, Stack
from tests.sandbox.test_cloud import ROOT
from tests.sandbox.test_servers import free_port


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    settings = SandboxSettings(ROOT, tmp_path_factory.mktemp("sandbox"), free_port(), 1)
    emulator.start(settings)
    target = Target("us-east-1", settings.emulator_url, "test", "test")
    yield Clients(*(client(service, target) for service in ("cloudformation", "dynamodb", "s3", "sqs")))
    emulator.stop(settings)


@pytest.fixture
def stack(clients: Clients) -> Stack:
    return Stack(clients)
