import pytest

from tests.the_alchemiser.coordinator_v2.office import Log, Office


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog)
