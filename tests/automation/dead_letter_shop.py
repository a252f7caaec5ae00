"""A small environment with dead letters, and the commands on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from automation import dlq
from automation.dlq import Connection, Options
from automation.system.accounts import Identity
from automation.system.queue_messages import QueueMessage
from tests.automation.fake_queues import SENT, FakeQueues, message, url_of
from tests.automation.operating.fake_contents import FakeContents
from tests.automation.operating.test_merged_logs import FakeLogs

NOW = SENT + timedelta(hours=2)
APP = """
Resources:
  In: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Line: {Type: AWS::SQS::Queue}
  LineDead: {Type: AWS::SQS::Queue}
  Till: {Type: AWS::Lambda::Function}
  TillIn:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt In.Arn, FunctionName: !Ref Till}
"""
ORDER, REFUND = message("m-1", '{"order": 1}', minute=1), message("m-2", '{"refund": 2}', minute=2)


@dataclass
class DeadLetterShop:
    """The environment live: Dead has two messages that were meant for In, and LineDead none."""

    root: Path
    cloud: FakeContents = field(default_factory=FakeContents)
    queues: FakeQueues = field(default_factory=FakeQueues)
    logs: FakeLogs = field(default_factory=FakeLogs)
    account: str = "123456789012"
    server_time: datetime | None = None

    def __post_init__(self) -> None:
        self.cloud.add("shop-live", APP)
        self.cloud.physical_ids |= {"Line": url_of("line.fifo"), "LineDead": url_of("linedead.fifo")}
        self.queues.add("in", gives_up_to="dead")
        self.queues.add("dead", ORDER, REFUND)
        self.queues.add("line.fifo", gives_up_to="linedead.fifo")
        self.queues.add("linedead.fifo")

    def connect(self, _scope: object) -> Connection:
        identity = Identity(self.account, "arn:aws:iam::123456789012:user/ann", self.server_time)
        return Connection(lambda: identity, self.cloud, self.queues, self.logs)

    @property
    def settings(self) -> dict[str, Any]:
        return {"variables": {}, "connect": self.connect}

    def report(self, *, json: bool = False) -> None:
        dlq.report(self.root, "live", json=json, now=NOW, **self.settings)

    def show(self, queue: str = "Dead", **options: Any) -> None:
        dlq.show(self.root, "live", queue, now=NOW, **options, **self.settings)

    def redrive(self, queue: str = "Dead", *ids: str, yes: bool = True, **options: Any) -> None:
        dlq.redrive(self.root, "live", queue, options=Options(ids, yes=yes, **options), **self.settings)

    def drop(self, queue: str = "Dead", *ids: str, yes: bool = True) -> None:
        dlq.drop(self.root, "live", queue, options=Options(ids, yes=yes), now=NOW, **self.settings)

    def dead(self) -> list[QueueMessage]:
        return self.queues.queues[url_of("dead")].messages


Printed = Callable[[], list[str]]
