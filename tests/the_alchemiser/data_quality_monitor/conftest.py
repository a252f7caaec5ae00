"""A monitor whose lake has two good symbols."""

import pytest

from tests.the_alchemiser.data_quality_monitor.monitors import InMemoryMonitor
from tests.the_alchemiser.shared.market_data.samples import bars


@pytest.fixture
def harness() -> InMemoryMonitor:
    harness = InMemoryMonitor()
    harness.store("SPY", bars(60))
    harness.store("QQQ", bars(60))
    return harness
