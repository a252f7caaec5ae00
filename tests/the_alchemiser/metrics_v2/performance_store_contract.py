"""The contract of every PerformanceStore; a test class of one inherits it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol
from uuid import uuid4

import pytest

from tests.the_alchemiser.results import DAY, at
from the_alchemiser.metrics_v2.service import PerformanceStore
from the_alchemiser.shared.performance.rows import Performance


class ReadablePerformanceStore(PerformanceStore, Protocol):
    """The port, and access to one row by its sort key, a date or LATEST; None when there is no row."""

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
    """Inherit this class, and provide the store as the fixture `performances`."""

    @pytest.fixture
    @abstractmethod
    def performances(self) -> ReadablePerformanceStore: ...

    @pytest.fixture
    def name(self) -> str:
        return f"trend-{uuid4()}"

    def test_put_writes_equal_rows_for_date_and_latest(self, performances: ReadablePerformanceStore, name: str) -> None:
        performances.put(performance(name))

        row, latest = performances.row(name, DAY.isoformat()), performances.row(name, "LATEST")
        assert row is not None
        assert latest is not None
        assert {**row, "sk": ""} == {**latest, "sk": ""}
        assert (row["realised"], row["exposure"], row["holdings"]) == ("1.50", "0.250125", {"SPY": "0.600000001"})

    def test_put_again_changes_nothing(self, performances: ReadablePerformanceStore, name: str) -> None:
        performances.put(performance(name))
        before = performances.row(name, "LATEST")

        assert performances.put(performance(name))
        assert performances.row(name, "LATEST") == before

    def test_put_older_date_keeps_the_newer_latest(self, performances: ReadablePerformanceStore, name: str) -> None:
        older = DAY - timedelta(days=1)
        performances.put(performance(name, realised="2"))

        is_latest = performances.put(performance(name, day=older, realised="1"))

        assert not is_latest
        latest, row = performances.row(name, "LATEST"), performances.row(name, older.isoformat())
        assert latest is not None
        assert latest["realised"] == "2"
        assert row is not None
        assert row["realised"] == "1"

    def test_put_earlier_run_keeps_the_later_one(self, performances: ReadablePerformanceStore, name: str) -> None:
        first = performance(name, realised="1")
        performances.put(first.changed(completed_at=at(DAY, minute=50), run_id="local-1-r2", realised=Decimal(2)))

        performances.put(first)

        row = performances.row(name, DAY.isoformat())
        assert row is not None
        assert row["run_id"] == "local-1-r2"

    def test_put_leaves_out_unknown_figures(self, performances: ReadablePerformanceStore, name: str) -> None:
        performances.put(performance(name).changed(realised=None, cost=None, unrealised=None))

        row = performances.row(name, "LATEST")
        assert row is not None
        assert not {"realised", "cost", "unrealised", "cash"} & row.keys()

    def test_add_traded_returns_all_symbols_ever_added(self, performances: ReadablePerformanceStore) -> None:
        performances.add_traded(["SPY", "BRK.B"])
        performances.add_traded(["SPY"])

        assert performances.add_traded(["TLT"]) >= {"SPY", "BRK.B", "TLT"}

    def test_add_traded_without_symbols_returns_all(self, performances: ReadablePerformanceStore) -> None:
        performances.add_traded(["GLD"])

        assert "GLD" in performances.add_traded([])
