"""The simulator's fakes answer as the contract says; tests/e2e runs the same contract on the emulator."""

from pathlib import Path

import pytest

from tests.fidelity import dynamo_contract, query_contract, services_contract
from tests.fidelity.backend import Backend, DynamoSide
from tests.fidelity.dynamo_contract import DynamoContract
from tests.fidelity.fakes import SimulatedQueue, simulated_backend, simulated_dynamo
from tests.fidelity.query_contract import QueryContract
from tests.fidelity.queue_contract import QueueContract, QueueSide
from tests.fidelity.services_contract import ServicesContract
from tests.simulation import aws_clients
from tests.simulation.dynamo import Dynamo


def test_contract_makes_each_call_that_a_fake_knows() -> None:
    text = "".join(
        Path(module.__file__ or "").read_text() for module in (dynamo_contract, query_contract, services_contract)
    )
    calls: set[str] = set()
    for fake in (Dynamo, *aws_clients._CLIENTS.values()):
        calls |= {name for name in dir(fake) if not name.startswith("_")}

    assert [call for call in sorted(calls) if f".{call}" not in text] == []


class TestDynamo(DynamoContract):
    @pytest.fixture
    def dynamo(self) -> DynamoSide:
        return simulated_dynamo()


class TestQueries(QueryContract):
    @pytest.fixture
    def dynamo(self) -> DynamoSide:
        return simulated_dynamo()


class TestServices(ServicesContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return simulated_backend()


class TestQueues(QueueContract):
    @pytest.fixture
    def queue(self) -> QueueSide:
        return SimulatedQueue(is_fifo=False)

    @pytest.fixture
    def fifo(self) -> QueueSide:
        return SimulatedQueue(is_fifo=True)
