"""The fakes keep the contracts of the tables, so that the tests that use them are valid."""

import pytest

from tests.the_alchemiser.contracts import BooksStoreContract, LedgerContract, RunStoreContract
from tests.the_alchemiser.fakes import InMemoryBooks, InMemoryLedger, InMemoryRunStore
from the_alchemiser.shared.books.store import BooksStore
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


class TestInMemoryBooks(BooksStoreContract):
    @pytest.fixture
    def books(self) -> BooksStore:
        return InMemoryBooks()
