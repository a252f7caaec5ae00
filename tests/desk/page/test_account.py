"""The equity against SPY, what the broker holds, and the latest figures of each strategy."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from desk.page import account
from desk.page.account import Equity, derive
from desk.page.live import Connection
from tests.desk.data.stock import Stock
from tests.desk.operations.account import HoldingBroker
from tests.desk.operations.duty import RUN_ID, World, environment, run, stored
from tests.desk.page.desks import equity
from tests.the_alchemiser.shared.market_data.samples import bar
from tests.the_alchemiser.shared.performance.account_rows import account_row, owner_row
from the_alchemiser.shared.dynamo import typed
from the_alchemiser.shared.performance.rows import LATEST, Performance, row_of

D1, D2, D3 = date(2022, 3, 16), date(2022, 3, 17), date(2022, 3, 18)
ROWS = (
    account_row(D1, "100000"),
    account_row(D2, "110500.5", deposits="10000"),
    account_row(D3, "99000", deposits="10000"),
)


def benchmarks(closes: dict[date, float]) -> list[Decimal | None]:
    return [day.benchmark for day in derive(ROWS, closes, ()).days]


def test_derive_lets_the_benchmark_take_part_in_deposits() -> None:
    assert benchmarks({D1: 400.0, D2: 500.0, D3: 250.0}) == [100_000, 137_500, 68_750]


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        ({}, [None, None, None]),
        ({D2: 500.0, D3: 250.0}, [None, None, None]),
        ({D1: 400.0, D2: 500.0}, [100_000, 137_500, None]),
        ({D1: 400.0, D3: 500.0}, [100_000, None, None]),
    ],
    ids=["no bars", "not the first day", "not the last day", "not a day between"],
)
def test_derive_without_a_close_ends_the_benchmark(closes: dict[date, float], expected: list[Decimal | None]) -> None:
    assert benchmarks(closes) == expected


def test_derive_has_the_figures_of_each_day_and_of_all() -> None:
    derived = derive(ROWS, {}, ())

    assert [day.equity for day in derived.days] == [100_000, Decimal("110500.5"), 99_000]
    assert [day.figures and (day.figures.pnl, day.figures.deposits) for day in derived.days] == [
        None,
        (Decimal("500.5"), Decimal(10_000)),
        (Decimal("-11500.5"), Decimal(0)),
    ]
    assert derived.total is not None
    assert (derived.total.pnl, derived.total.deposits, derived.total.opened) == (Decimal(-11_000), Decimal(10_000), D1)


def test_derive_of_rows_without_totals_has_no_figures() -> None:
    derived = derive([row.changed(account=None) for row in ROWS], {D1: 400.0, D2: 500.0}, ())

    assert derived.total is None
    assert [day.figures for day in derived.days] == [None] * 3
    assert [day.benchmark for day in derived.days] == [100_000, 125_000, None]


def test_chart_has_a_point_per_day_and_per_known_close() -> None:
    chart = equity(5).chart

    titles = [point.title for point in chart.points]
    assert (titles[0], titles[-1]) == ("2022-03-11: $100,000.00", "2022-03-15: $101,720.00")
    assert [point.title for point in chart.benchmark][-1] == "2022-03-14: $101,500.00"
    assert [point.x for point in chart.benchmark] == [point.x for point in chart.points[:-1]]
    assert chart.benchmark[0].y == chart.points[0].y
    assert chart.benchmark_line.startswith("M92.0,")


def test_holdings_are_the_largest_first() -> None:
    broker = HoldingBroker(held={"SPY": Decimal(10), "GLD": Decimal(40), "KO": Decimal(20)})

    held = account.holdings(Connection(environment(World(broker=broker)), broker))  # type: ignore[arg-type] # a fake

    assert [position.symbol for position in held.positions] == ["GLD", "KO", "SPY"]
    assert held.invested == 70


@dataclass
class Tables:
    """DynamoDB with rows of the Performance table, and one run in the index of runs."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def put(self, row: Performance) -> None:
        written = row_of(row)
        self.rows = [kept for kept in self.rows if (kept["pk"], kept["sk"]) != (written["pk"], LATEST)]
        self.rows += [{**written, "sk": row.trading_date.isoformat()}, {**written, "sk": LATEST}]

    def get_paginator(self, operation: str) -> Any:
        assert operation in {"query", "scan"}
        return self

    def paginate(self, **request: Any) -> Any:
        if "IndexName" in request:
            return [{"Items": [typed({"pk": f"RUN#{RUN_ID}", "trading_date": "2022-11-28"})]}]
        self.asked.append(request)
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        first, last = values.get(":first", LATEST), values.get(":last", LATEST)
        own = [row for row in self.rows if row["pk"] == values[":pk"] and first <= row["sk"] <= last]
        return [{"Items": [typed(row) for row in own]}]


def read(tables: Tables, stock: Stock | None = None) -> Equity:
    world = World(store=stored(run(settled=True)))
    base = environment(world)
    deployed = replace(base, client=lambda _: tables, outputs={**base.outputs, "PerformanceTable": "performance"})
    if stock is not None:
        object.__setattr__(deployed, "objects", lambda: stock.objects)
    return account.equity(Connection(deployed, world.broker))  # type: ignore[arg-type] # a fake broker


def test_equity_reads_a_year_and_the_owners_that_the_latest_row_names() -> None:
    tables = Tables()
    for row in (ROWS[0].changed(trading_date=D3 - timedelta(days=400)), *ROWS):
        tables.put(row)
    tables.put(owner_row("calm", D3, "99000", realised="-1.5", closed_lots="3", winning_lots="2"))

    found = read(tables)

    assert [day.date for day in found.days] == [D1, D2, D3]
    assert [(row.strategy, row.realised, row.winning_lots) for row in found.owners] == [("calm", Decimal("-1.5"), 2)]
    assert {request["TableName"] for request in tables.asked} == {"performance"}


def test_equity_compares_with_the_adjusted_closes_of_the_lake() -> None:
    tables, stock = Tables(), Stock()
    stock.store("SPY", (bar(D1, 400.0), bar(D2, 500.0), bar(D3, 250.0)))
    for row in ROWS:
        tables.put(row)

    assert [day.benchmark for day in read(tables, stock).days] == [100_000, 137_500, 68_750]


def test_equity_of_rows_of_an_earlier_release_takes_the_strategies_of_the_latest_run() -> None:
    tables = Tables()
    tables.put(ROWS[0].changed(account=None))
    tables.put(owner_row("calm", D1, "100000"))

    assert [row.strategy for row in read(tables).owners] == ["calm"]


def test_equity_before_the_first_run_is_empty() -> None:
    assert read(Tables()) == Equity((), None, ())


def test_pnl_of_an_owner_is_realised_and_unrealised() -> None:
    row = owner_row("calm", D1, "100000", realised="-1.5", unrealised="4")

    assert Equity.pnl_of(row) == Decimal("2.5")
    assert Equity.pnl_of(row.changed(realised=None)) is None
    assert Equity.pnl_of(row.changed(unrealised=None)) is None
