"""What is reported when a question to the account has no answer."""

import pytest

from automation.deploying.checks import visits
from automation.deploying.remarks import Level, Remark
from automation.system.accounts import CallError, Problem


@pytest.mark.parametrize(
    ("problem", "remark"),
    [
        (
            Problem.UNSUPPORTED,
            Remark(Level.INFO, "queue", "not rehearsed here: the endpoint does not support this check"),
        ),
        (
            Problem.DENIED,
            Remark(
                Level.WARN,
                "queue",
                "could not be checked: why",
                "allow the call that the message names, or check by hand",
            ),
        ),
        (Problem.OTHER, Remark(Level.WARN, "queue", "could not be checked: why", "run inv doctor again")),
        (Problem.UNREACHABLE, Remark(Level.WARN, "queue", "could not be checked: why", "run inv doctor again")),
    ],
)
def test_unanswered_never_stops(problem: Problem, remark: Remark) -> None:
    assert visits.unanswered("queue", CallError(problem, "why")) == remark


def test_ask_each_goes_on_after_a_failure() -> None:
    def ask(number: int) -> Remark | None:
        if number == 1:
            raise CallError(Problem.DENIED, "why")
        return Remark(Level.OK, "x", str(number)) if number else None

    remarks = visits.ask_each([0, 1, 2], ask, about=lambda number: f"number {number}")

    assert [(remark.level, remark.where) for remark in remarks] == [(Level.WARN, "number 1"), (Level.OK, "x")]
