"""The emulator answers as the contract says that the simulator's fakes keep in tests/fidelity."""

import time
from collections.abc import Mapping
from functools import partial

import pytest

from tests.e2e.conftest import Sandbox
from tests.fidelity.backend import Backend, DynamoSide
from tests.fidelity.dynamo_contract import DynamoContract
from tests.fidelity.emulator import Client, EmulatedQueue, emulated_backend, emulated_dynamo
from tests.fidelity.query_contract import QueryContract
from tests.fidelity.queue_contract import QueueContract, QueueSide, Received
from tests.fidelity.services_contract import ServicesContract

ACCOUNT = "000000000013"
# Where the emulator is not like AWS; the fakes are. A test that starts to pass fails, so that its line is removed.
DEVIATIONS: Mapping[str, str] = {
    "test_update_item_that_is_invalid_changes_nothing[SET sent := :x]": "the emulator takes := for =",
}


@pytest.fixture
def account(running: Sandbox) -> Client:
    """Return what returns the clients of an account of its own."""
    return partial(running.client, account=ACCOUNT)


@pytest.fixture(autouse=True)
def deviation(request: pytest.FixtureRequest) -> None:
    reason = DEVIATIONS.get(request.node.name)
    if reason:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))


class TestDynamo(DynamoContract):
    @pytest.fixture
    def dynamo(self, account: Client) -> DynamoSide:
        return emulated_dynamo(account)


class TestQueries(QueryContract):
    @pytest.fixture
    def dynamo(self, account: Client) -> DynamoSide:
        return emulated_dynamo(account)


class TestServices(ServicesContract):
    @pytest.fixture
    def backend(self, running: Sandbox, account: Client) -> Backend:
        return emulated_backend(account, running.emulator_url, ACCOUNT)


class TestQueues(QueueContract):
    @pytest.fixture
    def queue(self, account: Client) -> QueueSide:
        return EmulatedQueue(account, is_fifo=False)

    @pytest.fixture
    def fifo(self, account: Client) -> QueueSide:
        return EmulatedQueue(account, is_fifo=True)

    def test_visibility_ends_by_itself(self, account: Client) -> None:
        queue = EmulatedQueue(account, is_fifo=False, visibility_s=1)
        queue.send("a")
        queue.receive()
        time.sleep(1.1)

        assert queue.receive() == [Received("a", 2)]
