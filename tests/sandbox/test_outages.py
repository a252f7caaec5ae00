import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from automation.system.errors import ToolError
from sandbox.outages import Outages, UnreachableError, WallClock, never_wait, survives_outages
from tests.sandbox.days import FastWall
from the_alchemiser.shared.broker.errors import BrokerTimeoutError, NotAuthorizedError

LIMIT_S = 60.0


def refusal(status: int) -> ClientError:
    return ClientError({"ResponseMetadata": {"HTTPStatusCode": status}}, "GetItem")  # type: ignore[typeddict-item]


class Server:
    """A server that fails with each error in turn, then answers."""

    def __init__(self, *errors: Exception, outages: Outages | None = None) -> None:
        self.errors = list(errors)
        self.wall = FastWall()
        self.progress: list[str] = []
        clock = WallClock(self.wall.read, self.wall.sleep)
        self.outages = outages or Outages("the server", clock, self.progress.append, LIMIT_S)

    @survives_outages
    def answer(self, text: str, *, times: int = 1) -> str:
        """Answer."""
        if self.errors:
            raise self.errors.pop(0)
        return text * times


OUTAGES = [
    UnreachableError("no"),
    EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    refusal(500),
    refusal(503),
    BrokerTimeoutError("no answer"),
]


@pytest.mark.parametrize("error", OUTAGES)
def test_survive_an_outage_repeats_the_call(error: Exception) -> None:
    server = Server(error, error)

    assert server.answer("ab", times=2) == "abab"
    assert server.progress == [
        "the server does not answer; waiting up to 60 s for it",
        "the server answers again after 1 s",
    ]


@pytest.mark.parametrize(
    "error",
    [
        ToolError("refused"),
        ParamValidationError(report="wrong"),
        refusal(499),
        NotAuthorizedError("no"),
        ValueError("bug"),
    ],
)
def test_survive_another_failure_raises_it(error: Exception) -> None:
    server = Server(error)

    with pytest.raises(type(error)):
        server.answer("a")
    assert (server.progress, server.wall.seconds) == ([], 0)


def test_survive_without_an_outage_reports_nothing() -> None:
    server = Server()

    assert (server.answer("a"), server.progress, server.wall.seconds) == ("a", [], 0)


def test_survive_too_long_an_outage_says_what_to_type() -> None:
    server = Server(*[UnreachableError("no answer", where="elsewhere")] * 200)

    with pytest.raises(UnreachableError) as raised:
        server.answer("a")
    assert str(raised.value) == "elsewhere: no answer; run inv sandbox.up, then the same command again"
    assert raised.value.exit_code == 5
    assert server.wall.seconds == LIMIT_S


def test_never_wait_fails_at_the_first_outage() -> None:
    server = Server(refusal(503), outages=never_wait("the server"))

    with pytest.raises(UnreachableError, match=r"^the server: .*; run inv sandbox\.up, then the same command again$"):
        server.answer("a")
    assert server.answer("a") == "a"
