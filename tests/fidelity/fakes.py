"""The simulator's side of the contract: its tables, clients and queues, on virtual time and without a fault."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.fidelity.backend import EVENT_PATTERN, SWITCH, Backend, DynamoSide
from tests.fidelity.queue_contract import Received, drain
from tests.simulation.aws_clients import Account, aws_port
from tests.simulation.deployment import Function, Queue, Rule, read_deployment
from tests.simulation.dynamo import Dynamo
from tests.simulation.dynamo_tables import Tables
from tests.simulation.end_state import Notice
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.latencies import SECOND
from tests.simulation.queues import Inbox, Message
from tests.simulation.scenario import FaultPlan
from tests.simulation.system import is_match
from tests.simulation.world import Container, Invocation, World

NOW = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)
VISIBILITY_S = 40
_ARRIVAL_S = 5
_RULE = Rule(EVENT_PATTERN, ("Inbox",))


def quiet_world() -> World:
    """Return a world in which nothing goes wrong."""
    return World(NOW, FaultDraws(1, FaultPlan()), {})


def simulated_dynamo() -> DynamoSide:
    """Return the simulator's side, with empty tables."""
    tables = Tables(quiet_world(), read_deployment().tables, lambda *_: None)
    return DynamoSide(Dynamo(tables, aws_port("dynamodb", attempts=1)), lambda logical_id: logical_id)


def simulated_backend() -> Backend:
    """Return the simulator's side, with an empty bucket."""
    world = quiet_world()
    events: list[Mapping[str, Any]] = []
    queue = SimulatedQueue(is_fifo=True)

    def deliver(event: Mapping[str, Any]) -> None:
        if is_match(_RULE, event):
            events.append(event)

    tables = Tables(world, read_deployment().tables, lambda *_: None)
    account = Account(world, tables, SWITCH, deliver, lambda _, *sent: queue.accept(*sent))
    return Backend(
        client=account.client,
        bus="Bus",
        bucket="Lake",
        topic="arn:aws:sns:us-east-1:123456789012:alerts",
        secret="/alchemiser/dev/broker",
        trades="https://sqs.simulated/TradeInbox",
        delivered=lambda: events,
        sent=lambda: drain(queue),
        set_switch=account.set_switch,
        mails=lambda: [_text(mail) for mail in account.mails],
        notices=lambda: [_text(notice) for notice in account.notices],
    )


def _text(notice: Notice) -> tuple[str, str]:
    return notice.subject, notice.text


class SimulatedQueue:
    """QueueSide of the simulator: its poller delivers by itself, so that `receive` returns what it has delivered."""

    def __init__(self, *, is_fifo: bool) -> None:
        self._world = quiet_world()
        function = Function("execution_v2", 30, {}, "Inbox", 1, 0, 1000)
        queue = Queue("Inbox", VISIBILITY_S, 3, "Dlq", is_fifo)
        self._inbox = Inbox(self._world, queue, function, self._serve)
        self._received: list[Received] = []
        self._ends: dict[str, Callable[[object], None]] = {}

    def send(self, body: str, *, group: str = "", deduplication: str = "") -> None:
        """Send a message, and let it arrive."""
        self.accept(_body(body), group, deduplication)

    def accept(self, body: str, group: str, deduplication: str) -> None:
        """Take a whole body from its sender."""
        self._inbox.send(body, group=group, deduplication=deduplication)
        self._pass(_ARRIVAL_S)

    def receive(self) -> list[Received]:
        """Return what was delivered since the last look."""
        received, self._received = self._received, []
        return received

    def finish(self, body: str) -> None:
        """Answer that the batch was handled."""
        self._ends.pop(body)({"batchItemFailures": []})
        self._pass(_ARRIVAL_S)

    def fail(self, body: str) -> None:
        """Answer that the message of the batch failed."""
        self._ends.pop(body)(None)

    def pass_visibility(self) -> None:
        """Let the visibility pass."""
        self._pass(VISIBILITY_S)

    def dead(self) -> list[str]:
        """Return the bodies of the dead letters."""
        return [_text_of(letter.body) for letter in self._inbox.dead]

    def _pass(self, seconds: int) -> None:
        self._world.run(self._world.now + seconds * SECOND)

    def _serve(
        self, function: Function, subject: str, batch: list[Message], on_end: Callable[[Invocation, object, str], None]
    ) -> None:
        (message,) = batch
        text = _text_of(message.body)
        invocation = Invocation(
            function.module,
            subject,
            Container(function.module),
            deadline=self._world.now + function.timeout_s * SECOND,
            visibility=VISIBILITY_S * SECOND,
            on_end=on_end,
        )

        def end(answer: object) -> None:
            failures = {"batchItemFailures": [{"itemIdentifier": message.id}]}
            on_end(invocation, failures if answer is None else answer, "ok")

        self._received.append(Received(text, message.receives))
        self._ends[text] = end


def _body(text: str) -> str:
    """Return a body whose subject is the text, as the simulator's trace needs one."""
    return json.dumps({"detail-type": "RunFailed", "detail": {"message_id": text}})


def _text_of(body: str) -> str:
    return str(json.loads(body)["detail"]["message_id"])
