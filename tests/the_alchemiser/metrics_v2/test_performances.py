import pytest

from tests.the_alchemiser.metrics_v2.contract import PerformancesContract, ReadablePerformances
from tests.the_alchemiser.metrics_v2.fakes import InMemoryPerformances


class TestInMemoryPerformances(PerformancesContract):
    @pytest.fixture
    def kept(self) -> ReadablePerformances:
        return InMemoryPerformances()
