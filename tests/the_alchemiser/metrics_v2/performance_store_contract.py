"""What every keeper of performances must do: run over the fake here, over the table in tests/e2e."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import uuid4

import pytest

from tests.the_alchemiser.results import DAY, at
from the_alchemiser.metrics_v2.performance import Performance
from the_alchemiser.metrics_v2.service import PerformanceStore


class ReadablePerformanceStore(PerformanceStore, Protocol):
    """The port, and a look at one row: sort key a date or LATEST; None when there is none."""

    def row(self, strategy: str, sk: str) -> Mapping[str, object] | None: ...


def performance(strategy: str, *, day: date = DAY, realised: str = "1.50", run_id: str = "local-1") -> Performance:
    return Performance(
        strategy=strategy,
        trading_date=day,
        completed_at=at(day),
        run_id=run_id,
        equity=Decimal(1000),
        cash=None,
        market_value=Decimal("250.125"),
        cost=Decimal(240),
        realised=Decimal(realised),
        unrealised=Decimal("10.125"),
        holdings={"SPY": Decimal("0.600000001")},
    )


class PerformanceStoreContract(ABC):
    """Inherit, and give a keeper."""

    @pytest.fixture
    @abstractmethod
    def kept(self) -> ReadablePerformanceStore: ...

    @pytest.fixture
    def name(self) -> str:
        return f"trend-{uuid4()}"

    def test_put_writes_the_date_and_the_latest_alike(self, kept: ReadablePerformanceStore, name: str) -> None:
        kept.put(performance(name))

        row, latest = kept.row(name, DAY.isoformat()), kept.row(name, "LATEST")
        assert row is not None
        assert latest is not None
        assert {**row, "sk": ""} == {**latest, "sk": ""}
        assert (row["realised"], row["exposure"], row["holdings"]) == ("1.50", "0.250125", {"SPY": "0.600000001"})

    def test_put_again_changes_nothing(self, kept: ReadablePerformanceStore, name: str) -> None:
        kept.put(performance(name))
        before = kept.row(name, "LATEST")

        assert kept.put(performance(name))
        assert kept.row(name, "LATEST") == before

    def test_put_of_an_older_date_keeps_the_newer_latest(self, kept: ReadablePerformanceStore, name: str) -> None:
        older = DAY - timedelta(days=1)
        kept.put(performance(name, realised="2"))

        is_latest = kept.put(performance(name, day=older, realised="1"))

        assert not is_latest
        latest, row = kept.row(name, "LATEST"), kept.row(name, older.isoformat())
        assert latest is not None
        assert latest["realised"] == "2"
        assert row is not None
        assert row["realised"] == "1"

    def test_put_earlier_run_of_the_day_keeps_the_later_one(self, kept: ReadablePerformanceStore, name: str) -> None:
        first = performance(name, realised="1")
        kept.put(first._replace(completed_at=at(DAY, minute=50), run_id="local-1-r2", realised=Decimal(2)))

        kept.put(first)

        row = kept.row(name, DAY.isoformat())
        assert row is not None
        assert row["run_id"] == "local-1-r2"

    def test_put_leaves_out_what_is_not_known(self, kept: ReadablePerformanceStore, name: str) -> None:
        kept.put(performance(name)._replace(realised=None, cost=None, unrealised=None))

        row = kept.row(name, "LATEST")
        assert row is not None
        assert not {"realised", "cost", "unrealised", "cash"} & row.keys()

    def test_add_traded_returns_all_that_were_ever_added(self, kept: ReadablePerformanceStore) -> None:
        kept.add_traded(["SPY", "BRK.B"])
        kept.add_traded(["SPY"])

        assert kept.add_traded(["TLT"]) >= {"SPY", "BRK.B", "TLT"}

    def test_add_traded_of_nothing_returns_the_rest(self, kept: ReadablePerformanceStore) -> None:
        kept.add_traded(["GLD"])

        assert "GLD" in kept.add_traded([])
