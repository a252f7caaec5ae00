"""The fake keeps the contract that the bucket keeps, or the tests that lean on it prove nothing."""

import pytest

from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from tests.the_alchemiser.shared.market_data.object_store_contract import ObjectStoreContract
from the_alchemiser.shared.market_data.objects import ObjectStore


class TestInMemoryObjects(ObjectStoreContract):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return InMemoryObjects()
