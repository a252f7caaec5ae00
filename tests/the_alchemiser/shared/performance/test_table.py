from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.simulation.aws_clients import aws_port
from tests.simulation.deployment import read_deployment
from tests.simulation.dynamo import Dynamo
from tests.simulation.dynamo_tables import Tables
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.scenario import FaultPlan
from tests.simulation.world import World
from tests.the_alchemiser.shared.performance.account_rows import MONDAY, THURSDAY, TUESDAY, account_row, owner_row
from the_alchemiser.metrics_v2.performance_table import DynamoPerformanceStore
from the_alchemiser.shared.performance.rows import ACCOUNT
from the_alchemiser.shared.performance.table import DynamoPerformances

ROWS = tuple(
    row
    for day, equity in ((MONDAY, "1000"), (TUESDAY, "1010"), (THURSDAY, "1020"))
    for row in (account_row(day, equity), owner_row("calm", day, equity, proceeds="-1"))
)


@pytest.fixture
def client() -> Dynamo:
    world = World(datetime(2022, 3, 18, tzinfo=UTC), FaultDraws(1, FaultPlan()), {})
    return Dynamo(Tables(world, read_deployment().tables, lambda *_: None), aws_port("dynamodb", attempts=3))


@pytest.fixture
def performances(client: Dynamo) -> DynamoPerformances:
    """Return the table after three runs; the second row of `bold`, whose name the account knows, is missing."""
    store = DynamoPerformanceStore(client, "Performance")  # type: ignore[arg-type]  # the simulated client
    for row in ROWS:
        store.put(row)
    store.add_traded(["SPY", "BRK.B"])
    return DynamoPerformances(client, "Performance")  # type: ignore[arg-type]  # the simulated client


def dates(performances: DynamoPerformances, since: date | None) -> list[date]:
    return [row.trading_date for row in performances.history(since=since).account]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, [MONDAY, TUESDAY, THURSDAY]),
        (MONDAY, [MONDAY, TUESDAY, THURSDAY]),
        (TUESDAY, [MONDAY, TUESDAY, THURSDAY]),
        (date(2022, 3, 16), [TUESDAY, THURSDAY]),
        (THURSDAY, [TUESDAY, THURSDAY]),
        (date(2022, 3, 18), [THURSDAY]),
    ],
)
def test_history_has_the_row_before_the_period(
    performances: DynamoPerformances, since: date | None, expected: list[date]
) -> None:
    assert dates(performances, since) == expected


def test_history_has_the_rows_of_every_owner(performances: DynamoPerformances) -> None:
    history = performances.history()

    assert history.account == tuple(row for row in ROWS if row.strategy == ACCOUNT)
    assert history.names == ("calm",)
    assert history.owners["calm"] == {row.trading_date: row for row in ROWS if row.strategy == "calm"}


def test_history_of_an_empty_table_is_empty(client: Dynamo) -> None:
    performances = DynamoPerformances(client, "Performance")  # type: ignore[arg-type]  # the simulated client

    assert (dates(performances, None), dates(performances, MONDAY)) == ([], [])
    assert (performances.latest(), performances.traded()) == (None, frozenset())


def test_latest_is_the_row_of_the_last_run(performances: DynamoPerformances) -> None:
    account, calm = performances.latest(), performances.latest("calm")

    assert account is not None
    assert account.equity == 1020
    assert calm is not None
    assert (calm.trading_date, calm.proceeds) == (THURSDAY, Decimal(-1))


def test_traded_has_every_symbol(performances: DynamoPerformances) -> None:
    assert performances.traded() == {"SPY", "BRK.B"}


def test_rows_of_an_owner_go_from_a_date_through_a_date(performances: DynamoPerformances) -> None:
    def days(**bounds: date) -> list[date]:
        return [row.trading_date for row in performances.rows_of("calm", **bounds)]

    assert days() == [MONDAY, TUESDAY, THURSDAY]
    assert days(since=TUESDAY) == [TUESDAY, THURSDAY]
    assert days(through=TUESDAY) == [MONDAY, TUESDAY]
    assert days(since=TUESDAY, through=TUESDAY) == [TUESDAY]
    assert days(since=THURSDAY, through=TUESDAY) == []
