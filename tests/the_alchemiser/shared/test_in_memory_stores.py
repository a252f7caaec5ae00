"""The fakes keep the contract that the tables keep, or the tests that lean on them prove nothing."""

import pytest

from tests.the_alchemiser.contracts import LedgerContract, RunStoreContract
from tests.the_alchemiser.fakes import InMemoryLedger, InMemoryRunStore
from the_alchemiser.shared.ledger.ledger import Ledger
from the_alchemiser.shared.run.runs import RunStore


class TestInMemoryRunStore(RunStoreContract):
    @pytest.fixture
    def store(self) -> RunStore:
        return InMemoryRunStore()


class TestInMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return InMemoryLedger()
