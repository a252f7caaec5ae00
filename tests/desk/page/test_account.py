"""The equity against SPY, what the broker holds, and the rows of the Performance table."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from desk.page import account
from desk.page.account import Equity, EquityDay, compare
from desk.page.live import Connection
from desk.page.performance_rows import StrategyResult, equity_by_day, latest_results, latest_run_measured
from tests.desk.operations.account import HoldingBroker
from tests.desk.operations.duty import World, environment
from tests.desk.page.desks import equity
from the_alchemiser.metrics_v2.performance_table import row_of
from the_alchemiser.shared.dynamo import typed

D1, D2, D3 = date(2022, 3, 16), date(2022, 3, 17), date(2022, 3, 18)
ROWS = ((D1, Decimal(100_000)), (D2, Decimal("100500.5")), (D3, Decimal(99_000)))


def test_compare_buys_the_benchmark_with_the_first_equity() -> None:
    assert compare(ROWS, {D1: 400.0, D2: 410.0, date(2022, 3, 21): 1.0}) == (
        EquityDay(D1, Decimal(100_000), Decimal(100_000)),
        EquityDay(D2, Decimal("100500.5"), Decimal(102_500)),
        EquityDay(D3, Decimal(99_000), None),
    )


@pytest.mark.parametrize("closes", [{}, {D2: 410.0}], ids=["no bars", "none of the first day"])
def test_compare_without_a_first_close_has_no_benchmark(closes: dict[date, float]) -> None:
    assert [day.benchmark for day in compare(ROWS, closes)] == [None] * 3
    assert compare((), closes) == ()


def test_chart_has_a_point_per_day_and_per_known_close() -> None:
    chart = equity(5).chart

    assert [point.title for point in chart.points] == [
        "2022-03-11: $100,000.00",
        "2022-03-12: $100,134.00",
        "2022-03-13: $100,262.00",
        "2022-03-14: $100,384.00",
        "2022-03-15: $100,500.00",
    ]
    assert [point.title for point in chart.benchmark][-1] == "2022-03-14: $100,273.00"
    assert [point.x for point in chart.benchmark] == [point.x for point in chart.points[:-1]]
    assert chart.benchmark[0].y == chart.points[0].y
    assert chart.benchmark_line.startswith("M92.0,")


def test_holdings_are_the_largest_first() -> None:
    broker = HoldingBroker(held={"SPY": Decimal(10), "GLD": Decimal(40), "KO": Decimal(20)})

    held = account.holdings(Connection(environment(World(broker=broker)), broker))  # type: ignore[arg-type] # a fake

    assert [position.symbol for position in held.positions] == ["GLD", "KO", "SPY"]
    assert held.invested == 70


@dataclass
class Table:
    """The Performance table with these rows."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def query(self, **request: Any) -> Any:
        self.asked.append(request)
        own = [row for row in self.rows if row["pk"] == "STRATEGY#ACCOUNT" and row["sk"] != "LATEST"]
        newest = sorted(own, key=lambda row: row["sk"], reverse=True)[: request["Limit"]]
        return {"Items": [typed(row) for row in newest]}

    def get_item(self, **request: Any) -> Any:
        wanted = {name: value["S"] for name, value in request["Key"].items()}
        match = next((row for row in self.rows if wanted.items() <= row.items()), None)
        return {} if match is None else {"Item": typed(match)}


def table() -> Table:
    rows: list[dict[str, Any]] = []
    for name in ("ACCOUNT", "calm"):
        for day, value in ROWS:
            figures = {"strategy": name, "trading_date": str(day), "run_id": f"prod-{day}", "equity": str(value)}
            rows.append({"pk": f"STRATEGY#{name}", "sk": str(day), **figures, "market_value": "50"})
        rows.append({**rows[-1], "sk": "LATEST", "realised": "-1.5", "exposure": "0.25"})
    return Table(rows)


def deployed(rows: Table) -> Any:
    base = environment(World())
    outputs = {**base.outputs, "PerformanceTable": "performance"}
    return replace(base, client=lambda _: rows, outputs=outputs)


def test_equity_by_day_is_the_accounts_ascending() -> None:
    rows = table()

    assert equity_by_day(deployed(rows), days=2) == ROWS[1:]
    assert rows.asked[0]["ExpressionAttributeValues"] == {":pk": {"S": "STRATEGY#ACCOUNT"}, ":latest": {"S": "LATEST"}}
    assert rows.asked[0]["TableName"] == "performance"


def test_latest_results_are_those_that_exist() -> None:
    assert latest_results(deployed(table()), ("unknown", "calm")) == (
        StrategyResult("calm", D3, Decimal(50), Decimal("0.25"), Decimal("-1.5"), None),
    )
    assert latest_run_measured(deployed(table())) == "prod-2022-03-18"
    assert latest_run_measured(deployed(Table())) == ""


def test_equity_of_an_environment_without_runs_is_empty() -> None:
    class Nothing(Table):
        """No rows, and no runs in the index."""

        def get_paginator(self, operation: str) -> Any:
            return self

        def paginate(self, **request: Any) -> Any:
            return [{"Items": []}]

    world = World()
    base = deployed(Nothing())

    assert account.equity(Connection(base, world.broker)) == Equity((), ())  # type: ignore[arg-type] # a fake broker


def test_rows_have_the_names_that_metrics_v2_writes() -> None:
    names = row_of.__code__.co_consts
    written = {name for constant in names if isinstance(constant, tuple) for name in constant} | set(names)

    assert {"trading_date", "run_id", "equity", "market_value", "exposure", "realised", "unrealised"} <= written
