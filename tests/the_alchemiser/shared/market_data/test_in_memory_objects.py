"""The fake keeps the contract of an ObjectStore, so that the tests that use it are valid."""

import pytest

from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.object_store_contract import ObjectStoreContract
from the_alchemiser.shared.market_data.objects import ObjectStore


class TestInMemoryObjects(ObjectStoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return InMemoryObjects()
