"""A healthy history violates nothing; the check names what is violated."""

from tests.simulation.healthy import (
    history,
)
from tests.simulation.invariants import check

HEALTHY = history()


def test_check_of_a_healthy_history_finds_nothing() -> None:
    assert check(HEALTHY) == ()


def test_check_names_the_invariant_and_what_happened() -> None:
    violations = check(history(is_quiet=False))
    assert violations == (("history_ends", "messages or invocations were left when the history ended"),)
