"""The paper exchange: started once per test session, reset for every test that uses it."""

from collections.abc import Iterator
from datetime import date

import pytest

from sandbox.exchange.clock import Phase
from tests.the_alchemiser.paper import Paper, serve_paper


@pytest.fixture(scope="session")
def running_paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    with serve_paper(tmp_path_factory.mktemp("paper")) as paper:
        yield paper


@pytest.fixture
def paper(running_paper: Paper) -> Paper:
    """Return a new account of $100,000, 15 minutes before the close of 2023-11-22. Mark the test enable_socket."""
    running_paper.control.reset()
    running_paper.control.set_clock(date(2023, 11, 22), Phase.BEFORE_CLOSE)
    return running_paper
