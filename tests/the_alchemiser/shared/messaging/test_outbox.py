"""An outbox keeps every message complete and in order."""

import pytest

from tests.the_alchemiser.examples import example
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import REGISTRY, Message, RunFailed, TradeRequested


@pytest.mark.parametrize("kind", REGISTRY, ids=lambda kind: kind.__name__)
def test_outbox_of_any_message_returns_it(kind: type[Message]) -> None:
    assert outbox.load(outbox.dump([example(kind)])) == (example(kind),)


def test_outbox_keeps_the_order() -> None:
    messages = (example(TradeRequested), example(RunFailed), example(TradeRequested))

    assert outbox.load(outbox.dump(messages)) == messages


def test_outbox_without_messages_is_empty() -> None:
    assert outbox.load(outbox.dump([])) == ()


def test_encoded_message_decodes_to_itself() -> None:
    assert outbox.decode(outbox.encode(example(RunFailed))) == example(RunFailed)
