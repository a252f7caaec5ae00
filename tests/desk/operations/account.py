"""An account with its books, for the tests of `inv reconcile`."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from desk.operations import reconcile
from desk.operations.environment import Environment
from tests.desk.operations.duty import (
    ROOT,
    FakeBroker,
    World,
    check,
    environment,
)
from tests.the_alchemiser.fakes import InMemoryBooks
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.broker.models import Position
from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.corporate_actions import ActionsEntry, ActionsFetch, write_actions
from the_alchemiser.shared.values import Side

Out = pytest.CaptureFixture[str]
ARN = "arn:aws:iam::123456789012:user/eva"
ONE = Decimal(1)
ACCEPT = "correct the account, or inv reconcile --env prod --accept"


@dataclass
class HoldingBroker(FakeBroker):
    """An account with some shares."""

    held: dict[str, Decimal] = field(default_factory=lambda: {"SPY": Decimal(10)})

    def positions(self) -> tuple[Position, ...]:
        return tuple(Position(symbol, shares, shares, ONE, ONE, ONE, shares) for symbol, shares in self.held.items())


@dataclass
class Office:
    """The world of the command: an account with 10 SPY, as the check of the half day says."""

    world: World = field(default_factory=lambda: World(broker=HoldingBroker()))
    splits: tuple[CorporateAction, ...] = ()
    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_ask: Any = None

    @property
    def held(self) -> dict[str, Decimal]:
        broker: Any = self.world.broker
        held: dict[str, Decimal] = broker.held
        return held

    def connect(self, root: Path, name: str) -> Environment:
        assert root == ROOT
        objects = InMemoryObjects()
        fetch = ActionsFetch(
            datetime(2022, 11, 25, tzinfo=UTC), ("SPY",), date(2022, 1, 1), date(2022, 12, 31), self.splits
        )
        write_actions(objects, ActionsEntry(), fetch)
        parameters = {"BrokerAccount": self.world.account} if self.world.account else {}
        deployed = environment(self.world, name, **parameters)
        return _with_objects(deployed, objects)

    def reconcile(self, *, accept: bool = False, yes: bool = False, as_json: bool = False, name: str = "prod") -> None:
        reconcile.reconcile(
            ROOT,
            name,
            accept=accept,
            yes=yes,
            as_json=as_json,
            connect=self.connect,
            is_interactive=lambda: bool(self.answers),
            ask=self.ask,
        )

    def ask(self, question: str) -> str:
        self.asked.append(question)
        if self.on_ask is not None:
            self.on_ask()
        return self.answers.pop(0)

    @property
    def books(self) -> InMemoryBooks:
        return self.world.books


class Sts:
    """AWS's answer to who we are."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": ARN}


def _with_objects(deployed: Any, objects: InMemoryObjects) -> Environment:
    class WithObjects(type(deployed)):  # type: ignore[misc] # the class of a fake
        """The environment with its lake."""

        def objects(self) -> Any:
            return objects

    values = {name: getattr(deployed, name) for name in deployed.__dataclass_fields__}
    replaced: Environment = WithObjects(**{**values, "client": {"sts": Sts()}.__getitem__})
    return replaced


def fill(quantity: str, **attribution: str) -> LedgerEntry:
    return LedgerEntry(
        symbol="SPY",
        filled_at=datetime(2022, 11, 23, 20, 50, tzinfo=UTC),
        order_id=f"id-{quantity}",
        fill="1",
        client_order_id="an-order",
        trade_id="a-trade",
        run_id="prod-2022-11-23",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=ONE,
        cash=ONE,
        attribution={owner: Decimal(shares) for owner, shares in attribution.items()},
    )


def office_that_agrees(monkeypatch: pytest.MonkeyPatch) -> Office:
    """Return an account with 10 SPY, as the check of the half day says."""
    monkeypatch.setattr("getpass.getuser", lambda: "eva")
    office = Office()
    office.books.put(check(CheckState.AGREED))
    return office
