"""What the errors of a failed request say."""

import pytest

from tests.the_alchemiser.shared.broker.answers import Answer, Script, answer, broker_over
from the_alchemiser.shared.broker.errors import BrokerError


def failure_of(*answers: Answer) -> str:
    with pytest.raises(BrokerError) as caught:
        broker_over(Script(answers)).clock()
    return str(caught.value)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (TimeoutError("ReadTimeout"), "GET /v2/clock: no response in time (ReadTimeout)"),
        (ConnectionError("refused"), "GET /v2/clock: refused"),
        (ConnectionError(""), "GET /v2/clock: ConnectionError"),
    ],
    ids=["time-out", "with a text", "without a text"],
)
def test_request_without_an_answer_says_what_happened(error: Exception, shown: str) -> None:
    assert failure_of(error, error, error) == shown


def test_answer_that_is_not_json_is_quoted() -> None:
    pages = [answer(200, "<html>" + "x" * 300) for _ in range(3)]

    assert failure_of(*pages) == "GET /v2/clock: 200 with a body that is not JSON: '<html>" + "x" * 193
