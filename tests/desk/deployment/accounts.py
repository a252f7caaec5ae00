"""An account in memory, and the context that the automation calls a hook with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from desk.deployment.account import LastRun, Queue
from desk.deployment.context import Context
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.run.runs import RunState

SWITCH = "/alchemiser/prod/trading"


@dataclass
class FakeAccount:
    """A deployed environment that is ready to trade, unless a test says otherwise.

    Attributes:
        asked: the dates whose runs were asked for.
        paused: the kill switches that were paused.
    """

    queues: tuple[Queue, ...] = ()
    runs: Mapping[str, RunState] = field(default_factory=dict)
    last: LastRun | None = None
    check: BooksCheck | None = None
    switch: str = SWITCH
    is_switch_enabled: bool = True
    refusal: Exception | None = None
    asked: list[date] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)

    def __call__(self, context: Context) -> "FakeAccount":
        """Connect."""
        return self

    def inboxes(self) -> tuple[Queue, ...]:
        return self.queues

    def open_runs(self, day: date) -> Mapping[str, RunState]:
        self.asked.append(day)
        return self.runs

    def last_run(self) -> LastRun | None:
        return self.last

    def books(self) -> BooksCheck | None:
        return self.check

    def kill_switch(self) -> str:
        return self.switch

    def is_enabled(self, kill_switch: str) -> bool:
        assert kill_switch == self.switch
        return self.is_switch_enabled

    def pause_trading(self, kill_switch: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.paused.append(kill_switch)


def unreachable(context: Context) -> FakeAccount:
    """Fail: a hook connects only when it has something to ask."""
    raise AssertionError("nothing had to be asked")


def hook_context(now: str = "2026-11-25T12:00:00-05:00", **changes: Any) -> dict[str, Any]:
    """Return the context of a deployed prod; `parameters` and other fields may be replaced."""
    parameters = {"Stage": "prod", "ScheduleState": "ENABLED", "MailFrom": "bot@fund.test", "MailTo": "a@fund.test, b"}
    parameters |= {"BrokerAccount": "PA1"}
    return {
        "environment": "prod",
        "region": "us-east-1",
        "endpoint": "",
        "account": "123456789012",
        "stacks": {"data": "prod-data", "trading": "prod"},
        "outputs": {"RunsTable": "runs"},
        "parameters": parameters,
        "breaking_contracts": [],
        "now": now,
    } | changes


SANDBOX = {"Stage": "local", "ScheduleState": "DISABLED", "MailFrom": "bot@fund.test", "MailTo": "a@fund.test"}
