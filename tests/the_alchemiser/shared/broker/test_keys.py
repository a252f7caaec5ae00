"""The keys are read with the first request, not on construction: a function can start before its secret exists.

They are read again when the broker refuses them: a person may have rotated them.
"""

from decimal import Decimal

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.shared.broker.answers import ACCOUNT, Script, answer
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials, broker_credentials, reread_broker_credentials
from the_alchemiser.shared.broker.errors import NotAuthorizedError
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.broker.transport import Request, Response
from the_alchemiser.shared.values import Side

SECRET = "secretsmanager:GetSecretValue"
OLD, NEW = Credentials(key="old", secret="1"), Credentials(key="new", secret="2")


class Gate:
    """A broker that knows one pair of keys, and the keys of each request."""

    def __init__(self, known: Credentials) -> None:
        self._known = known
        self.tried: list[tuple[str, str]] = []

    def send(self, request: Request) -> Response:
        self.tried.append((request.headers["APCA-API-KEY-ID"], request.headers["APCA-API-SECRET-KEY"]))
        is_known = self.tried[-1] == (self._known.key, self._known.secret)
        return answer(200, ACCOUNT) if is_known else answer(401, {"message": "unauthorized."})

    def close(self) -> None:
        """Do nothing: no socket is open."""


def connect(gate: Gate, reread: Credentials | None) -> Broker:
    """Return a connection with the old keys; `reread` are those of the secret now, None when nothing reads it."""
    again = None if reread is None else lambda: reread
    return Broker("http://trading.test", "http://data.test", lambda: OLD, reread=again, transport=gate)


def test_keys_are_read_with_a_request_and_sent_as_headers() -> None:
    reads: list[str] = []

    def keys() -> Credentials:
        reads.append("keys")
        return Credentials(key="the-key", secret="the-secret")

    script = Script([answer(200, ACCOUNT)])
    broker = Broker("http://trading.test", "http://data.test", keys, transport=script)
    reads_on_construction = list(reads)
    broker.account()

    assert reads_on_construction == []
    assert script.requests[0].headers == {"APCA-API-KEY-ID": "the-key", "APCA-API-SECRET-KEY": "the-secret"}


def test_refused_keys_are_read_again_and_the_request_repeated() -> None:
    gate = Gate(NEW)

    account = connect(gate, NEW).account()

    assert gate.tried == [("old", "1"), ("new", "2")]
    assert account == connect(Gate(OLD), None).account()


@pytest.mark.parametrize(
    ("reread", "tries"),
    [
        (OLD, [("old", "1")]),
        (None, [("old", "1")]),
        (Credentials(key="old", secret="3"), [("old", "1"), ("old", "3")]),
        (Credentials(key="third", secret="1"), [("old", "1"), ("third", "1")]),
    ],
)
def test_refused_keys_that_are_refused_again_raise(reread: Credentials | None, tries: list[tuple[str, str]]) -> None:
    gate = Gate(NEW)

    with pytest.raises(NotAuthorizedError):
        connect(gate, reread).account()
    assert gate.tried == tries


def test_order_whose_keys_are_refused_is_not_sent_again() -> None:
    """The kill switch was read right before it, and may be paused when the secret has been read."""
    gate = Gate(NEW)
    order = OrderRequest("SPY", Side.BUY, Decimal(1), OrderType.MARKET, client_order_id="r-BUY-SPY-1")

    with pytest.raises(NotAuthorizedError):
        connect(gate, NEW).submit(order)
    assert gate.tried == [("old", "1")]


def test_accepted_keys_are_not_read_again() -> None:
    gate = Gate(OLD)

    connect(gate, NEW).account()

    assert gate.tried == [("old", "1")]


def test_reread_credentials_replace_the_cached_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = AwsWire(answers={SECRET: {"SecretString": '{"key": "old", "secret": "1"}'}})
    wire.install(monkeypatch)
    broker_credentials.cache_clear()

    before = broker_credentials("/alchemiser/prod/broker").key
    wire.answers[SECRET] = {"SecretString": '{"key": "new", "secret": "2"}'}
    cached = broker_credentials("/alchemiser/prod/broker").key
    reread = reread_broker_credentials("/alchemiser/prod/broker").key

    assert (before, cached, reread) == ("old", "old", "new")
    assert broker_credentials("/alchemiser/prod/broker").key == "new"
    assert wire.operations == [SECRET, SECRET]
    broker_credentials.cache_clear()
