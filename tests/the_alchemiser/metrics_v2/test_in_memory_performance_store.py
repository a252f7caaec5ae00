import pytest

from tests.the_alchemiser.metrics_v2.fakes import InMemoryPerformanceStore
from tests.the_alchemiser.metrics_v2.performance_store_contract import (
    PerformanceStoreContract,
    ReadablePerformanceStore,
)


class TestInMemoryPerformanceStore(PerformanceStoreContract):
    @pytest.fixture
    def performances(self) -> ReadablePerformanceStore:
        return InMemoryPerformanceStore()
